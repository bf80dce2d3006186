// JSON Web Key Sets (RFC 7517): the document in which an issuer publishes its keys, read into keys that tokens can be
// checked with. Keys of other kinds, for other uses and too weak ones are left out, as RFC 7517, section 5, asks for.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "middleware/auth/token_key.h"

namespace lingate::middleware::auth {

inline constexpr std::size_t kMostKeys = 128;
inline constexpr std::size_t kLargestKeySet = 1024 * 1024;

// Shared secrets ("oct") count only in a document that strangers do not see.
enum class Secrets : std::uint8_t { refuse, take };

// Fails where it is no key set, or has no key that can be used.
Result<KeySet, KeyProblem> parse_jwks(std::string_view document, Secrets secrets);

}  // namespace lingate::middleware::auth
