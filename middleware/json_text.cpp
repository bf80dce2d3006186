#include "middleware/json_text.h"

#include <emmintrin.h>

#include <charconv>
#include <chrono>

#include "base/utf8.h"

namespace lingate::middleware::json {
namespace {

constexpr char kHex[] = "0123456789abcdef";

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

// Not zero if one of the eight bytes must not stand in a JSON string as it is, or may be a part of something that is no
// UTF-8. Each sum sets the high bit of such a byte; what it does to the byte after such a one does not matter.
constexpr std::uint64_t to_escape(std::uint64_t word) noexcept {
  const std::uint64_t control = word - kOnes * 0x20;
  const std::uint64_t del = word + kOnes;
  const std::uint64_t quote = (word ^ (kOnes * '"')) - kOnes;
  const std::uint64_t backslash = (word ^ (kOnes * '\\')) - kOnes;
  return (word | control | del | quote | backslash) & kHighs;
}

bool is_plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

template <class Word>
std::uint64_t copy_word(char* to, const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  std::memcpy(to, &word, sizeof word);
  return word;
}

// The same for sixteen bytes, which are copied: whether all of them may stand as they are.
bool copy_block(char* to, const char* from) noexcept {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  const __m128i plain = _mm_cmpgt_epi8(block, _mm_set1_epi8(0x1f));  // signed: what is no ASCII is less
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return _mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(del, _mm_or_si128(quote, backslash)), plain)) == 0xffff;
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

// "00" to "99".
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t k = 0; k < 100; ++k) {
    pairs[2 * k] = static_cast<char>('0' + k / 10);
    pairs[2 * k + 1] = static_cast<char>('0' + k % 10);
  }
  return pairs;
}();

void two_digits(char* to, std::uint32_t value) noexcept {
  std::memcpy(to, kPairs.data() + std::size_t{2} * value, 2);
}

void four_digits(char* to, std::uint32_t value) noexcept {
  two_digits(to, value / 100);
  two_digits(to + 2, value % 100);
}

void nine_digits(char* to, std::uint32_t value) noexcept {
  *to = static_cast<char>('0' + value / 100'000'000);
  value %= 100'000'000;
  four_digits(to + 1, value / 10'000);
  four_digits(to + 5, value % 10'000);
}

}  // namespace

// Copies in blocks or words, the last one of them ending with the text, and looks at each. False: there is something to
// escape.
bool Writer::copy_plain(char* to, std::string_view text) noexcept {
  const char* from = text.data();
  const std::size_t size = text.size();
  if (size >= 16) {
    for (std::size_t at = 0; at + 16 < size; at += 16)
      if (!copy_block(to + at, from + at)) return false;
    return copy_block(to + size - 16, from + size - 16);
  }
  if (size >= 8) {
    const auto first = copy_word<std::uint64_t>(to, from);
    return (to_escape(first) | to_escape(copy_word<std::uint64_t>(to + size - 8, from + size - 8))) == 0;
  }
  if (size >= 4) {
    const std::uint64_t first = copy_word<std::uint32_t>(to, from);
    return to_escape(first | copy_word<std::uint32_t>(to + size - 4, from + size - 4) << 32U) == 0;
  }
  if (size == 0) return true;
  // The middle of one to three bytes is one of them.
  to[0] = from[0];
  to[size / 2] = from[size / 2];
  to[size - 1] = from[size - 1];
  return is_plain(from[0]) && is_plain(from[size / 2]) && is_plain(from[size - 1]);
}

void Writer::flush() {
  to_.append(space_.data(), used_);
  used_ = 0;
}

void Writer::raw(std::string_view text) {
  if (text.size() > kSpace) {
    flush();
    to_.append(text);
    return;
  }
  std::memcpy(reserve(text.size()), text.data(), text.size());
  used_ += text.size();
}

void Writer::string(std::string_view text, std::size_t room) {
  const bool fits = text.size() + 2 <= room && text.size() + 2 <= kSpace;
  if (!fits || !plain_string(text)) any_string(text, room);
}

// Copies in words, and looks at each; false, and nothing is written, if there is something to escape.
bool Writer::plain_string(std::string_view text) {
  char* const to = reserve(text.size() + 2);
  if (!copy_plain(to + 1, text)) return false;
  to[0] = to[text.size() + 1] = '"';
  used_ += text.size() + 2;
  return true;
}

void Writer::any_string(std::string_view text, std::size_t room) {
  room -= 2;
  raw("\"");
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && is_plain(text[run]))
      ++run;
    if (run != 0) {
      const std::size_t fits = run < room ? run : room;
      raw(text.substr(0, fits));
      room -= fits;
      if (fits < run) break;
      text.remove_prefix(run);
      continue;
    }
    const Escaped escaped = escape(text);
    if (escaped.size > room) break;
    raw(std::string_view(escaped.bytes.data(), escaped.size));
    room -= escaped.size;
    text.remove_prefix(escaped.taken);
  }
  raw("\"");
}

void Writer::longer_integer(std::uint64_t value) {
  constexpr std::size_t kLongest = 20;
  char* const to = reserve(kLongest);
  if (value < 100 || value >= 1000) {
    used_ += static_cast<std::size_t>(std::to_chars(to, to + kLongest, value).ptr - to);
    return;
  }
  const auto three = static_cast<std::uint32_t>(value);  // a status, most sizes
  *to = static_cast<char>('0' + three / 100);
  two_digits(to + 1, three % 100);
  used_ += 3;
}

void Writer::seconds(std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds);
  const std::uint64_t whole = value / 1'000'000'000;
  integer(whole);
  char* const to = reserve(10);
  *to = '.';
  nine_digits(to + 1, static_cast<std::uint32_t>(value - whole * 1'000'000'000));
  used_ += 10;
}

void Writer::timestamp(std::int64_t microseconds) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{days};
  const auto in_day = static_cast<std::uint64_t>((time - days).count());
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto seconds = static_cast<unsigned>(in_day / 1'000'000);
  const auto fraction = static_cast<unsigned>(in_day % 1'000'000);
  raw("\"0000-00-00T00:00:00.000000Z\"");
  char* const text = space_.data() + used_ - 29;
  four_digits(text + 1, year % 10'000);
  two_digits(text + 6, static_cast<unsigned>(date.month()));
  two_digits(text + 9, static_cast<unsigned>(date.day()));
  two_digits(text + 12, seconds / 3600);
  two_digits(text + 15, seconds / 60 % 60);
  two_digits(text + 18, seconds % 60);
  two_digits(text + 21, fraction / 10'000);
  four_digits(text + 23, fraction % 10'000);
}

}  // namespace lingate::middleware::json
