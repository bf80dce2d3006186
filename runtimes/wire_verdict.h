// Verdict: what came of a call, as views. A CallView in this process leaves one as it stands; between processes it
// crosses as a Verdict of plugin.proto, which write_verdict() writes and read_verdict() takes apart. That checks all of
// it, once; then nothing can fail while the edits are applied. Strict, for another process may be in the hands of its
// script: unknown fields, wrong types, bad header lines, a status outside 200 to 599, values nested too deep, a failure
// beside anything else and edits of both heads are all refused. Of bytes that a CallView of this process has written
// one thing is not looked at again: what stands in edited header lines, which it has checked at the script's
// assignment.
//
// Thread: values, not shared. Lifetime: views borrow the verdict's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/wire.h"
#include "runtimes/header_rules.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes {

// Who wrote a verdict: a CallView in this process, or a worker process, which may be in the hands of its script.
enum class VerdictOrigin : std::uint8_t { this_process, other_process };

// The entries of one repeated field of bytes, in order. Copy it to walk again.
class Repeated {
 public:
  Repeated() = default;
  Repeated(std::string_view message, std::uint32_t number) noexcept : reader_(message), number_(number) {}

  bool next(std::string_view& entry) noexcept {
    proto::Field field;
    while (reader_.next(field)) {
      if (!field.is(number_, proto::WireType::bytes)) continue;
      entry = field.bytes;
      return true;
    }
    return false;
  }

 private:
  proto::Reader reader_;
  std::uint32_t number_ = 0;
};

struct HeaderEdit {
  std::string_view name;
  std::span<const std::string_view> values;  // none: remove
  bool append = false;                       // add lines instead of replacing
};

// Edits of a head in the order made, taken apart once. Reused: clear() keeps the room.
class HeaderEdits {
 public:
  void clear() noexcept;
  // False: no HeaderEdit, or from another process one of a line that must not be written.
  [[nodiscard]] bool add(std::string_view encoded, VerdictOrigin origin);
  // An edit that was checked as it was made, then each of its values. Texts are borrowed.
  void begin_edit(std::string_view name, bool append) {
    edits_.push_back({name, static_cast<std::uint32_t>(values_.size()), 0, append});
  }
  void add_value(std::string_view value) {
    Edit& edit = edits_.back();
    values_.push_back(value);
    ++edit.value_count;
    count(edit.name, value);
  }

  std::size_t size() const noexcept { return edits_.size(); }
  HeaderEdit operator[](std::size_t index) const noexcept {
    const Edit& edit = edits_[index];
    return {edit.name, std::span(values_).subspan(edit.first_value, edit.value_count), edit.append};
  }

  // Of the lines that they put in.
  std::size_t line_count() const noexcept { return values_.size(); }
  std::size_t lines_bytes() const noexcept { return lines_bytes_; }
  std::size_t longest_line() const noexcept { return longest_line_; }

 private:
  void count(std::string_view name, std::string_view value) noexcept {
    const std::size_t bytes = line_bytes(name, value);
    lines_bytes_ += bytes;
    if (longest_line_ < bytes) longest_line_ = bytes;
  }

  struct Edit {
    std::string_view name;
    std::uint32_t first_value;
    std::uint32_t value_count;
    bool append;
  };
  std::vector<Edit> edits_;
  std::vector<std::string_view> values_;
  std::size_t lines_bytes_ = 0;  // as line_bytes() has it
  std::size_t longest_line_ = 0;
};

// Name and value lines of an answer.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(std::string_view message, std::uint32_t number) noexcept : lines_(message, number) {}
  bool next(std::string_view& name, std::string_view& value) noexcept;

 private:
  Repeated lines_;
};

struct RequestEdits {
  std::optional<std::string_view> method, path, query;
  std::optional<std::string_view> body;
};

struct ResponseEdits {
  std::optional<std::uint32_t> status;
  std::optional<std::string_view> body;
};

struct MemberEdit {
  std::string_view name;
  std::string_view value;  // encoded Value
};

struct SessionEdits {
  std::string_view encoded;                  // the whole message
  std::optional<std::string_view> assigned;  // an encoded Session
  bool cleared = false;
  std::optional<Repeated> tags;  // all of them
  Repeated metadata;             // encoded Member each; see read_member()
  Repeated removed_metadata;     // names
};

struct VerdictAnswer {
  std::string_view encoded;  // the whole message
  std::uint32_t status = 200;
  HeaderLines headers;
  std::string_view body;
};

struct VerdictFailure {
  std::string_view encoded;  // the whole message
  FailureKind kind = FailureKind::exception;
  std::string_view message, file;
  std::uint32_t line = 0;
  Repeated stack;  // innermost first
};

struct Verdict {
  std::optional<RequestEdits> request;  // at most one of the two
  std::optional<ResponseEdits> response;
  HeaderEdits headers;  // of the one that is there
  std::optional<SessionEdits> session;
  std::optional<std::string_view> context;  // encoded Members that replace the whole
  std::optional<VerdictAnswer> answer;
  std::optional<VerdictFailure> failure;

  bool edits_head() const noexcept { return request || response; }
  bool empty() const noexcept { return !(edits_head() || session || context || answer || failure); }
  void clear() noexcept;
};

// False: malformed; `verdict` is then of no use. Empty bytes are a verdict that changes nothing.
[[nodiscard]] bool read_verdict(std::string_view bytes, Verdict& verdict,
                                VerdictOrigin origin = VerdictOrigin::other_process);

// Parts alone, as SessionEdits::encoded and the like have them; the same checks.
[[nodiscard]] bool read_session_edits(std::string_view bytes, SessionEdits& edits);
[[nodiscard]] bool read_answer(std::string_view bytes, VerdictAnswer& answer);
[[nodiscard]] bool read_failure(std::string_view bytes, VerdictFailure& failure);
bool is_context(std::string_view members);

// The verdict's bytes replace what `out` holds.
void write_verdict(std::string& out, const Verdict& verdict);

MemberEdit read_member(std::string_view member) noexcept;

}  // namespace lingate::runtimes
