#include "base/fields.h"

#include <algorithm>
#include <cstring>

namespace lingate::fields {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

// Not zero if one of the eight bytes is zero.
constexpr std::uint64_t has_zero(std::uint64_t word) {
  return (word - kOnes) & ~word & kHighs;
}

constexpr bool is_forbidden(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

constexpr bool has_forbidden(std::uint64_t word) {
  return (has_zero(word) | has_zero(word ^ (kOnes * '\r')) | has_zero(word ^ (kOnes * '\n'))) != 0;
}

template <class Word>
std::uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Whether eight bytes are the same but for the case of letters. They may differ in the bit that makes case only (0x20),
// and where they do, both must be letters: the sums set the high bit of a byte from 'a' on, and of one above 'z'.
constexpr bool same_but_for_case(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t differ = a ^ b;
  if (differ == 0) return true;
  const std::uint64_t lower = (a | kOnes * 0x20) & ~kHighs;
  const std::uint64_t letters = (lower + kOnes * (0x80 - 'a')) & ~(lower + kOnes * (0x80 - 'z' - 1)) & ~a & kHighs;
  return (differ & ~(kOnes * 0x20)) == 0 && ((differ << 2U) & ~letters) == 0;
}

// Whole words, the last one of them ending with the value.
bool is_clean(std::string_view value) {
  const char* const end = value.data() + value.size();
  if (value.size() < 4) {
    for (const char c : value)
      if (is_forbidden(c)) return false;
    return true;
  }
  if (value.size() < 8) {
    return !has_forbidden(load<std::uint32_t>(value.data()) | load<std::uint32_t>(end - 4) << 32U);
  }
  for (const char* at = value.data(); at + 8 < end; at += 8)
    if (has_forbidden(load<std::uint64_t>(at))) return false;
  return !has_forbidden(load<std::uint64_t>(end - 8));
}

}  // namespace

bool detail::same_letters(const char* a, const char* b, std::size_t size) noexcept {
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (!same_but_for_case(load<std::uint64_t>(a + at), load<std::uint64_t>(b + at))) return false;
    return same_but_for_case(load<std::uint64_t>(a + size - 8), load<std::uint64_t>(b + size - 8));
  }
  if (size >= 4) {
    const auto both_ends = [size](const char* text) {
      return load<std::uint32_t>(text) | load<std::uint32_t>(text + size - 4) << 32U;
    };
    return same_but_for_case(both_ends(a), both_ends(b));
  }
  for (std::size_t k = 0; k < size; ++k)
    if (lower(a[k]) != lower(b[k])) return false;
  return true;
}

std::size_t find_forbidden(std::string_view value) noexcept {
  if (is_clean(value)) [[likely]]
    return kNone;
  return static_cast<std::size_t>(std::find_if(value.begin(), value.end(), is_forbidden) - value.begin());
}

bool is_strict_value(std::string_view value) noexcept {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

bool is_connection_field(std::string_view name) noexcept {
  switch (name.size()) {
    case 2: return same_name(name, "te");
    case 7: return same_name(name, "trailer") || same_name(name, "upgrade");
    case 10: return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14: return same_name(name, "content-length");
    case 16: return same_name(name, "proxy-connection");
    case 17: return same_name(name, "transfer-encoding");
    default: return false;
  }
}

}  // namespace lingate::fields
