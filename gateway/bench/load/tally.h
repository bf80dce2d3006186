// Tally: what came of the requests of one loop: latencies, over all and by second, answers in each second, and faults
// by kind. A request belongs to the second in which it began (in an open loop: was due); an answer counts for the rate
// in the second in which it came. What began before the measured time is warm-up; its faults count all the same.
//
// Thread: the loop's. Lifetime: outlives the loop as its result.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/bench/stats.h"

namespace lingate::bench {

using LoadClock = std::chrono::steady_clock;

enum class FaultKind { connect, reset, timeout, malformed, status, behind };
inline constexpr std::size_t kFaultKinds = 6;

struct Fault {
  FaultKind kind;
  std::string text;
};

class Tally {
 public:
  void measure(LoadClock::time_point from, std::chrono::nanoseconds duration);

  void answered(LoadClock::time_point began, LoadClock::time_point now);
  void failed(const Fault& fault, std::uint64_t count = 1);

  std::uint64_t calls() const noexcept { return latency_.count(); }
  std::uint64_t answers() const noexcept { return answers_; }  // warm-up included
  std::uint64_t errors() const noexcept;
  std::uint64_t errors(FaultKind kind) const noexcept { return errors_[static_cast<std::size_t>(kind)]; }
  const Fault& first_fault() const noexcept { return first_; }
  const Histogram& latency() const noexcept { return latency_; }

  // How many failed, how, the first one's text and what to do.
  Error error() const;

  // Figures, calls and histogram. A quantile is that of the whole time, so one second of ten counts for what it is; its
  // samples are the seconds', its interval spans them.
  void fill(Row& row) const;

 private:
  // A second of the measured time (the last may be shorter).
  struct Second {
    std::unique_ptr<Histogram> latency;  // until it is settled
    std::array<double, 4> quantiles{};
    bool any = false;
    std::uint64_t answers = 0;
    std::chrono::nanoseconds length{0};

    void settle();
  };

  Second* second_of(LoadClock::time_point time) noexcept;
  static std::array<double, 4> quantiles_of(const Histogram& latency);

  LoadClock::time_point from_ = LoadClock::time_point::max();
  std::vector<Second> seconds_;
  std::size_t settled_ = 0;
  Histogram latency_;
  std::uint64_t answers_ = 0;
  std::array<std::uint64_t, kFaultKinds> errors_{};
  Fault first_{};
};

}  // namespace lingate::bench
