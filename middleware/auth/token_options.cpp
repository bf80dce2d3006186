#include "middleware/auth/token_options.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "middleware/auth/jwks.h"
#include "middleware/https.h"
#include "middleware/settings_value.h"

namespace lingate::middleware::auth {
namespace {

using Keys = Result<KeySet, OptionProblem>;

tl::unexpected<OptionProblem> problem(int code, std::string_view option, std::string what, std::string cure) {
  return tl::unexpected<OptionProblem>(OptionProblem{code, option, std::move(what), std::move(cure)});
}

tl::unexpected<OptionProblem> problem(std::string_view option, KeyProblem fault) {
  return problem(code::kBadValue, option, std::move(fault.what), std::move(fault.cure));
}

// RFC 7518, 3.2: a secret is at least as long as what its algorithm makes.
Keys keys_of_secret(std::string_view secret, Algorithms algorithms) {
  const std::size_t least = algorithms.has(Algorithm::hs512) ? 64 : algorithms.has(Algorithm::hs384) ? 48 : 32;
  if (secret.size() < least)
    return problem(code::kBadSecret, "secret", fmt::format("the secret has less than {} bytes", least),
                   fmt::format("'openssl rand -hex {}' makes one", least));
  return KeySet{TokenKey::of_secret(std::string(secret))};
}

Keys keys_of_pem(std::string_view pem) {
  auto key = TokenKey::of_pem(pem);
  if (!key) return problem("key", std::move(key.error()));
  return KeySet{std::move(*key)};
}

Keys keys_of_file(std::string_view path) {
  const auto text = read_file(std::string(path), kLargestKeySet);
  if (!text)
    return problem(code::kFileNotFound, "jwks", fmt::format("the file '{}' cannot be read: {}", path, text.error()),
                   "the path is relative to the configuration file");
  auto keys = parse_jwks(*text, Secrets::take);
  if (!keys) return problem("jwks", std::move(keys.error()));
  return std::move(*keys);
}

Result<void, OptionProblem> check_only_one(const Settings& settings) {
  std::string_view first;
  for (const std::string_view key : {"secret", "key", "jwks"}) {
    if (!settings.find(key)) continue;
    if (!first.empty())
      return problem(code::kConflictingKeys, key, fmt::format("'{}' and '{}' both give the keys", first, key),
                     "keep one of them");
    first = key;
  }
  if (first.empty())
    return problem(code::kMissingKey, "algorithms", "there is no key to check tokens with",
                   "give it 'secret', 'key' or 'jwks'");
  return {};
}

bool serves(const KeySet& keys, Algorithm algorithm) {
  return std::any_of(keys.begin(), keys.end(), [algorithm](const TokenKey& key) { return key.serves(algorithm); });
}

}  // namespace

Algorithms read_algorithms(const Settings& settings) {
  Algorithms algorithms;
  for (const Settings& each : settings.list("algorithms"))
    if (const auto found = find_algorithm(each.as_text())) algorithms.add(*found);
  return algorithms;
}

Expectations read_expectations(const Settings& settings) {
  Expectations expected;
  expected.issuer = settings.text("issuer");
  expected.audience = texts_of(settings, "audience");
  expected.skew = std::chrono::duration_cast<std::chrono::seconds>(settings.duration("skew", expected.skew));
  return expected;
}

ClaimNames read_claim_names(const Settings& settings) {
  ClaimNames names;
  const Settings* claims = settings.find("claims");
  if (!claims) return names;
  names.id = claims->text("id", names.id);
  names.alias = claims->text("alias");
  names.org = claims->text("org");
  names.tags = claims->text("tags");
  return names;
}

Result<JwksUrl, OptionProblem> read_jwks_url(const Settings& jwks) {
  constexpr std::string_view kSystem = "system";
  auto url = parse_jwks_url(jwks.text("url"));
  if (!url) return problem("jwks", std::move(url.error()));
  const std::string_view authorities = jwks.text("ca", kSystem);
  if (authorities == kSystem) return std::move(*url);
  if (!url->secure)
    return problem(code::kConflictingKeys, "jwks", "'ca' is given, and the URL is not https://",
                   "write https://, or remove 'ca'");
  url->authorities = authorities;
  if (auto usable = https_context(url->authorities); !usable)
    return problem(code::kBadCertificate, "jwks", std::move(usable.error()),
                   "'ca' is a file of certificates in PEM: those of the authorities that the server's comes from");
  return std::move(*url);
}

Result<KeySet, OptionProblem> read_keys(const Settings& settings) {
  if (auto checked = check_only_one(settings); !checked) return fail(std::move(checked.error()));
  const Algorithms algorithms = read_algorithms(settings);
  const Settings* const jwks = settings.find("jwks");
  const std::string_view file = jwks ? jwks->text("file") : "";
  const std::string_view url = jwks ? jwks->text("url") : "";
  if (jwks && file.empty() == url.empty())
    return problem(file.empty() ? code::kMissingKey : code::kConflictingKeys, "jwks",
                   "'jwks' needs exactly one of 'file' and 'url'", "write 'jwks: {file: PATH}' or 'jwks: {url: URL}'");
  if (!url.empty()) {
    if (auto read = read_jwks_url(*jwks); !read) return fail(std::move(read.error()));
    if (algorithms.any_for(KeyKind::secret))
      return problem(code::kConflictingKeys, "algorithms",
                     "HS256, HS384 and HS512 need a secret, which no URL publishes", "remove them, or give a 'secret'");
    return KeySet{};
  }
  auto keys = settings.find("secret") ? keys_of_secret(settings.text("secret"), algorithms)
              : settings.find("key")  ? keys_of_pem(settings.text("key"))
                                      : keys_of_file(file);
  if (!keys) return keys;
  for (const Settings& each : settings.list("algorithms"))
    if (const auto algorithm = find_algorithm(each.as_text()); algorithm && !serves(*keys, *algorithm))
      return problem(code::kConflictingKeys, "algorithms", fmt::format("no key given works with {}", each.as_text()),
                     "remove it; HS* needs a 'secret', RS* and PS* an RSA key, ES* one on its curve, EdDSA Ed25519");
  return keys;
}

}  // namespace lingate::middleware::auth
