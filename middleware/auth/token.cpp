#include "middleware/auth/token.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/pairs.h"
#include "middleware/auth/base64.h"

namespace lingate::middleware::auth {
namespace {

constexpr int kMostTried = 64;  // keys, where the token does not say which

tl::unexpected<TokenFault> malformed(std::string_view why) {
  return tl::unexpected<TokenFault>(TokenFault{TokenFault::Kind::malformed, why});
}

tl::unexpected<TokenFault> not_accepted(std::string_view why) {
  return tl::unexpected<TokenFault>(TokenFault{TokenFault::Kind::not_accepted, why});
}

}  // namespace

std::optional<Json> read_object(std::string_view text) {
  std::set<std::string> names;
  bool repeated = false;
  const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1)
      repeated = !names.insert(value.get_ref<const std::string&>()).second || repeated;
    return true;
  };
  Json json = Json::parse(text, look, false);
  if (repeated || !json.is_object()) return std::nullopt;
  return json;
}

Result<Token, TokenFault> read_token(std::string_view text, Algorithms allowed, Arena& arena) {
  if (text.size() > kLongestToken) return malformed("the token has more than 16 KiB");
  std::string_view rest = text;
  const std::string_view head_text = take_until(rest, '.');
  const std::string_view claims_text = take_until(rest, '.');
  const auto head = decode_base64(head_text, Alphabet::url, arena);
  const auto claims = decode_base64(claims_text, Alphabet::url, arena);
  const auto signature = decode_base64(rest, Alphabet::url, arena);
  const std::size_t signed_size = head_text.size() + 1 + claims_text.size();
  if (!head || !claims || !signature || signature->empty() || signed_size >= text.size())
    return malformed("the token is not three texts in base64url");
  const auto json = read_object(*head);
  if (!json) return malformed("the token's head is no JSON object");
  const auto name = json->find("alg");
  if (name == json->end() || !name->is_string()) return malformed("the token names no algorithm");
  const auto algorithm = find_algorithm(name->get_ref<const std::string&>());
  if (!algorithm || !allowed.has(*algorithm)) return not_accepted("the token's algorithm is not one of `algorithms`");
  // Extensions that must be understood: none is (RFC 7515, 4.1.11).
  if (json->contains("crit")) return not_accepted("the token demands extensions");
  std::string_view key_id;
  if (const auto id = json->find("kid"); id != json->end()) {
    if (!id->is_string()) return malformed("the token's kid is no text");
    key_id = arena.copy(id->get_ref<const std::string&>());
  }
  return Token{.algorithm = *algorithm,
               .key_id = key_id,
               .signed_text = text.substr(0, signed_size),
               .signature = *signature,
               .claims = *claims};
}

Result<void, TokenFault> check_signature(const Token& token, const KeySet& keys) noexcept {
  int tried = 0;
  const auto is_by_one = [&](auto fits) {
    return std::any_of(keys.begin(), keys.end(), [&](const TokenKey& key) {
      return key.serves(token.algorithm) && fits(key) && ++tried <= kMostTried &&
             key.verify(token.algorithm, token.signed_text, token.signature);
    });
  };
  const auto named = [&](const TokenKey& key) { return token.key_id.empty() || key.id() == token.key_id; };
  const auto nameless = [&](const TokenKey& key) { return key.id().empty() && !named(key); };
  if (is_by_one(named) || is_by_one(nameless)) return {};
  if (tried > 0) return not_accepted("the token's signature is wrong");
  return tl::unexpected<TokenFault>(TokenFault{TokenFault::Kind::unknown_key, "no key fits the token"});
}

}  // namespace lingate::middleware::auth
