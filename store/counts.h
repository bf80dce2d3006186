// Counts: limits that several gateways on one store count together. Whoever has requests to let through asks for units
// of a count by its name; the store gives as many as are left, in one step that nobody can come between.
//
// Errors: code::kStoreUnavailable; whether the units were counted is not known then.
// Thread: any. Lifetime: the store's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <variant>

#include "base/result.h"
#include "store/store.h"

namespace lingate::store {

// A bucket that fills steadily.
struct SharedRate {
  double one = 0;           // microseconds that one unit is worth; more than zero
  std::uint64_t burst = 0;  // units at once
};

// So many in a period, in a record of Space::quotas as QuotaLedger writes them.
struct SharedPeriod {
  std::uint64_t most = 0;
  std::chrono::milliseconds every{};         // zero: the first one never ends, unless `renews` says so
  std::optional<Time> renews{};              // in the future: the period that begins now ends then
  std::optional<std::uint64_t> remaining{};  // of the first period
};

struct CountAsk {
  std::string name;  // of a rate: any; of a period: the record's key
  std::uint64_t units = 1;
  std::variant<SharedRate, SharedPeriod> terms{};
  std::chrono::steady_clock::time_point deadline{};
};

struct Counted {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t granted = 0;
  std::uint64_t remaining = 0;
  std::uint64_t reset = 0;  // nanoseconds until the bucket is full, or until the period ends
  std::uint64_t wait = 0;   // nanoseconds until there is one more
};

class Counts {
 public:
  using Done = std::function<void(Result<Counted>)>;

  // `done` is called once, by the deadline, on any thread, perhaps before this returns; it must not block.
  virtual void count(CountAsk ask, Done done) = 0;

 protected:
  ~Counts() = default;
};

}  // namespace lingate::store
