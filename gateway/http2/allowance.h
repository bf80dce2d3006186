// Allowance: how often something may happen: a store of tokens that time fills again, up to its size. What HTTP/2 lets
// a peer do for nothing (resets, pings, settings) is paid for out of one.
//
// Thread: one at a time. A plain value.
#pragma once

#include <algorithm>
#include <chrono>

namespace lingate::http2 {

class Allowance {
 public:
  using Clock = std::chrono::steady_clock;

  Allowance(double most, double a_second) noexcept : most_(most), rate_(a_second), left_(most) {}

  // False: nothing is left.
  bool spend(Clock::time_point now) noexcept {
    if (now > at_) {
      if (at_ != Clock::time_point{}) earn(std::chrono::duration<double>(now - at_).count() * rate_);
      at_ = now;
    }
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }
  void earn(double tokens) noexcept { left_ = std::min(most_, left_ + tokens); }

 private:
  double most_;
  double rate_;
  double left_;
  Clock::time_point at_{};
};

}  // namespace lingate::http2
