// TokenKey: a key that tokens are checked with: a public key, or a secret that the issuer shares. It comes from a PEM
// file, from a JSON Web Key (RFC 7517) or from a secret of the configuration, and never leaves its kind (algorithms.h).
//
// Immutable; copies share the key. Thread: any.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "base/result.h"
#include "middleware/auth/algorithms.h"

namespace lingate::middleware::auth {

struct KeyProblem {
  std::string what;
  std::string cure;
};

class TokenKey {
 public:
  static TokenKey of_secret(std::string secret, std::string id = {});
  static Result<TokenKey, KeyProblem> of_pem(std::string_view pem);
  // Takes the key over. Fails where its kind is none of those of algorithms.h, or an RSA key has less than 2048 bits.
  static Result<TokenKey, KeyProblem> of_public_key(EVP_PKEY* key, std::string id = {});

  TokenKey(const TokenKey& other);
  TokenKey& operator=(const TokenKey& other);
  TokenKey(TokenKey&&) noexcept = default;
  TokenKey& operator=(TokenKey&&) noexcept = default;
  ~TokenKey() = default;

  KeyKind kind() const noexcept { return kind_; }
  std::string_view id() const noexcept { return id_; }  // `kid`; empty: it has none
  void only_for(Algorithm algorithm) noexcept { only_ = algorithm; }
  bool serves(Algorithm algorithm) const noexcept;

  // False too where the key does not serve the algorithm.
  bool verify(Algorithm algorithm, std::string_view signed_text, std::string_view signature) const noexcept;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  };
  TokenKey(KeyKind kind, std::string id) : kind_(kind), id_(std::move(id)) {}
  bool verify_mac(const AlgorithmInfo& algorithm, std::string_view text, std::string_view signature) const noexcept;

  KeyKind kind_;
  std::string id_;
  std::optional<Algorithm> only_{};
  std::string secret_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

using KeySet = std::vector<TokenKey>;

}  // namespace lingate::middleware::auth
