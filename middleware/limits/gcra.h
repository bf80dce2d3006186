// Gcra: a rate as the generic cell rate algorithm counts it. All that is kept of a caller is one moment: when their
// bucket will be full again. A request moves it on by the time that one request is worth, and is let through while it
// lies at most `burst` requests ahead. So a bucket has no windows whose edges could be used.
//
// Exact: a moment is whole nanoseconds and a part of one in `count`ths, so 3 in a second are 3 in every second and in
// a day 259,200.
//
// Immutable. Thread: any; the state's lock is the caller's affair.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "base/loop.h"

namespace lingate::middleware::limits {

// Nanoseconds of the steady clock.
using Moment = std::uint64_t;
inline constexpr Moment kNever = UINT64_MAX;

inline Moment moment(Clock::time_point time) noexcept {
  return static_cast<Moment>(time.time_since_epoch().count());
}

// `count` requests in each `per`, of which `burst` may come at once.
struct Rate {
  std::uint64_t count = 0;  // 0: none at all
  std::chrono::nanoseconds per{};
  std::uint64_t burst = 0;
};

class Gcra {
 public:
  static constexpr std::uint64_t kMost = 1'000'000'000;  // of count and burst; what is above is taken for it

  struct State {
    Moment whole = 0;  // when the bucket is full again; in the past: it is
    std::uint32_t part = 0;
    friend auto operator<=>(const State&, const State&) = default;
  };

  struct Decision {
    bool allowed = false;
    std::uint64_t remaining = 0;  // requests that could follow at once
    std::uint64_t wait = 0;       // refused: nanoseconds until one would be let through; kNever: none ever will
    std::uint64_t reset = 0;      // nanoseconds until the bucket is full
  };

  explicit Gcra(const Rate& rate) noexcept;

  std::uint64_t burst() const noexcept { return burst_; }
  // What one request is worth, in microseconds. Not where nothing is let through.
  double one() const noexcept { return static_cast<double>(per_) / static_cast<double>(count_) / 1000.0; }
  Decision take(State& state, Moment now) const noexcept;

 private:
  State sum(const State& a, const State& b) const noexcept;
  State difference(const State& a, const State& b) const noexcept;
  std::uint64_t requests_in(const State& time) const noexcept;

  std::uint64_t count_;
  std::uint64_t per_;
  std::uint64_t burst_;
  State one_{};    // what one request is worth
  State ahead_{};  // what `burst` of them are
};

}  // namespace lingate::middleware::limits
