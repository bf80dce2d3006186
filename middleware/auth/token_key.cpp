#include "middleware/auth/token_key.h"

#include <array>
#include <cstring>
#include <utility>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fmt/format.h>

namespace lingate::middleware::auth {
namespace {

constexpr int kFewestRsaBits = 2048;  // RFC 7518, 3.3
constexpr std::size_t kMostDer = 160;

template <class T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const noexcept { kFree(object); }
};
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<KeyKind> kind_of(const EVP_PKEY* key) noexcept {
  if (EVP_PKEY_is_a(key, "RSA")) return KeyKind::rsa;
  if (EVP_PKEY_is_a(key, "ED25519")) return KeyKind::ed25519;
  if (!EVP_PKEY_is_a(key, "EC")) return std::nullopt;
  std::array<char, 32> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return std::nullopt;
  const std::string_view group(name.data(), size);
  if (group == "prime256v1" || group == "P-256") return KeyKind::p256;
  if (group == "secp384r1" || group == "P-384") return KeyKind::p384;
  if (group == "secp521r1" || group == "P-521") return KeyKind::p521;
  return std::nullopt;
}

// r and s of a fixed size each (RFC 7518, 3.4) as the DER that OpenSSL takes. 0: the signature has another size.
std::size_t to_der(std::string_view raw, std::size_t part, std::array<unsigned char, kMostDer>& der) noexcept {
  if (raw.size() != 2 * part) return 0;
  const Signature both(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(bytes(raw), static_cast<int>(part), nullptr);
  BIGNUM* const s = BN_bin2bn(bytes(raw.substr(part)), static_cast<int>(part), nullptr);
  if (!both || !r || !s || ECDSA_SIG_set0(both.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return 0;
  }
  const int size = i2d_ECDSA_SIG(both.get(), nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > der.size()) return 0;
  unsigned char* end = der.data();
  i2d_ECDSA_SIG(both.get(), &end);
  return static_cast<std::size_t>(size);
}

int no_passphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

TokenKey TokenKey::of_secret(std::string secret, std::string id) {
  TokenKey made(KeyKind::secret, std::move(id));
  made.secret_ = std::move(secret);
  return made;
}

Result<TokenKey, KeyProblem> TokenKey::of_public_key(EVP_PKEY* key, std::string id) {
  std::unique_ptr<EVP_PKEY, Free> owned(key);
  const auto kind = owned ? kind_of(owned.get()) : std::nullopt;
  if (!kind)
    return lingate::fail(KeyProblem{"the key is of a kind that no algorithm here works with",
                                    "use an RSA, P-256, P-384, P-521 or Ed25519 key"});
  if (*kind == KeyKind::rsa && EVP_PKEY_get_bits(owned.get()) < kFewestRsaBits)
    return lingate::fail(KeyProblem{fmt::format("the RSA key has {} bits", EVP_PKEY_get_bits(owned.get())),
                                    fmt::format("use one of at least {} bits", kFewestRsaBits)});
  TokenKey made(*kind, std::move(id));
  made.key_ = std::move(owned);
  return made;
}

Result<TokenKey, KeyProblem> TokenKey::of_pem(std::string_view pem) {
  constexpr std::string_view kCure = "'openssl pkey -pubout' writes one: -----BEGIN PUBLIC KEY-----";
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos)
    return lingate::fail(KeyProblem{"this is a private key, which only the issuer may have", std::string(kCure)});
  const Bio memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* const key = memory ? PEM_read_bio_PUBKEY(memory.get(), nullptr, no_passphrase, nullptr) : nullptr;
  ERR_clear_error();
  if (!key) return lingate::fail(KeyProblem{"this is no public key in PEM", std::string(kCure)});
  return of_public_key(key);
}

TokenKey::TokenKey(const TokenKey& other)
    : kind_(other.kind_), id_(other.id_), only_(other.only_), secret_(other.secret_) {
  if (other.key_ && EVP_PKEY_up_ref(other.key_.get()) == 1) key_.reset(other.key_.get());
}

TokenKey& TokenKey::operator=(const TokenKey& other) {
  if (this != &other) *this = TokenKey(other);
  return *this;
}

bool TokenKey::serves(Algorithm algorithm) const noexcept {
  return info(algorithm).key == kind_ && (!only_ || *only_ == algorithm);
}

bool TokenKey::verify_mac(const AlgorithmInfo& algorithm, std::string_view text,
                          std::string_view signature) const noexcept {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  const EVP_MD* const digest = EVP_get_digestbyname(algorithm.digest);
  if (!HMAC(digest, secret_.data(), static_cast<int>(secret_.size()), bytes(text), text.size(), mac.data(), &size))
    return false;
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool TokenKey::verify(Algorithm algorithm, std::string_view signed_text, std::string_view signature) const noexcept {
  if (!serves(algorithm)) return false;
  const AlgorithmInfo& how = info(algorithm);
  if (kind_ == KeyKind::secret) return verify_mac(how, signed_text, signature);
  if (!key_) return false;
  std::array<unsigned char, kMostDer> der;
  std::string_view form = signature;
  if (how.part > 0) form = {reinterpret_cast<const char*>(der.data()), to_der(signature, how.part, der)};
  if (form.empty()) return false;
  const Context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  bool good = context &&
              EVP_DigestVerifyInit_ex(context.get(), &options, how.digest, nullptr, nullptr, key_.get(), nullptr) == 1;
  if (good && how.name.starts_with("PS"))
    good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  good = good && EVP_DigestVerify(context.get(), bytes(form), form.size(), bytes(signed_text), signed_text.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace lingate::middleware::auth
