#include "middleware/auth/base64.h"

#include <array>

namespace lingate::middleware::auth {
namespace {

constexpr std::uint8_t kNoDigit = 0xFF;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view last_two) {
  Digits table{};
  for (auto& digit : table)
    digit = kNoDigit;
  std::uint8_t value = 0;
  for (const std::string_view part :
       {std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), last_two})
    for (const char c : part)
      table[static_cast<unsigned char>(c)] = value++;
  return table;
}

constexpr Digits kStandard = digits_of("+/");
constexpr Digits kUrl = digits_of("-_");

}  // namespace

std::optional<std::string_view> decode_base64(std::string_view text, Alphabet alphabet, Arena& arena) {
  if (alphabet == Alphabet::standard) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
      text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const Digits& table = alphabet == Alphabet::standard ? kStandard : kUrl;
  char* const begin = arena.allocate(text.size() / 4 * 3 + 2);
  char* end = begin;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t digit = table[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return std::nullopt;
    bits = (bits << 6U) | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    *end++ = static_cast<char>((bits >> held) & 0xFFU);
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return std::nullopt;
  return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace lingate::middleware::auth
