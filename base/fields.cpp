#include "base/fields.h"

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

bool has_forbidden(const char* eight) {
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof word);
  return (has_zero(word) | has_zero(word ^ (kOnes * '\r')) | has_zero(word ^ (kOnes * '\n'))) != 0;
}

}  // namespace

std::size_t find_forbidden(std::string_view value) noexcept {
  std::size_t at = 0;
  while (at + 8 <= value.size() && !has_forbidden(value.data() + at))
    at += 8;
  // The last eight bytes once more, for what is left of them.
  if (at > 0 && at + 8 > value.size() && !has_forbidden(value.data() + value.size() - 8)) return kNone;
  for (; at < value.size(); ++at)
    if (is_forbidden(value[at])) return at;
  return kNone;
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
