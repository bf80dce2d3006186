// SessionDirectory: who calls, by the key that they present. It reads the store's sessions through a cache of each
// worker, where they lie as the bytes that cross to scripts; a change in the store is seen by the next request, because
// an entry knows by which state of the two records that it was made from.
//
// What scripts edit of a stored session is saved by key of its metadata, onto whatever the session is by then.
//
// Thread: find() on the worker with that index; save() any; both while the store lives. Lifetime: outlives the
// exchanges, and the store, which tells it of changes and of what was saved to its end. A session that find() returns
// is the cache's, until the next call of that worker.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "middleware/app_log.h"
#include "middleware/sessions/saver.h"
#include "middleware/sessions/session.h"
#include "store/store.h"

namespace lingate::middleware {

class SessionDirectory final : public SessionSaver {
 public:
  static constexpr std::size_t kMaxKey = 512;  // bytes; no longer key is looked for

  struct Options {
    std::uint32_t workers = 1;
    std::size_t most_cached = 65'536;  // sessions of each worker; at most 64 MiB of them
  };

  // Listens to the store's changes.
  SessionDirectory(store::Store& store, AppLog& log, Options options);
  ~SessionDirectory();
  SessionDirectory(const SessionDirectory&) = delete;
  SessionDirectory& operator=(const SessionDirectory&) = delete;

  // nullptr: no session has this key, or it has expired. Fails with code::kStoreUnavailable.
  Result<const Session*> find(std::uint32_t worker, std::string_view key, store::Time now);

  void save(std::string id, std::vector<std::string> edits) noexcept override;

 private:
  class Cache;
  struct Entry;
  // Counters of changes, many keys to one: a stranger's change costs a look into the store, no more.
  static constexpr std::size_t kStripes = 4096;
  using Stripe = std::atomic<std::uint32_t>;

  Stripe& stripe(store::Space space, std::string_view key) noexcept;
  Result<bool> load(std::string_view key, Entry& entry);

  store::Store& store_;
  AppLog& log_;
  std::unique_ptr<Stripe[]> stripes_;
  std::vector<std::unique_ptr<Cache>> caches_;
};

}  // namespace lingate::middleware
