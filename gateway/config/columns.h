// Columns of a text: characters of UTF-8, which is what people count. Bytes that are none count with what is before
// them.
//
// Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace lingate::config {

inline std::size_t columns(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

inline std::size_t bytes_of_columns(std::string_view text, std::size_t wanted) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (wanted-- == 0) break;
  }
  return at;
}

}  // namespace lingate::config
