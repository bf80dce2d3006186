// WallClock: the calendar's time for a moment of the steady clock, without a reading for each: the distance between the
// two clocks is looked at once a second, so a change of the system's clock shows within one.
//
// Thread: its owner's. Lifetime: a value.
#pragma once

#include <chrono>

namespace lingate {

class WallClock {
 public:
  std::chrono::system_clock::time_point at(std::chrono::steady_clock::time_point moment) noexcept {
    if (moment >= look_again_) look();
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(moment.time_since_epoch() + distance_));
  }

 private:
  void look() noexcept {
    const auto steady = std::chrono::steady_clock::now();
    distance_ = std::chrono::system_clock::now().time_since_epoch() - steady.time_since_epoch();
    look_again_ = steady + std::chrono::seconds(1);
  }

  std::chrono::nanoseconds distance_{};
  std::chrono::steady_clock::time_point look_again_{};
};

}  // namespace lingate
