#include "middleware/auth/proven_passwords.h"

#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace lingate::middleware::auth {

ProvenPasswords::Key ProvenPasswords::draw_key() {
  Key key;
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) std::abort();  // no randomness: nothing is safe
  return key;
}

ProvenPasswords::ProvenPasswords(const Key& key, std::size_t users) : entries_(users) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);
  std::array<char, 7> digest{"SHA256"};
  const OSSL_PARAM options[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(context_.get(), key.data(), key.size(), options) != 1) std::abort();
}

// The user's number has a fixed size, so no two pairs run into the same bytes.
ProvenPasswords::Mark ProvenPasswords::mark(std::size_t user, std::string_view password) noexcept {
  Mark mark{};
  std::size_t size = 0;
  const std::uint64_t number = user;
  EVP_MAC_init(context_.get(), nullptr, 0, nullptr);
  EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(&number), sizeof number);
  EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(password.data()), password.size());
  EVP_MAC_final(context_.get(), mark.data(), &size, mark.size());
  return mark;
}

bool ProvenPasswords::knows(std::size_t user, const Mark& mark, Clock::time_point now) const noexcept {
  const Entry& entry = entries_[user];
  return now < entry.until && CRYPTO_memcmp(entry.mark.data(), mark.data(), mark.size()) == 0;
}

void ProvenPasswords::learn(std::size_t user, const Mark& mark, Clock::time_point now) noexcept {
  entries_[user] = {.mark = mark, .until = now + kFor};
}

}  // namespace lingate::middleware::auth
