// HeadView: the header lines of one head as a script sees them: in order, duplicates kept, with the script's own edits
// already in them. Reading one header scans the encoded head for it, and writing one adds an edit to those of the
// verdict; the head is asked for when it is first read, and lines are made only for a script that walks the head, reads
// what it wrote, or comes near a limit. Names and values stay views.
//
// Thread: the instance's. Lifetime: part of a CallView; texts live until the call ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "runtimes/call_source.h"
#include "runtimes/header_rules.h"
#include "runtimes/runtime.h"
#include "runtimes/wire_verdict.h"

namespace lingate::runtimes {

// Room for what one call writes: text is copied here, and a script that writes in a loop is stopped by the sum.
class WriteRoom {
 public:
  // `arena` has the texts until the verdict was applied.
  void begin(Arena& arena, const ScriptLimits& limits) noexcept {
    arena_ = &arena;
    left_ = 1024 * 1024 + 8 * (limits.head + limits.target);
  }
  // Room that lives as long as the arena; nullptr: there is no more.
  char* take(std::size_t size) {
    // A text costs this much beside its bytes, so that empty ones are bounded too.
    constexpr std::size_t kOverhead = 64;
    if (size + kOverhead > left_) return nullptr;
    left_ -= size + kOverhead;
    return arena_->allocate(size);
  }
  static std::string full() { return "too much is written in one call: headers, path, query or session"; }
  // Nullopt and a copy of `text`, or the refusal.
  [[nodiscard]] Refusal keep(std::string_view text, std::string_view& kept);

 private:
  Arena* arena_ = nullptr;
  std::size_t left_ = 0;
};

class HeadView {
 public:
  struct Line {
    std::string_view name;
    std::string_view value;
  };

  // The first line's value, or nullptr; names compare without case. Good until this head is used again.
  const std::string_view* get(std::string_view name);
  void values(std::string_view name, std::vector<std::string_view>& out);  // replaces what `out` holds
  std::span<const Line> lines();                                           // all, in order
  void names(std::vector<std::string_view>& distinct);                     // first spelling of each, in order

  // Replaces the first such line in place (further values follow it) and drops the others, or appends; no values:
  // removes. Copies what it keeps. A refused write changes nothing.
  [[nodiscard]] Refusal set(std::string_view name, std::span<const std::string_view> values);
  [[nodiscard]] Refusal add(std::string_view name, std::string_view value);
  [[nodiscard]] Refusal remove(std::string_view name);
  // The same for what is usual, without a word of why not. False: nothing was done; ask those above.
  [[nodiscard]] bool set_plain(std::string_view name, std::string_view value);
  [[nodiscard]] bool remove_plain(std::string_view name);

 private:
  friend class CallView;
  // What a head is part of.
  struct Place {
    CallSource& source;
    Side side;
    const ScriptLimits& limits;
    WriteRoom& room;
    HeaderEdits& edits;  // where those go that are made here
  };

  // `read_only`: why nothing may be written; empty: it may.
  void begin(const Place& place, std::string_view read_only) noexcept;
  std::string_view encoded();
  bool edited(std::string_view name) const noexcept;
  void measure();
  bool surely_fits(std::size_t lines, std::size_t bytes) const noexcept;
  bool is_plain(std::string_view name) const noexcept;
  bool is_plain(std::string_view name, std::string_view value) const noexcept;
  void index();
  [[nodiscard]] Refusal writable(std::string_view name) const;
  [[nodiscard]] Refusal fits(std::string_view name, std::span<const std::string_view> values, bool append);
  [[nodiscard]] Refusal record(std::string_view name, std::span<const std::string_view> values, bool append);
  bool put(std::string_view name, std::span<const std::string_view> values, bool append);
  void apply(const HeaderEdit& edit);

  CallSource* source_ = nullptr;
  Side side_ = Side::request;
  std::uint32_t number_ = 0;  // of the headers in the head's message
  std::string_view read_only_;
  std::string_view encoded_;
  bool asked_ = false;  // for encoded_
  bool measured_ = false;
  bool indexed_ = false;
  // What the head can have at most, edits included; what it has, once indexed.
  std::size_t most_bytes_ = 0;
  std::size_t most_lines_ = 0;
  Line found_;               // what was read last, before it was indexed
  std::vector<Line> lines_;  // once indexed
  HeaderEdits* edits_ = nullptr;
  const ScriptLimits* limits_ = nullptr;
  WriteRoom* room_ = nullptr;
};

}  // namespace lingate::runtimes
