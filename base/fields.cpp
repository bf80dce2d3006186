#include "base/fields.h"

#include <emmintrin.h>

#include <algorithm>
#include <cstring>

#include "base/field_bytes.h"

namespace lingate::fields {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

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

// One to sixteen bytes fill a register, and none beside them is read: both ends are taken, which may overlap.
__m128i load_short(std::string_view text) {
  const char* const at = text.data();
  const std::size_t size = text.size();
  if (size >= 8)
    return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)),
                              _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + size - 8)));
  if (size >= 4)
    return _mm_set1_epi64x(static_cast<long long>(load<std::uint32_t>(at) | load<std::uint32_t>(at + size - 4) << 32U));
  const auto byte = [at](std::size_t k) { return std::uint32_t{static_cast<unsigned char>(at[k])}; };
  return _mm_set1_epi32(static_cast<int>(byte(0) * 0x0101 | byte(size / 2) << 16U | byte(size - 1) << 24U));
}

// Whether `found` finds nothing in a text of at least one byte. The last sixteen bytes end with the text.
template <class Found>
bool has_none(std::string_view text, Found found) {
  const auto none = [&found](__m128i bytes) { return _mm_movemask_epi8(found(bytes)) == 0; };
  if (text.size() <= 16) return none(load_short(text));
  const char* const last = text.data() + text.size() - 16;
  for (const char* at = text.data(); at < last; at += 16)
    if (!none(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)))) return false;
  return none(_mm_loadu_si128(reinterpret_cast<const __m128i*>(last)));
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

bool is_token(std::string_view text) noexcept {
  if (text.empty()) return false;
  const auto others = [](__m128i bytes) { return _mm_cmpeq_epi8(are_plain_name(bytes), _mm_setzero_si128()); };
  return has_none(text, others) || std::all_of(text.begin(), text.end(), is_token_char);
}

std::size_t find_forbidden(std::string_view value) noexcept {
  if (value.empty() || has_none(value, [](__m128i bytes) { return are_forbidden(bytes); })) [[likely]]
    return kNone;
  return static_cast<std::size_t>(std::find_if_not(value.begin(), value.end(), is_value_char) - value.begin());
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
