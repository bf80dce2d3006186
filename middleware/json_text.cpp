#include "middleware/json_text.h"

#include <array>
#include <charconv>
#include <chrono>

#include "base/utf8.h"

namespace lingate::middleware::json {
namespace {

constexpr char kHex[] = "0123456789abcdef";

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c)
    plain[c] = c != '"' && c != '\\';
  return plain;
}

constexpr std::array<bool, 256> kPlain = make_plain();

bool is_plain(char c) noexcept {
  return kPlain[static_cast<unsigned char>(c)];
}

// How one character is written, and how many bytes of the text it takes.
struct Escaped {
  std::array<char, 6> bytes;
  std::size_t size;
  std::size_t taken;
};

Escaped escape(std::string_view text) noexcept {
  const char c = text.front();
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '"': return {{'\\', '"'}, 2, 1};
    case '\\': return {{'\\', '\\'}, 2, 1};
    case '\n': return {{'\\', 'n'}, 2, 1};
    case '\r': return {{'\\', 'r'}, 2, 1};
    case '\t': return {{'\\', 't'}, 2, 1};
    default: break;
  }
  if (byte < 0x20 || byte == 0x7f) return {{'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 0xfU]}, 6, 1};
  const std::size_t length = utf8::character(text);
  if (length == 0) return {{'\xef', '\xbf', '\xbd'}, 3, 1};
  Escaped same{{}, length, length};
  text.copy(same.bytes.data(), length);
  return same;
}

void two_digits(char* to, unsigned value) noexcept {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

// The lowest `digits` decimal digits of `value`.
void fixed_digits(char* to, std::uint64_t value, std::size_t digits) noexcept {
  while (digits-- > 0) {
    to[digits] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

void append_string(std::string& out, std::string_view text, std::size_t room) {
  room -= 2;
  out += '"';
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && is_plain(text[run]))
      ++run;
    if (run != 0) {
      const std::size_t fits = run < room ? run : room;
      out.append(text.data(), fits);
      room -= fits;
      if (fits < run) break;
      text.remove_prefix(run);
      continue;
    }
    const Escaped escaped = escape(text);
    if (escaped.size > room) break;
    out.append(escaped.bytes.data(), escaped.size);
    room -= escaped.size;
    text.remove_prefix(escaped.taken);
  }
  out += '"';
}

void append_integer(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_seconds(std::string& out, std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds);
  append_integer(out, value / 1'000'000'000);
  std::array<char, 10> fraction{'.'};
  fixed_digits(fraction.data() + 1, value % 1'000'000'000, 9);
  out.append(fraction.data(), fraction.size());
}

void append_timestamp(std::string& out, std::int64_t microseconds) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{days};
  const auto in_day = static_cast<std::uint64_t>((time - days).count());
  std::array<char, 29> text{"\"0000-00-00T00:00:00.000000Z"};
  fixed_digits(text.data() + 1, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  two_digits(text.data() + 6, static_cast<unsigned>(date.month()));
  two_digits(text.data() + 9, static_cast<unsigned>(date.day()));
  const auto seconds = static_cast<unsigned>(in_day / 1'000'000);
  two_digits(text.data() + 12, seconds / 3600);
  two_digits(text.data() + 15, seconds / 60 % 60);
  two_digits(text.data() + 18, seconds % 60);
  fixed_digits(text.data() + 21, in_day % 1'000'000, 6);
  text[28] = '"';
  out.append(text.data(), text.size());
}

}  // namespace lingate::middleware::json
