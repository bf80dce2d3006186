// The algorithms of signed tokens (RFC 7518, 3.1; RFC 8037), and which kind of key each works with. A key is of one
// kind and serves its own algorithms only: no public key is ever taken for a shared secret.
//
// Constant data; any thread, any time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lingate::middleware::auth {

enum class Algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
};

enum class KeyKind : std::uint8_t { secret, rsa, p256, p384, p521, ed25519 };

struct AlgorithmInfo {
  std::string_view name;  // "RS256", as a token's head writes it
  const char* digest;     // OpenSSL's name; nullptr: the algorithm has its own
  KeyKind key;
  std::size_t part;  // ECDSA: bytes of each of the two numbers of a signature
};

const AlgorithmInfo& info(Algorithm algorithm) noexcept;
std::optional<Algorithm> find_algorithm(std::string_view name) noexcept;  // case-sensitive; "none" is none

// A small set.
class Algorithms {
 public:
  void add(Algorithm algorithm) noexcept { bits_ |= bit(algorithm); }
  bool has(Algorithm algorithm) const noexcept { return (bits_ & bit(algorithm)) != 0; }
  bool empty() const noexcept { return bits_ == 0; }
  bool any_for(KeyKind kind) const noexcept;

 private:
  static std::uint32_t bit(Algorithm algorithm) noexcept { return 1U << static_cast<unsigned>(algorithm); }
  std::uint32_t bits_ = 0;
};

}  // namespace lingate::middleware::auth
