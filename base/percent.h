// Percent-encoding (RFC 3986, 2.1): reading one triplet, or all of a text. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lingate {

// -1 where `c` is no hexadecimal digit.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the triplet at `at` stands for; -1 where there is no '%', or one that is cut or malformed.
constexpr int percent_triplet(std::string_view text, std::size_t at) noexcept {
  if (text[at] != '%' || text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Its triplets decoded, once; what is malformed stays, and so does '+'.
inline std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const int byte = percent_triplet(text, k);
    decoded.push_back(byte < 0 ? text[k] : static_cast<char>(byte));
    if (byte >= 0) k += 2;
  }
  return decoded;
}

constexpr bool is_unreserved(int byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '.' || byte == '_' || byte == '~';
}

}  // namespace lingate
