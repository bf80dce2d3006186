#include "middleware/ids.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace lingate::middleware {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// The lowest `digits` nibbles of `value`, most significant first.
char* put_hex(char* to, std::uint64_t value, unsigned digits) noexcept {
  for (unsigned shift = digits * 4; shift != 0;) {
    shift -= 4;
    *to++ = kHex[(value >> shift) & 0xfU];
  }
  return to;
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
  char* to = put_hex(out.data(), stamp >> 16U, 8);
  *to++ = '-';
  to = put_hex(to, stamp, 4);
  *to++ = '-';
  to = put_hex(to, 0x7000U | (a & 0xfffU), 4);
  *to++ = '-';
  to = put_hex(to, 0x8000U | ((a >> 12U) & 0x3fffU), 4);
  *to++ = '-';
  put_hex(to, b, 12);
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
