// KnownTokens: tokens whose signature and claims were checked a moment ago, and whom they make. A token is known until
// it expires or the keys change, never longer.
//
// Thread and lifetime: as Known.
#pragma once

#include <chrono>

#include "middleware/known.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware::auth {

inline std::size_t session_bytes(const Session& session) {
  return session.wire().size();
}

using KnownTokens = Known<Session, std::chrono::system_clock::time_point, &session_bytes>;

}  // namespace lingate::middleware::auth
