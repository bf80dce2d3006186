#include "middleware/ids.h"

#include <emmintrin.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace lingate::middleware {
namespace {

// The hexadecimal digits of sixty-four bits, most significant first.
void put_hex(char* to, std::uint64_t value) noexcept {
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(__builtin_bswap64(value)));
  const __m128i low = _mm_and_si128(bytes, _mm_set1_epi8(0xf));
  const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0xf));
  const __m128i digits = _mm_unpacklo_epi8(high, low);
  const __m128i above_nine = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
  const __m128i to_letters = _mm_and_si128(above_nine, _mm_set1_epi8('a' - '9' - 1));
  const __m128i text = _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), to_letters);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), text);
}

// So many digits each, with hyphens between them.
template <std::size_t First, std::size_t... Rest>
void put_groups(char* to, const char* digits) noexcept {
  std::memcpy(to, digits, First);
  if constexpr (sizeof...(Rest) != 0) {
    to[First] = '-';
    put_groups<Rest...>(to + First + 1, digits + First);
  }
}

// Nothing that needs an id could be trusted without a generator: a kernel or a library that has none ends the program.
void must(bool done) noexcept {
  if (!done) std::abort();
}

using Key = std::array<unsigned char, 32>;  // key and first counter

Key system_key() noexcept {
  Key key;
  for (std::size_t have = 0; have < key.size();) {
    const ssize_t got = ::getrandom(key.data() + have, key.size() - have, 0);
    must(got > 0 || errno == EINTR);
    have += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  return key;
}

}  // namespace

class IdSource::Generator {
 public:
  Generator() {
    Key key = system_key();
    must(context_ != nullptr &&
         ::EVP_EncryptInit_ex(context_.get(), ::EVP_aes_128_ctr(), nullptr, key.data(), key.data() + 16) == 1);
    ::OPENSSL_cleanse(key.data(), key.size());
  }

  // The key stream is what zeroes are encrypted to.
  template <std::size_t N>
  void fill(std::array<std::uint64_t, N>& words) noexcept {
    static constexpr std::array<unsigned char, N * sizeof(std::uint64_t)> kZeroes{};
    int size = 0;
    must(::EVP_EncryptUpdate(context_.get(), reinterpret_cast<unsigned char*>(words.data()), &size, kZeroes.data(),
                             static_cast<int>(kZeroes.size())) == 1);
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { ::EVP_CIPHER_CTX_free(context); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_{::EVP_CIPHER_CTX_new()};
};

IdSource::IdSource() : generator_(std::make_unique<Generator>()) {}
IdSource::~IdSource() = default;

void IdSource::uuid7(std::chrono::system_clock::time_point now, std::span<char, kUuidLength> out) noexcept {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const auto stamp = static_cast<std::uint64_t>(since) & 0xffff'ffff'ffffU;
  const std::uint64_t a = random();
  const std::uint64_t b = random();
  char digits[2 * 16];
  put_hex(digits, stamp << 16U | 0x7000U | (a & 0xfffU));
  put_hex(digits + 16, 0x8000'0000'0000'0000U | (b & 0x3fff'ffff'ffff'ffffU));
  put_groups<8, 4, 4, 4, 12>(out.data(), digits);
}

std::uint64_t IdSource::random() noexcept {
  for (;;) {
    if (left_ == 0) refill();
    const std::uint64_t value = pool_[--left_];
    pool_[left_] = 0;
    if (value != 0) return value;
  }
}

void IdSource::refill() noexcept {
  generator_->fill(pool_);
  left_ = pool_.size();
}

}  // namespace lingate::middleware
