// HeadView: the header lines of one head as a script sees them: in order, duplicates kept, with the script's own edits
// already in them, and the edits that came about. Reading indexes the encoded head once, on first touch; names and
// values stay views into it.
//
// Thread: the instance's. Lifetime: part of a CallView; texts live until the call ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "runtimes/header_rules.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes {

// Room for what one call writes: text is copied here, and a script that writes in a loop is stopped by the sum.
class WriteRoom {
 public:
  void begin(const ScriptLimits& limits) noexcept;
  // Nullopt and `kept`, a copy that lives until the call ends, or the refusal.
  [[nodiscard]] Refusal keep(std::string_view text, std::string_view& kept);

 private:
  Arena arena_;
  std::size_t left_ = 0;
};

class HeadView {
 public:
  struct Line {
    std::string_view name;
    std::string_view value;
  };

  // The first line's value, or nullptr; names compare without case. Good until the next edit of this head.
  const std::string_view* get(std::string_view name);
  void values(std::string_view name, std::vector<std::string_view>& out);  // replaces what `out` holds
  std::span<const Line> lines();                                           // all, in order
  void names(std::vector<std::string_view>& distinct);                     // first spelling of each, in order

  // Replaces the first such line in place (further values follow it) and drops the others, or appends; no values:
  // removes. Copies what it keeps. A refused write changes nothing.
  [[nodiscard]] Refusal set(std::string_view name, std::span<const std::string_view> values);
  [[nodiscard]] Refusal add(std::string_view name, std::string_view value);
  [[nodiscard]] Refusal remove(std::string_view name);

 private:
  friend class CallView;
  struct Edit {
    std::string_view name;
    std::uint32_t first_value;
    std::uint32_t value_count;
    bool append;
  };

  // `read_only`: why nothing may be written; empty: it may.
  void begin(std::string_view encoded, std::uint32_t header_field, std::string_view read_only,
             const ScriptLimits& limits, WriteRoom& room) noexcept;
  void index();
  [[nodiscard]] Refusal writable(std::string_view name) const;
  [[nodiscard]] Refusal fits(std::string_view name, std::span<const std::string_view> values, bool append) const;
  [[nodiscard]] Refusal record(std::string_view name, std::span<const std::string_view> values, bool append);
  void apply(const Edit& edit);
  std::size_t edit_size(const Edit& edit) const noexcept;
  std::size_t edits_size(std::uint32_t field) const noexcept;
  char* put_edits(char* to, std::uint32_t field) const noexcept;

  std::string_view encoded_;
  std::string_view read_only_;
  std::uint32_t header_field_ = 0;
  bool indexed_ = false;
  std::size_t bytes_ = 0;  // of all lines
  std::vector<Line> lines_;
  std::vector<Edit> edits_;
  std::vector<std::string_view> edit_values_;
  const ScriptLimits* limits_ = nullptr;
  WriteRoom* room_ = nullptr;
};

}  // namespace lingate::runtimes
