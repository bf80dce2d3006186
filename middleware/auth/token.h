// Token: a signed JSON Web Token in compact form (RFC 7519, RFC 7515): three texts in base64, joined by dots. Reading
// one decides nothing yet: check_signature() says whether one of the issuer's keys made it, by an algorithm that the
// step allows; the token's own `alg` only picks among those.
//
// Pure functions. Thread: any. Texts lie in the arena or in the token's own text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/arena.h"
#include "base/result.h"
#include "middleware/auth/algorithms.h"
#include "middleware/auth/token_key.h"

namespace lingate::middleware::auth {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kLongestToken = 16 * 1024;

// Why a token is not accepted: for the log.
struct TokenFault {
  enum class Kind { malformed, not_accepted, unknown_key };
  Kind kind = Kind::malformed;
  std::string_view why;  // static
};

struct Token {
  Algorithm algorithm;
  std::string_view key_id;       // `kid`; empty: none
  std::string_view signed_text;  // head and claims as they were signed
  std::string_view signature;    // decoded
  std::string_view claims;       // decoded, not yet JSON
};

Result<Token, TokenFault> read_token(std::string_view text, Algorithms allowed, Arena& arena);

// `unknown_key`: no key fits what the token says of its key, so another key set may have it.
Result<void, TokenFault> check_signature(const Token& token, const KeySet& keys) noexcept;

// A JSON object whose names are not repeated; nothing: it is none.
std::optional<Json> read_object(std::string_view text);

}  // namespace lingate::middleware::auth
