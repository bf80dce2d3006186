// Plain text: what a JSON string carries as it is, byte for byte: ASCII but for quotes, backslashes and control
// characters (RFC 8259, section 7; DEL is plain). Most texts are plain from end to end, so that is looked for sixteen
// bytes at a time, and everything else a character at a time.
//
// Pure function; any thread.
#pragma once

#include <emmintrin.h>

#include <bit>

namespace lingate {

inline bool is_plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

// The first byte from `at` on that is not plain, or `end`.
inline const char* skip_plain(const char* at, const char* end) noexcept {
  const __m128i last_control = _mm_set1_epi8(0x1f);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    // The highest bit of a byte that is not ASCII is set already.
    const __m128i special = _mm_or_si128(_mm_or_si128(control, quote), _mm_or_si128(backslash, bytes));
    const int mask = _mm_movemask_epi8(special);
    if (mask != 0) return at + std::countr_zero(static_cast<unsigned>(mask));
    at += 16;
  }
  while (at != end && is_plain(*at))
    ++at;
  return at;
}

}  // namespace lingate
