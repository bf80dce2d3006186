// JSON text written by hand, for log lines and problem documents: they are written for every request, and a library
// that builds values first would cost more than the request. Whatever the bytes are, what comes out is valid JSON in
// valid UTF-8: what is no UTF-8 becomes U+FFFD.
//
// Thread: one. Lifetime: a Writer is made for one text and gone before that is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lingate::middleware::json {

// Appends to a string, by way of a little space of its own: a line is many short pieces.
class Writer {
 public:
  explicit Writer(std::string& to) noexcept : to_(to) {}
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Text that is JSON already.
  template <std::size_t N>
  void raw(const char (&literal)[N]) {
    std::memcpy(reserve(N), literal, N - 1);
    used_ += N - 1;
  }
  void raw(std::string_view text);

  // A member of an object: `name` is its name with quotes and colon, and what stands before it.
  template <std::size_t N>
  void member(const char (&name)[N], std::string_view text, std::size_t room) {
    if (text.size() + 2 <= std::min(room, kSpace - N)) [[likely]] {
      char* const to = reserve(N + text.size() + 1);
      std::memcpy(to, name, N - 1);
      if (copy_plain(to + N, text)) [[likely]] {
        to[N - 1] = to[N + text.size()] = '"';
        used_ += N + text.size() + 1;
        return;
      }
    }
    raw(name);
    string(text, room);
  }

  // `text` as a JSON string with its quotes. At most `room` bytes are added; what does not fit is cut, between
  // characters. `room` is at least 2.
  void string(std::string_view text, std::size_t room = SIZE_MAX);
  void integer(std::uint64_t value) {
    if (value > 9) return longer_integer(value);
    *reserve(1) = static_cast<char>('0' + value);
    ++used_;
  }
  // Nanoseconds as seconds with nine digits ("0.000123456").
  void seconds(std::int64_t nanoseconds);
  // Microseconds since 1970 as "2026-11-20T23:41:17.123456Z", in quotes (RFC 3339).
  void timestamp(std::int64_t microseconds);

  std::size_t size() const noexcept { return to_.size() + used_; }  // of the whole string

 private:
  static constexpr std::size_t kSpace = 1024;

  // Room for so many bytes, at most kSpace; what is used of it is to be added to used_.
  char* reserve(std::size_t bytes) {
    if (bytes > kSpace - used_) flush();
    return space_.data() + used_;
  }
  void flush();
  void longer_integer(std::uint64_t value);
  bool plain_string(std::string_view text);
  static bool copy_plain(char* to, std::string_view text) noexcept;
  void any_string(std::string_view text, std::size_t room);

  std::string& to_;
  std::size_t used_ = 0;
  std::array<char, kSpace> space_;
};

}  // namespace lingate::middleware::json
