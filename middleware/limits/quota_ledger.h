// QuotaLedger: requests counted by period, across restarts. Counting happens in memory and waits for nobody; what has
// changed is written to the store about once a second by a thread of its own, and the rest when the ledger goes. A
// caller of whom nothing is known in memory is looked up in the store.
//
// A remote store counts by itself (SharedCounts); this is then what counts while it is away, from what it last said,
// and what was added meanwhile is written to it.
//
// What is written is what was added, so that a store that could not be read, or that others write to as well, loses
// nothing. A process that is killed forgets at most what it counted since the last writing.
//
// Thread: any. Lifetime: the store and the log outlive it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "middleware/app_log.h"
#include "middleware/limits/counted_by.h"
#include "middleware/limits/sharded_table.h"
#include "store/store.h"

namespace lingate::middleware::limits {

// What is granted, and until when.
struct QuotaTerms {
  std::uint64_t most = 0;
  std::chrono::nanoseconds every{};          // from the first request of a period; zero: there is no next period
  std::optional<store::Time> renews{};       // in the future: the period that begins now ends then
  std::optional<std::uint64_t> remaining{};  // of a caller who was never counted before: what is left to them
};

struct QuotaNow {
  store::Time wall{};
  Moment steady = 0;
};

struct QuotaLedgerOptions {
  store::Store* store = nullptr;  // nullptr: in memory only
  AppLog* log = nullptr;
  std::size_t most = std::size_t{1} << 18U;  // callers that are held
  std::chrono::milliseconds write_every{1000};
};

class QuotaLedger {
 public:
  struct Decision {
    bool allowed = false;
    std::uint64_t remaining = 0;
    std::uint64_t renews_in = kNever;  // nanoseconds
  };

  explicit QuotaLedger(const QuotaLedgerOptions& options);
  ~QuotaLedger();  // writes what is unwritten
  QuotaLedger(const QuotaLedger&) = delete;
  QuotaLedger& operator=(const QuotaLedger&) = delete;

  // Counts one request. `key` is the hash of `name` and the caller, which are what the store knows them by, whatever
  // process asks.
  Decision take(const Key& key, std::string_view name, const Caller& caller, const QuotaTerms& terms,
                const QuotaNow& now);

  // What a store that is shared has counted: taken for what is known here.
  void learn(const Key& key, std::string_view name, const Caller& caller, const QuotaTerms& terms,
             const Decision& counted, const QuotaNow& now);

  // What the store knows a count by. Readable where it fits, since people look into stores: "session/s:7f3a".
  static std::string record_name(std::string_view name, const Caller& caller);

  void write_now();  // what is unwritten so far
  std::size_t size() const { return counts_.size(); }

 private:
  struct Count {
    std::string stored_as;
    std::uint64_t used = 0;
    std::uint64_t unwritten = 0;  // of `used`
    Moment ends = 0;
    store::Time ends_wall{};
    bool known = false;  // a period has begun
    bool fresh = false;  // the store may still have the period before this one
    bool dirty = false;  // listed in dirty_

    Moment idle_at() const noexcept { return known ? std::min(ends, kNever - 1) : 0; }
  };
  struct Written {
    Key key;
    std::uint64_t unwritten;
    bool fresh;
  };

  Decision count(Count& count, const Key& key, const QuotaTerms& terms, const QuotaNow& now);
  void begin_period(Count& count, const QuotaTerms& terms, const QuotaNow& now) const;
  std::optional<Count> look_up(std::string_view stored_as, const QuotaNow& now);
  store::Change change_of(const Count& count) const;
  void drop(const Count& victim);
  bool is_shared() const noexcept { return store_ && store_->is_remote(); }
  void collect(const Key& key, std::vector<Written>& written, std::vector<store::Change>& changes);
  void write(std::vector<Written>& written, std::vector<store::Change>& changes);
  void put_back(const Written& written);
  void note(const Result<store::Applied>& outcome);
  void run();

  store::Store* const store_;
  AppLog* const log_;
  const std::chrono::milliseconds write_every_;
  ShardedTable<Count> counts_;
  std::mutex dirty_mutex_;
  std::vector<Key> dirty_;
  std::atomic<bool> failing_{false};
  std::mutex writing_;  // one write at a time
  std::mutex stop_mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread writer_;  // last: it uses all of the above
};

}  // namespace lingate::middleware::limits
