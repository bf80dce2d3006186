// The kind `memory`: a sorted map for each space under one lock.
#include <map>
#include <mutex>
#include <utility>

#include "base/codes.h"
#include "store/check.h"
#include "store/store.h"

namespace lingate::store {
namespace {

class MemoryStore final : public Store {
 public:
  std::string_view kind() const noexcept override { return "memory"; }

  Result<std::optional<Record>> read(Space space, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const Map& map = at(space);
    const auto found = map.find(key);
    if (found == map.end() || is_over(found->second, Clock::now())) return std::nullopt;
    return found->second;
  }

  Result<std::vector<Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                  std::size_t most) override {
    const std::lock_guard lock(mutex_);
    std::vector<Entry> found;
    const Map& map = at(space);
    const Time now = Clock::now();
    for (auto it = after < prefix ? map.lower_bound(prefix) : map.upper_bound(after); it != map.end(); ++it) {
      if (found.size() == most || !it->first.starts_with(prefix)) break;
      if (!is_over(it->second, now)) found.push_back({it->first, it->second});
    }
    return found;
  }

  void apply(std::vector<Change> changes, Done done) override { done(apply_now(changes)); }

  void on_change(Changed changed) override { changed_ = std::move(changed); }

 private:
  using Clock = std::chrono::system_clock;
  using Map = std::map<std::string, Record, std::less<>>;
  using Before = std::vector<std::optional<Record>>;

  Map& at(Space space) { return maps_[static_cast<std::size_t>(space)]; }

  Result<Applied> apply_now(const std::vector<Change>& changes) {
    const std::lock_guard lock(mutex_);
    const Time now = Clock::now();
    Before before;
    for (const Change& change : changes) {
      auto refusal = check_key(change.key);
      bool made = refusal.has_value();
      if (made) {
        std::optional<Record> record = take(change);
        before.push_back(record);
        if (record && is_over(*record, now)) record.reset();
        made = change.edit(record);
        if (record) refusal = check_value(record->value);
        made = made && refusal;
        if (made && record) at(change.space).emplace(change.key, std::move(*record));
      }
      if (made) continue;
      undo(changes, before);
      if (!refusal) return fail(std::move(refusal.error()));
      return Applied::refused;
    }
    if (changed_)
      for (const Change& change : changes)
        changed_(change.space, change.key);
    sweep(now);
    return Applied::done;
  }

  std::optional<Record> take(const Change& change) {
    auto node = at(change.space).extract(change.key);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  // The last change first: a key may have been changed twice.
  void undo(const std::vector<Change>& changes, Before& before) {
    while (!before.empty()) {
      const Change& change = changes[before.size() - 1];
      at(change.space).erase(change.key);
      if (before.back()) at(change.space).emplace(change.key, std::move(*before.back()));
      before.pop_back();
    }
  }

  // A few records of each space with every batch, so that what has expired goes away in time.
  void sweep(Time now) {
    constexpr int kEach = 4;
    for (std::size_t space = 0; space < kSpaces; ++space) {
      Map& map = maps_[space];
      auto it = map.lower_bound(swept_[space]);
      for (int k = 0; k < kEach && it != map.end(); ++k)
        it = is_over(it->second, now) ? map.erase(it) : std::next(it);
      swept_[space] = it == map.end() ? std::string() : it->first;
    }
  }

  std::mutex mutex_;
  Map maps_[kSpaces];
  std::string swept_[kSpaces];
  Changed changed_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace lingate::store
