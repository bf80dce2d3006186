#include "middleware/auth/algorithms.h"

#include <algorithm>
#include <array>

namespace lingate::middleware::auth {
namespace {

constexpr std::array<AlgorithmInfo, 13> kAll{{
    {"HS256", "SHA256", KeyKind::secret, 0},
    {"HS384", "SHA384", KeyKind::secret, 0},
    {"HS512", "SHA512", KeyKind::secret, 0},
    {"RS256", "SHA256", KeyKind::rsa, 0},
    {"RS384", "SHA384", KeyKind::rsa, 0},
    {"RS512", "SHA512", KeyKind::rsa, 0},
    {"PS256", "SHA256", KeyKind::rsa, 0},
    {"PS384", "SHA384", KeyKind::rsa, 0},
    {"PS512", "SHA512", KeyKind::rsa, 0},
    {"ES256", "SHA256", KeyKind::p256, 32},
    {"ES384", "SHA384", KeyKind::p384, 48},
    {"ES512", "SHA512", KeyKind::p521, 66},
    {"EdDSA", nullptr, KeyKind::ed25519, 0},
}};

}  // namespace

const AlgorithmInfo& info(Algorithm algorithm) noexcept {
  return kAll[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> find_algorithm(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kAll.begin(), kAll.end(), [name](const AlgorithmInfo& each) { return each.name == name; });
  if (found == kAll.end()) return std::nullopt;
  return static_cast<Algorithm>(found - kAll.begin());
}

bool Algorithms::any_for(KeyKind kind) const noexcept {
  for (std::size_t k = 0; k < kAll.size(); ++k)
    if (kAll[k].key == kind && has(static_cast<Algorithm>(k))) return true;
  return false;
}

}  // namespace lingate::middleware::auth
