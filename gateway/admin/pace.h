// Pace: how fast those are served who have shown no token. Each answer of theirs, and each new connection, takes a
// place in one line that moves a thousand times a second; whoever is early waits, unread. So whatever comes in, the
// processor that it takes from the data path is bounded, and a scrape or a probe among it is still answered.
//
// A leaky bucket (as a queue: Turner, "New directions in communications", 1986). Thread: one. Any lifetime.
#pragma once

#include <algorithm>
#include <chrono>

namespace lingate::admin {

class Pace {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Span = std::chrono::steady_clock::duration;

  static constexpr Span kPlace = std::chrono::milliseconds(1);
  static constexpr int kAtOnce = 250;  // places that are free after a quiet time

  // How long the one who comes now has to wait; zero: not at all.
  Span take(Moment now) noexcept {
    const Moment earliest = now - kPlace * kAtOnce;
    next_ = std::max(next_, earliest) + kPlace;
    return std::max(next_ - now, Span::zero());
  }

 private:
  Moment next_{};  // when the place after the last one that was taken is free
};

}  // namespace lingate::admin
