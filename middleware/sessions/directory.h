// SessionDirectory: who calls, by the key that they present. It reads the store's sessions through a cache of each
// worker, where they lie as the bytes that cross to scripts; a change in the store is seen by the next request, because
// an entry knows by which state of the two records that it was made from.
//
// A remote store is asked while the request waits: recall() says what is known here, ask() looks the rest up. What
// others change is heard at once. While the store is away, a session that is known here is accepted for the time
// `stale` more, and nobody else is.
//
// What scripts edit of a stored session is saved by key of its metadata, onto whatever the session is by then.
//
// Thread: find(), recall(), ask() and forget() on the worker with that index; save() any; all while the store lives.
// close() where no loop runs any more. Lifetime: outlives the
// exchanges, and the store, which tells it of changes and of what was saved to its end. A session that find() returns
// is the cache's, until the next call of that worker.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "middleware/app_log.h"
#include "middleware/sessions/saver.h"
#include "middleware/sessions/session.h"
#include "middleware/sessions/unknown_keys.h"
#include "store/store.h"

namespace lingate::middleware {

struct CachedSession;
class SessionCache;

class SessionDirectory final : public SessionSaver {
 public:
  static constexpr std::size_t kMaxKey = 512;  // bytes; no longer key is looked for

  struct Options {
    std::uint32_t workers = 1;
    std::size_t most_cached = 65'536;  // sessions of each worker; at most 64 MiB of them
    std::chrono::nanoseconds stale{};  // how long sessions are good while a remote store is away
  };

  // Listens to the store's changes.
  SessionDirectory(store::Store& store, AppLog& log, Options options);
  ~SessionDirectory();
  SessionDirectory(const SessionDirectory&) = delete;
  SessionDirectory& operator=(const SessionDirectory&) = delete;

  // nullptr: no session has this key, or it has expired. Fails with code::kStoreUnavailable.
  Result<const Session*> find(std::uint32_t worker, std::string_view key, store::Time now);

  // ---- over a remote store ----

  bool is_remote() const noexcept { return remote_; }  // then these, and not find()

  // Who asked.
  class Asker {
   public:
    virtual void found(const Result<const Session*>& session) noexcept = 0;  // on the loop's thread; as find() gives it

   protected:
    ~Asker() = default;
  };
  class Lookup;  // one question on its way

  // Nothing: the store has to be asked.
  std::optional<Result<const Session*>> recall(std::uint32_t worker, std::string_view key, store::Time now);
  // The answer follows, later than this call, unless forget() comes first.
  Lookup& ask(Loop& loop, Asker& asker, std::string_view key);
  static void forget(Lookup& lookup) noexcept;
  // No lookup is waited for any more.
  void close() noexcept;

  void save(std::string id, std::vector<std::string> edits) noexcept override;

 private:
  // Counters of changes, many keys to one: a stranger's change costs a look into the store, no more.
  static constexpr std::size_t kStripes = 4096;
  using Stripe = std::atomic<std::uint32_t>;

  Stripe& stripe(store::Space space, std::string_view key) noexcept;
  void changed(store::Space space, std::string_view key) noexcept;
  Result<bool> load(std::string_view key, CachedSession& entry);

  // lookups.cpp
  void begin_epoch() noexcept;
  bool is_trusted(const CachedSession& entry, const std::optional<Clock::time_point>& away) const noexcept;
  UnknownKeys::State state_of(std::string_view hash) noexcept;
  void answered(Lookup* lookup, std::string_view hash, Result<store::Linked> linked);
  Result<const Session*> settle(Lookup& lookup);

  store::Store& store_;
  AppLog& log_;
  const bool remote_;
  const std::chrono::nanoseconds stale_;
  std::vector<Stripe> stripes_;
  std::vector<std::unique_ptr<SessionCache>> caches_;

  // Of a remote store.
  std::vector<UnknownKeys> unknown_;                // by worker
  std::atomic<std::uint32_t> epoch_{0};             // times that changes began to be heard
  std::atomic<Clock::duration::rep> gap_began_{0};  // when those of the epoch before ceased to be
  std::mutex asking_;
  std::unordered_set<Lookup*> asked_;
};

}  // namespace lingate::middleware
