// Classes of bytes in header fields (base/fields.h), sixteen bytes at a time: each function gives 0xff for a byte of
// its class and 0 for any other.
//
// Pure functions; any thread.
#pragma once

#include <emmintrin.h>

namespace lingate::fields {

// Letters, digits and the hyphen: all that most names are made of.
inline __m128i are_plain_name(__m128i bytes) noexcept {
  // Signed bytes: the sums lift the range that is looked for to the top.
  const __m128i case_bit = _mm_set1_epi8(0x20);
  const __m128i lift_letters = _mm_set1_epi8(127 - 'z');
  const __m128i below_letters = _mm_set1_epi8(127 - 'z' + 'a' - 1);
  const __m128i lift_digits = _mm_set1_epi8(127 - '9');
  const __m128i below_digits = _mm_set1_epi8(127 - '9' + '0' - 1);
  const __m128i letter = _mm_cmpgt_epi8(_mm_add_epi8(_mm_or_si128(bytes, case_bit), lift_letters), below_letters);
  const __m128i digit = _mm_cmpgt_epi8(_mm_add_epi8(bytes, lift_digits), below_digits);
  return _mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
}

// Control bytes but HTAB.
inline __m128i are_forbidden(__m128i bytes) noexcept {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  return _mm_or_si128(_mm_andnot_si128(tab, low), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
}

}  // namespace lingate::fields
