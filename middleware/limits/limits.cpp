#include "middleware/limits/limits.h"

namespace lingate::middleware::limits {
namespace {

// In flight at once are not more than there are connections; the table grows beyond this if it must.
constexpr std::size_t kInFlight = std::size_t{1} << 16U;

}  // namespace

Gcra::Decision RateTable::take(const Key& key, const Gcra& rate, Moment now) {
  return buckets_.with(key, now, [&](Bucket& bucket) { return rate.take(bucket.state, now); });
}

bool InFlightTable::enter(const Key& key, std::uint64_t most) {
  return counts_.with(key, 0, [most](Count& count) { return count.now < most && ++count.now != 0; });
}

void InFlightTable::leave(const Key& key) {
  counts_.with_present(key, [](Count& count) { return --count.now != 0; });
}

Limits::Limits(const LimitsOptions& options)
    : hash_(KeyedHash::of_this_process()), rates_(options.most_rates), in_flight_(kInFlight), quotas_(options.quotas) {
  store::Store* const store = options.quotas.store;
  if (store && store->counts()) shared_ = std::make_unique<SharedCounts>(*store, *store->counts(), options.budget);
}

}  // namespace lingate::middleware::limits
