// Fields as nghttp2 takes and gives them. Internal to this box: whoever includes it includes nghttp2's header.
//
// Pure functions; any thread. Lifetime: views of what they are given.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lingate::http2 {

// Of one header block that is sent: far above what the limits let a message have, and above nghttp2's own 64 KiB.
inline constexpr std::size_t kMostSentHead = 1024 * 1024;

inline nghttp2_nv pair_of(std::string_view name, std::string_view value) noexcept {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace lingate::http2
