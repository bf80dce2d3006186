// ShardedTable: values by a keyed hash, for many threads, never more than so many. Each shard is a small open-addressed
// map under a lock of its own, on cache lines of its own. What has gone idle is looked for a little with each key that
// is new; where a shard is full all the same, the value that will be idle soonest among some makes room.
//
// A Value is movable and says when it is idle: `Moment idle_at()`, from then on it is as if it were not there; kNever:
// it must stay.
//
// Thread: any. Lifetime: a value is touched under its shard's lock only, within the call.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "middleware/limits/gcra.h"
#include "middleware/limits/keyed_hash.h"

namespace lingate::middleware::limits {

template <class Value>
class ShardedTable {
 public:
  static constexpr std::size_t kShards = 256;

  explicit ShardedTable(std::size_t most) : most_each_(std::max<std::size_t>(most / kShards, 1)) {}

  // Calls use(value) on what stands under `key`, made now if need be. `dropped(value)` sees what had to make room.
  template <class Use, class Dropped>
  auto with(const Key& key, Moment now, Use&& use, Dropped&& dropped) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Slot* slot = find(shard, key);
    if (!slot) slot = &insert(shard, key, now, dropped);
    return use(slot->value);
  }
  template <class Use>
  auto with(const Key& key, Moment now, Use&& use) {
    return with(key, now, use, [](Value&) {});
  }

  // The same where it is there; false: it is not. `use` says whether it is to stay.
  template <class Use>
  bool with_present(const Key& key, Use&& use) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Slot* const slot = find(shard, key);
    if (!slot) return false;
    if (!use(slot->value)) erase(shard, static_cast<std::size_t>(slot - shard.slots.data()));
    return true;
  }

  std::size_t size() const {
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.size;
    }
    return all;
  }
  std::size_t bytes() const {
    std::size_t all = sizeof *this;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.slots.capacity() * sizeof(Slot);
    }
    return all;
  }

 private:
  static constexpr std::size_t kFirstSlots = 16;
  static constexpr std::size_t kLookedAt = 8;     // slots, with each new key
  static constexpr std::size_t kCandidates = 16;  // taken slots, where a shard is full

  struct Slot {
    Key key{};  // {}: empty
    Value value{};
    bool empty() const noexcept { return key == Key{}; }
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::vector<Slot> slots;
    std::size_t size = 0;
    std::size_t hand = 0;  // where the looking goes on
  };

  Shard& shard_of(const Key& key) noexcept { return shards_[key.high >> 56U]; }
  static std::size_t home(const Shard& shard, const Key& key) noexcept { return key.low & (shard.slots.size() - 1); }

  static Slot* find(Shard& shard, const Key& key) noexcept {
    if (shard.slots.empty()) return nullptr;
    for (std::size_t at = home(shard, key);; at = (at + 1) & (shard.slots.size() - 1)) {
      Slot& slot = shard.slots[at];
      if (slot.key == key) return &slot;
      if (slot.empty()) return nullptr;
    }
  }

  // A free slot for a key that is not there; at least a quarter of the slots is free.
  static Slot& place(Shard& shard, const Key& key) noexcept {
    std::size_t at = home(shard, key);
    while (!shard.slots[at].empty())
      at = (at + 1) & (shard.slots.size() - 1);
    shard.slots[at].key = key;
    ++shard.size;
    return shard.slots[at];
  }

  template <class Dropped>
  Slot& insert(Shard& shard, const Key& key, Moment now, Dropped& dropped) {
    if (shard.slots.empty()) shard.slots.resize(kFirstSlots);
    sweep(shard, now);
    if (shard.size >= most_each_) make_room(shard, now, dropped);
    if ((shard.size + 1) * 4 > shard.slots.size() * 3) grow(shard);
    return place(shard, key);
  }

  static void grow(Shard& shard) {
    std::vector<Slot> before(shard.slots.size() * 2);
    before.swap(shard.slots);
    shard.size = 0;
    for (Slot& slot : before)
      if (!slot.empty()) place(shard, slot.key).value = std::move(slot.value);
  }

  // What follows moves up, so that looking for a key may stop at the first empty slot.
  static void erase(Shard& shard, std::size_t at) {
    const std::size_t mask = shard.slots.size() - 1;
    for (std::size_t next = (at + 1) & mask; !shard.slots[next].empty(); next = (next + 1) & mask) {
      const std::size_t wanted = home(shard, shard.slots[next].key);
      if (((next - wanted) & mask) < ((next - at) & mask)) continue;  // it would come before its home
      shard.slots[at] = std::move(shard.slots[next]);
      at = next;
    }
    shard.slots[at] = Slot{};
    --shard.size;
  }

  static void sweep(Shard& shard, Moment now) {
    for (std::size_t k = 0; k < kLookedAt; ++k) {
      shard.hand = (shard.hand + 1) & (shard.slots.size() - 1);
      const Slot& slot = shard.slots[shard.hand];
      if (!slot.empty() && slot.value.idle_at() <= now) erase(shard, shard.hand);
    }
  }

  // Looks further than sweep() does. Where nothing may go the shard grows beyond its share: those are values that
  // something in flight holds, and as many as that.
  template <class Dropped>
  static void make_room(Shard& shard, Moment now, Dropped& dropped) {
    std::size_t soonest = 0;
    Moment when = kNever;
    std::size_t candidates = 0;
    for (std::size_t k = 0; k < shard.slots.size() && candidates < kCandidates; ++k) {
      shard.hand = (shard.hand + 1) & (shard.slots.size() - 1);
      const Slot& slot = shard.slots[shard.hand];
      if (slot.empty()) continue;
      ++candidates;
      if (slot.value.idle_at() >= when) continue;
      soonest = shard.hand;
      when = slot.value.idle_at();
      if (when <= now) break;
    }
    if (when == kNever) return;
    if (when > now) dropped(shard.slots[soonest].value);
    erase(shard, soonest);
  }

  const std::size_t most_each_;
  std::array<Shard, kShards> shards_;
};

}  // namespace lingate::middleware::limits
