// AddressCounts: how many connections each client address holds, over all workers, so that none can take all there are
// (`limits.connections_per_address`). An IPv6 client is its /64, which one person owns whole. Asked when a connection
// comes and when it goes, never by a request; without a limit nobody asks.
//
// Thread: any; a lock for each of a few groups of addresses. Lifetime: that of the gateway, longer than its workers'.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "gateway/http/peer.h"

namespace lingate::http {

class AddressCounts {
 public:
  // True: it held fewer than `most`, and holds one more until leave().
  bool enter(const Peer& peer, std::uint32_t most);
  void leave(const Peer& peer) noexcept;

 private:
  struct Key {
    std::uint64_t high = 0, low = 0;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Group {
    std::mutex mutex;
    std::unordered_map<Key, std::uint32_t, Hash> held;
  };

  static Key key_of(const Peer& peer) noexcept;
  Group& group_of(const Key& key) noexcept { return groups_[Hash{}(key) % kGroups]; }

  static constexpr std::size_t kGroups = 64;
  std::array<Group, kGroups> groups_;
};

}  // namespace lingate::http
