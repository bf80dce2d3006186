#include "gateway/http/address_counts.h"

#include <cstring>
#include <functional>
#include <string_view>

namespace lingate::http {

std::size_t AddressCounts::Hash::operator()(const Key& key) const noexcept {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&key), sizeof key});
}

AddressCounts::Key AddressCounts::key_of(const Peer& peer) noexcept {
  Key key;
  std::memcpy(&key, peer.address.data(), sizeof key);
  const bool v6 = key.high != 0;  // else ::ffff:a.b.c.d, or ::1
  if (v6) key.low = 0;
  return key;
}

bool AddressCounts::enter(const Peer& peer, std::uint32_t most) {
  const Key key = key_of(peer);
  Group& group = group_of(key);
  const std::lock_guard lock(group.mutex);
  std::uint32_t& held = group.held[key];
  if (held >= most) return false;
  ++held;
  return true;
}

void AddressCounts::leave(const Peer& peer) noexcept {
  const Key key = key_of(peer);
  Group& group = group_of(key);
  const std::lock_guard lock(group.mutex);
  const auto found = group.held.find(key);
  if (found != group.held.end() && --found->second == 0) group.held.erase(found);
}

}  // namespace lingate::http
