// Schedule: when the requests of an open loop are due: evenly spaced, each time computed from the first, so that errors
// do not add up and a late request does not move those after it.
//
// Thread: plain value.
#pragma once

#include <chrono>
#include <cstdint>

namespace lingate::bench {

class Schedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Schedule(Time first, double rate) : first_(first), apart_(1e9 / rate) {}

  Time due(std::uint64_t index) const noexcept {
    return first_ + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(index) * apart_));
  }

 private:
  Time first_;
  double apart_;  // ns
};

}  // namespace lingate::bench
