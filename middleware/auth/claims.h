// Claims: what a token says of its caller (RFC 7519, section 4): whether that holds here and now, and the session that
// it makes. Every claim is also in the session's metadata, where scripts find it.
//
// Immutable options; pure functions. Thread: any.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "middleware/auth/token.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware::auth {

// What a token must say.
struct Expectations {
  std::string issuer{};                 // empty: anybody
  std::vector<std::string> audience{};  // one of these; empty: anybody
  std::chrono::seconds skew{60};        // that the issuer's clock and ours may differ
};

// Which claims become which fields of the session: a claim's name, or where it begins with '/' a JSON pointer
// (RFC 6901). Empty: the field stays empty. A token that lacks a claim leaves its field empty too, but for `id`.
struct ClaimNames {
  std::string id = "sub";
  std::string alias{};
  std::string org{};
  std::string tags{};  // a list of texts, or a text of words as `scope` is
};

struct Caller {
  Session session;
  std::optional<double> expires;  // `exp`, Unix seconds
};

// Why not, for the log.
Result<Caller, std::string> read_claims(std::string_view claims, const Expectations& expected, const ClaimNames& names,
                                        std::chrono::system_clock::time_point now);

}  // namespace lingate::middleware::auth
