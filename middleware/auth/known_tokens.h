// KnownTokens: tokens whose signature and claims were checked a moment ago, and whom they make, so that a token that
// comes with every request is checked once. Bounded in number and bytes: what was not used for the longest goes first,
// in halves. A token is known until it expires or the keys change, never longer.
//
// Thread: its worker's. Lifetime: a session that find() returns lives until the next call.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "middleware/limits/keyed_hash.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware::auth {

class KnownTokens {
 public:
  using Wall = std::chrono::system_clock::time_point;
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kMostBytes = 16 * 1024 * 1024;

  explicit KnownTokens(limits::KeyedHash hash) : hash_(hash) {}

  const Session* find(std::string_view token, Wall now);  // nullptr: not known
  void learn(std::string_view token, const Session& session, Wall until);
  void forget_all() noexcept;

  std::size_t size() const noexcept { return young_.entries.size() + old_.entries.size(); }
  std::size_t bytes() const noexcept { return young_.bytes + old_.bytes; }

 private:
  struct Entry {
    std::string token;
    Session session;
    Wall until;
    std::size_t bytes() const noexcept { return sizeof *this + token.size() + session.wire().size() + 64; }
  };
  struct HashOfKey {
    std::size_t operator()(const limits::Key& key) const noexcept { return key.low; }
  };
  struct Half {
    std::unordered_map<limits::Key, Entry, HashOfKey> entries;
    std::size_t bytes = 0;
  };

  void put(const limits::Key& key, Entry entry);

  limits::KeyedHash hash_;
  Half young_;  // used since it was begun
  Half old_;
};

}  // namespace lingate::middleware::auth
