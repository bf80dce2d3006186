// SessionCache: sessions by the key that leads to them, of one worker. An entry knows by which state of its two records
// it was made, so that a change of either makes it stale without anybody looking for it.
//
// Thread: its worker's. Lifetime: the counters of changes outlive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/loop.h"
#include "middleware/sessions/session.h"
#include "store/store.h"

namespace lingate::middleware {

// A session as it was when its two records had these counts of changes.
struct CachedSession {
  using Stripe = std::atomic<std::uint32_t>;

  std::optional<Session> session;
  std::optional<store::Time> expires;
  const Stripe* key_stripe = nullptr;
  const Stripe* session_stripe = nullptr;
  std::uint32_t key_changes = 0;
  std::uint32_t session_changes = 0;
  // Of a remote store: since when its changes are heard without a gap, and when this was read.
  std::uint32_t epoch = 0;
  Clock::time_point loaded{};

  bool is_fresh() const noexcept {
    return key_stripe->load(std::memory_order_acquire) == key_changes &&
           session_stripe->load(std::memory_order_acquire) == session_changes;
  }
};

// Two halves: when the young one is full it becomes the old one, and what was not asked for meanwhile is forgotten.
class SessionCache {
 public:
  explicit SessionCache(std::size_t most) : most_of_a_half_(std::max<std::size_t>(most / 2, 1)) {}

  static constexpr std::size_t kMostBytesOfAHalf = 32 * 1024 * 1024;

  CachedSession* find(std::string_view key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    const auto old = old_.find(key);
    if (old == old_.end()) return nullptr;
    auto node = old_.extract(old);
    make_room(node.mapped());
    return &young_.insert(std::move(node)).position->second;
  }

  CachedSession& put(std::string_view key, CachedSession entry) {
    make_room(entry);
    return young_.insert_or_assign(std::string(key), std::move(entry)).first->second;
  }

  void erase(std::string_view key) {
    if (const auto found = young_.find(key); found != young_.end()) young_.erase(found);
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Map = std::unordered_map<std::string, CachedSession, Hash, std::equal_to<>>;

  // Texts that an entry replaces or drops stay counted: the half is only full a little sooner.
  void make_room(const CachedSession& entry) {
    const std::size_t bytes = entry.session ? entry.session->wire().size() : 0;
    if (young_.size() >= most_of_a_half_ || young_bytes_ + bytes > kMostBytesOfAHalf) {
      old_ = std::exchange(young_, Map());
      young_bytes_ = 0;
    }
    young_bytes_ += bytes;
  }

  const std::size_t most_of_a_half_;
  std::size_t young_bytes_ = 0;
  Map young_;
  Map old_;
};

}  // namespace lingate::middleware
