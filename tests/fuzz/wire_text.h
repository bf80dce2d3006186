// Wire text: protobuf messages written so that a fuzzer can change them and a person can read them. A mutation of raw
// bytes breaks the lengths around it; here lengths come about when the text becomes bytes, so that every change of one
// field leaves a message. Any text means something.
//
//   (4 … )      a submessage as field 4; ':' is 10, ';' 11, '<' 12 (the characters behind '9')
//   "4text"     bytes as field 4; \" and \xNN inside
//   #4123       a varint      %4-1.5  a double      ^4123  a fixed32
//   !           what follows are the bytes themselves, whatever they are
//   the rest    is skipped
//
// Tokens reads the other notation of the targets: one letter and the quoted texts behind it, `s"X-A""1""2"`.
//
// Thread: values, not shared. Lifetime: they borrow the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::fuzz {

std::string wire_of(std::string_view text);

class Tokens {
 public:
  explicit Tokens(std::string_view text) noexcept : left_(text) {}

  // False at the end, and at a character of `ends`, which is consumed and is then ended_by().
  bool next(std::string_view ends = {});
  char letter() const noexcept { return letter_; }
  char ended_by() const noexcept { return ended_by_; }
  std::string_view rest() const noexcept { return left_; }

  std::size_t count() const noexcept { return texts_.size(); }
  std::string_view text(std::size_t index) const noexcept {
    return index < count() ? texts_[index] : std::string_view();
  }
  std::vector<std::string_view> texts(std::size_t from) const;
  double number(std::size_t index) const noexcept;  // 0: it is none

 private:
  std::string_view left_;
  char letter_ = '\0';
  char ended_by_ = '\0';
  std::vector<std::string> texts_;
};

}  // namespace lingate::fuzz
