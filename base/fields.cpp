#include "base/fields.h"

#include <algorithm>

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
