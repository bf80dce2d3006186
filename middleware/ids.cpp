#include "middleware/ids.h"

#include <sys/random.h>

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

}  // namespace

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
  auto* to = reinterpret_cast<unsigned char*>(pool_.data());
  for (std::size_t have = 0; have < sizeof pool_;) {
    const ssize_t got = ::getrandom(to + have, sizeof pool_ - have, 0);
    if (got > 0)
      have += static_cast<std::size_t>(got);
    else if (errno != EINTR)
      std::abort();  // a kernel without getrandom: nothing that needs an id could be trusted
  }
  left_ = pool_.size();
}

}  // namespace lingate::middleware
