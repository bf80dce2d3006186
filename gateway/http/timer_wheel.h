// TimerWheel: the time-outs of one worker. Two wheels of slots, Loop::kTick and 1,024 ticks wide, so that arming,
// re-arming and disarming are a few stores whatever the number of timers, and a bitmap that says which slot is next.
// Timers fire late by up to two ticks, never early.
//
// Thread: the worker's. It keeps no time of its own: whoever drives it calls advance() at wake_at() or later.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/loop.h"

namespace lingate::http {

class TimerWheel {
 public:
  explicit TimerWheel(Clock::time_point start) noexcept : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void arm(Timer& timer, Clock::time_point due) noexcept;
  void disarm(Timer& timer) noexcept;
  // Fires all that are due, in no particular order within a tick.
  void advance(Clock::time_point now) noexcept;
  // When advance() should be called next; nothing: no timer is armed. It may be earlier than the first due timer.
  std::optional<Clock::time_point> wake_at() const noexcept;
  std::uint32_t armed() const noexcept { return armed_; }

 private:
  static constexpr std::uint32_t kSlots = 1024;  // in each wheel
  static constexpr std::uint32_t kWords = kSlots / 64;
  using Tick = std::uint64_t;

  Tick tick_of(Clock::time_point due) const noexcept;
  void place(Timer& timer) noexcept;
  void link(Timer& timer, std::uint32_t slot) noexcept;
  void unlink(Timer& timer) noexcept;
  void cascade() noexcept;
  void fire_slot(std::uint32_t slot) noexcept;
  std::uint32_t distance_to_next(std::uint32_t from) const noexcept;

  Clock::time_point start_;
  Tick now_ = 0;  // all ticks before this one have been fired
  std::uint32_t armed_ = 0;
  std::uint32_t far_ = 0;  // timers in the second wheel
  std::array<Timer*, 2 * kSlots> slots_{};
  std::array<std::uint64_t, kWords> occupied_{};  // first wheel only
};

}  // namespace lingate::http
