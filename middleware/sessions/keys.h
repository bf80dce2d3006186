// Keys: how operators make, show, change and end the sessions of callers, and the keys that lead to them. A key is told
// once, when it is made; the store has only its hash (stored_session.h).
//
// The last of a session's keys is its current one and lives as long as the session; those before it are being replaced
// (rotate()) and end at a time of their own. Every change is one batch of the store, so that a session and its keys
// never contradict each other, whoever else writes.
//
// Thread: one that may wait for the store; serves nobody else. Lifetime: the store outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "middleware/sessions/session_json.h"
#include "middleware/sessions/stored_session.h"
#include "store/store.h"

namespace lingate::middleware {

struct KeyFault {
  enum class Kind : std::uint8_t { invalid, not_found, conflict, unavailable };

  Kind kind = Kind::invalid;
  std::string field;  // of the session, or "key"; empty: the whole
  std::string message;
};

template <class T>
using KeyResult = Result<T, KeyFault>;

struct SessionView {
  Json session;
  std::size_t keys = 0;
  double created = 0;  // Unix seconds
  double updated = 0;
};

struct MadeKey {
  std::string key;
  SessionView view;
};

struct SessionQuery {
  std::string org{};  // empty: any
  std::string tag{};  // empty: any
  std::string after{};
  std::size_t limit = 100;
};

struct SessionPage {
  std::vector<SessionView> sessions;  // by id
  std::string next{};                 // `after` of the next page; empty: that was all
};

struct Rotation {
  std::string key{};                   // empty: one is made
  std::optional<double> keep_until{};  // Unix seconds until which the old keys go on; nothing: they end now
};

class Keys {
 public:
  static constexpr std::size_t kMostListed = 1000;  // sessions of a page
  static constexpr std::size_t kMostKeys = 8;       // of a session; the oldest gives way
  static constexpr std::size_t kShortestKey = 20;   // of a key that is brought along
  static constexpr std::size_t kLongestKey = 256;

  explicit Keys(store::Store& store) : store_(store) {}

  // Fields of a session, and perhaps `key`. An id that is not given is made up.
  KeyResult<MadeKey> create(Json fields);
  KeyResult<SessionView> show(const std::string& id);
  // May hold fewer than `limit` with more to come: it looks at so many records at once and no more.
  KeyResult<SessionPage> list(const SessionQuery& query);
  // RFC 7396: what is given replaces, null removes, metadata is merged by key.
  KeyResult<SessionView> update(const std::string& id, const Json& patch);
  KeyResult<void> revoke(const std::string& id);
  KeyResult<MadeKey> rotate(const std::string& id, const Rotation& rotation);

 private:
  KeyResult<StoredSession> load(const std::string& id);
  KeyResult<store::Applied> apply(std::vector<store::Change> changes);
  std::vector<std::string> living(const std::vector<std::string>& hashes);

  store::Store& store_;
};

}  // namespace lingate::middleware
