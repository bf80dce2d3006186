// ProvenPasswords: which password of a user was right a moment ago, so that a caller who sends it with every request
// pays for the slow hash once. What is kept is an HMAC-SHA256 under a key that the process draws for itself, one for
// each user: neither the password nor anything that could be tried against a list outside of this process.
//
// Thread: its worker's. Lifetime: its step's; the users of a step do not change.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "base/loop.h"

namespace lingate::middleware::auth {

class ProvenPasswords {
 public:
  static constexpr std::chrono::minutes kFor{5};
  using Mark = std::array<unsigned char, 32>;
  using Key = std::array<unsigned char, 32>;

  static Key draw_key();  // from the system's source of randomness

  ProvenPasswords(const Key& key, std::size_t users);

  Mark mark(std::size_t user, std::string_view password) noexcept;
  bool knows(std::size_t user, const Mark& mark, Clock::time_point now) const noexcept;
  void learn(std::size_t user, const Mark& mark, Clock::time_point now) noexcept;

 private:
  struct Entry {
    Mark mark{};
    Clock::time_point until{};
  };
  struct Free {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };

  std::unique_ptr<EVP_MAC_CTX, Free> context_;  // keyed; starting it again costs no allocation
  std::vector<Entry> entries_;
};

}  // namespace lingate::middleware::auth
