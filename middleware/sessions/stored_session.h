// StoredSession: what a store keeps for a caller: the session as it crosses to scripts, and what only the gateway
// knows of it. In Space::sessions under the session's id; in Space::keys each key's hash leads to that id. A key itself
// is kept nowhere.
//
//   message StoredSession {      // protobuf's wire format, which may grow by new numbers
//     plugin.Session session = 1;
//     repeated bytes keys = 2;   // SHA-256 of each
//     double created = 3;        // Unix seconds
//     double updated = 4;
//   }
//
// Plain values. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::middleware {

struct StoredSession {
  std::string session;            // encoded plugin.Session
  std::vector<std::string> keys;  // 32 bytes each
  double created = 0;
  double updated = 0;
};

std::string encode(const StoredSession& stored);
std::optional<StoredSession> decode_stored_session(std::string_view bytes);  // nothing: malformed
// The session alone, which is all that a request wants; empty: malformed. Borrows `bytes`.
std::string_view session_of(std::string_view bytes) noexcept;

// The name of a key in the store: SHA-256, 32 bytes. Keys have 160 random bits, so nothing slower is needed to keep
// them from being guessed.
std::string hash_of_key(std::string_view key);

}  // namespace lingate::middleware
