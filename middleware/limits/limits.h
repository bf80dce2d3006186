// Limits: what the limiting steps of a gateway count, all workers together: one for the process, whatever
// configuration is current. Steps find their counters by their name (StepSurroundings::name), so that a reload goes on
// counting where it was.
//
// Thread: any. Lifetime: outlives every snapshot; the store and the log outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "middleware/limits/gcra.h"
#include "middleware/limits/keyed_hash.h"
#include "middleware/limits/quota_ledger.h"
#include "middleware/limits/sharded_table.h"
#include "middleware/limits/shared_counts.h"

namespace lingate::middleware::limits {

// How full the buckets are. A caller is forgotten when theirs is full again.
class RateTable {
 public:
  explicit RateTable(std::size_t most) : buckets_(most) {}

  Gcra::Decision take(const Key& key, const Gcra& rate, Moment now);
  std::size_t size() const { return buckets_.size(); }
  std::size_t bytes() const { return buckets_.bytes(); }

 private:
  struct Bucket {
    Gcra::State state;
    Moment idle_at() const noexcept { return state.whole + (state.part != 0 ? 1U : 0U); }
  };
  ShardedTable<Bucket> buckets_;
};

// How many requests are in flight.
class InFlightTable {
 public:
  explicit InFlightTable(std::size_t most) : counts_(most) {}

  // False: as many as `most` are. Else leave() is owed.
  bool enter(const Key& key, std::uint64_t most);
  void leave(const Key& key);
  std::size_t size() const { return counts_.size(); }

 private:
  struct Count {
    std::uint64_t now = 0;
    Moment idle_at() const noexcept { return now == 0 ? 0 : kNever; }
  };
  ShardedTable<Count> counts_;
};

struct LimitsOptions {
  std::size_t most_rates = std::size_t{1} << 20U;  // callers that are held; 64 MiB when as many came
  QuotaLedgerOptions quotas{};                     // a store of theirs that can count for several gateways does
  std::chrono::milliseconds budget{50};            // for its answers
};

class Limits {
 public:
  explicit Limits(const LimitsOptions& options = {});

  // The number of a step, or of a session's own quota, by what tells it from others.
  std::uint64_t number_of(std::string_view name) const noexcept { return hash_(0, 0, name).high; }
  const KeyedHash& hash() const noexcept { return hash_; }

  RateTable& rates() noexcept { return rates_; }
  InFlightTable& in_flight() noexcept { return in_flight_; }
  QuotaLedger& quotas() noexcept { return quotas_; }
  SharedCounts* shared() noexcept { return shared_.get(); }  // nullptr: this gateway counts alone

 private:
  const KeyedHash hash_;
  RateTable rates_;
  InFlightTable in_flight_;
  QuotaLedger quotas_;
  std::unique_ptr<SharedCounts> shared_;
};

}  // namespace lingate::middleware::limits
