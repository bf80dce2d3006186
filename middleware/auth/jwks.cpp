#include "middleware/auth/jwks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <nlohmann/json.hpp>

#include "base/arena.h"
#include "middleware/auth/base64.h"

namespace lingate::middleware::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLargestNumber = 2048;  // bytes of an RSA modulus: 16384 bits
constexpr std::size_t kLongestId = 1024;

struct FreeBuilder {
  void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
};
struct FreeParameters {
  void operator()(OSSL_PARAM* parameters) const noexcept { OSSL_PARAM_free(parameters); }
};
struct FreeNumber {
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder>;
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

std::string_view text_of(const Json& key, const char* name) {
  const auto found = key.find(name);
  return found != key.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                  : std::string_view();
}

// Empty: absent or malformed.
std::string_view bytes_of(const Json& key, const char* name, Arena& arena) {
  const auto bytes = decode_base64(text_of(key, name), Alphabet::url, arena);
  return bytes && bytes->size() <= kLargestNumber ? *bytes : std::string_view();
}

Number number_of(std::string_view bytes) noexcept {
  return Number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

EVP_PKEY* public_key(const char* type, OSSL_PARAM_BLD* builder) noexcept {
  const std::unique_ptr<OSSL_PARAM, FreeParameters> parameters(OSSL_PARAM_BLD_to_param(builder));
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return key;
}

EVP_PKEY* rsa_key(const Json& key, Arena& arena) {
  const std::string_view modulus = bytes_of(key, "n", arena);
  const std::string_view exponent = bytes_of(key, "e", arena);
  if (modulus.empty() || exponent.empty() || exponent.size() > 8) return nullptr;
  const Builder builder(OSSL_PARAM_BLD_new());
  const Number n = number_of(modulus);
  const Number e = number_of(exponent);
  if (!builder || !n || !e || !BN_is_odd(e.get()) || BN_is_one(e.get())) return nullptr;
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return public_key("RSA", builder.get());
}

// OpenSSL refuses a point that is not on the curve.
EVP_PKEY* ec_key(const Json& key, Arena& arena) {
  struct Curve {
    std::string_view name;
    const char* group;
    std::size_t part;
  };
  constexpr std::array<Curve, 3> kCurves{
      {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};
  const std::string_view name = text_of(key, "crv");
  const auto* const curve =
      std::find_if(kCurves.begin(), kCurves.end(), [name](const Curve& each) { return each.name == name; });
  const std::string_view x = bytes_of(key, "x", arena);
  const std::string_view y = bytes_of(key, "y", arena);
  if (curve == kCurves.end() || x.size() != curve->part || y.size() != curve->part) return nullptr;
  std::string point("\x04");
  point.append(x).append(y);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder) return nullptr;
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return public_key("EC", builder.get());
}

EVP_PKEY* edwards_key(const Json& key, Arena& arena) {
  const std::string_view x = bytes_of(key, "x", arena);
  if (text_of(key, "crv") != "Ed25519" || x.size() != 32) return nullptr;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(x.data()),
                                     x.size());
}

bool is_for_signatures(const Json& key) {
  if (const auto use = key.find("use"); use != key.end() && *use != "sig") return false;
  const auto operations = key.find("key_ops");
  if (operations == key.end()) return true;
  return operations->is_array() && std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

std::optional<TokenKey> read_key(const Json& key, Secrets secrets) {
  if (!key.is_object() || !is_for_signatures(key)) return std::nullopt;
  Arena arena;
  std::string id(text_of(key, "kid").substr(0, kLongestId));
  const std::string_view type = text_of(key, "kty");
  std::optional<TokenKey> made;
  if (type == "oct") {
    const std::string_view secret = bytes_of(key, "k", arena);
    if (secrets == Secrets::take && !secret.empty()) made = TokenKey::of_secret(std::string(secret), std::move(id));
  } else {
    EVP_PKEY* const opened = type == "RSA"   ? rsa_key(key, arena)
                             : type == "EC"  ? ec_key(key, arena)
                             : type == "OKP" ? edwards_key(key, arena)
                                             : nullptr;
    if (auto checked = TokenKey::of_public_key(opened, std::move(id))) made = std::move(*checked);
  }
  if (!made || !key.contains("alg")) return made;
  const auto algorithm = find_algorithm(text_of(key, "alg"));
  if (!algorithm) return std::nullopt;
  made->only_for(*algorithm);
  return made;
}

}  // namespace

Result<KeySet, KeyProblem> parse_jwks(std::string_view document, Secrets secrets) {
  const Json json = Json::parse(document, nullptr, false);
  const auto listed = json.is_object() ? json.find("keys") : json.end();
  if (!json.is_object() || listed == json.end() || !listed->is_array())
    return lingate::fail(KeyProblem{"this is no JSON Web Key Set", "it has the form {\"keys\": [{\"kty\": …}, …]}"});
  KeySet keys;
  for (const Json& each : *listed)
    if (keys.size() < kMostKeys)
      if (auto key = read_key(each, secrets)) keys.push_back(std::move(*key));
  ERR_clear_error();
  if (keys.empty())
    return lingate::fail(KeyProblem{"the key set has no key that can be used",
                                    "it needs one of type RSA (2048 bits), EC (P-256, P-384, P-521) or OKP (Ed25519) "
                                    "for signatures"});
  return keys;
}

}  // namespace lingate::middleware::auth
