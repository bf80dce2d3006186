#include "gateway/http/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace lingate::http {

TimerWheel::Tick TimerWheel::tick_of(Clock::time_point due) const noexcept {
  if (due <= start_) return 0;
  const auto ticks = (due - start_ + Loop::kTick - Clock::duration(1)) / Loop::kTick;  // rounded up: never early
  return static_cast<Tick>(ticks);
}

void TimerWheel::arm(Timer& timer, Clock::time_point due) noexcept {
  if (timer.armed()) disarm(timer);
  timer.due_ = due;
  place(timer);
  ++armed_;
}

void TimerWheel::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  unlink(timer);
  --armed_;
}

// Near timers go to the slot of their tick; far ones to a slot of the second wheel, at most one round ahead (a timer
// beyond that is placed anew when its slot comes up). One tick less than a round counts as near: while a slot is being
// fired, what its handlers arm never lands in that same slot.
void TimerWheel::place(Timer& timer) noexcept {
  const Tick tick = std::max(tick_of(timer.due_), now_);
  if (tick - now_ < kSlots - 1) return link(timer, static_cast<std::uint32_t>(tick % kSlots));
  const Tick block = std::min(tick / kSlots, now_ / kSlots + kSlots - 1);
  link(timer, kSlots + static_cast<std::uint32_t>(block % kSlots));
}

void TimerWheel::link(Timer& timer, std::uint32_t slot) noexcept {
  timer.slot_ = slot;
  timer.previous_ = nullptr;
  timer.next_ = slots_[slot];
  if (timer.next_) timer.next_->previous_ = &timer;
  slots_[slot] = &timer;
  if (slot < kSlots)
    occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  else
    ++far_;
}

void TimerWheel::unlink(Timer& timer) noexcept {
  const std::uint32_t slot = timer.slot_;
  if (timer.previous_)
    timer.previous_->next_ = timer.next_;
  else
    slots_[slot] = timer.next_;
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  timer.next_ = timer.previous_ = nullptr;
  timer.slot_ = Timer::kIdle;
  if (slot >= kSlots)
    --far_;
  else if (!slots_[slot])
    occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
}

// Moves the far timers of the block that now begins into the near wheel; none of them may go back to the slot that is
// being emptied.
void TimerWheel::cascade() noexcept {
  const std::uint32_t slot = kSlots + static_cast<std::uint32_t>((now_ / kSlots) % kSlots);
  Timer* timer = slots_[slot];
  slots_[slot] = nullptr;
  while (timer) {
    Timer* next = timer->next_;
    --far_;
    const Tick tick = std::max(tick_of(timer->due_), now_);
    if (tick - now_ < kSlots)
      link(*timer, static_cast<std::uint32_t>(tick % kSlots));
    else
      place(*timer);
    timer = next;
  }
}

// Every timer of a near slot has that slot's tick. A handler may arm and disarm any timer, so the list is taken from
// the front, one by one.
void TimerWheel::fire_slot(std::uint32_t slot) noexcept {
  while (Timer* timer = slots_[slot]) {
    unlink(*timer);
    --armed_;
    timer->expired();
  }
}

void TimerWheel::advance(Clock::time_point now) noexcept {
  if (now < start_) return;
  const Tick last = static_cast<Tick>((now - start_) / Loop::kTick);
  while (now_ <= last) {
    const auto slot = static_cast<std::uint32_t>(now_ % kSlots);
    if (slot == 0 && far_ > 0) cascade();
    ++now_;
    fire_slot(slot);
    const Tick block_end = (now_ + kSlots - 1) / kSlots * kSlots;
    const Tick next = now_ + distance_to_next(static_cast<std::uint32_t>(now_ % kSlots));
    now_ = std::max(now_, std::min({next, block_end, last + 1}));
  }
}

// Slots from `from` to the next occupied one, around the wheel; kSlots if all are empty.
std::uint32_t TimerWheel::distance_to_next(std::uint32_t from) const noexcept {
  for (std::uint32_t step = 0; step <= kWords; ++step) {
    const std::uint32_t word = (from / 64 + step) % kWords;
    std::uint64_t bits = occupied_[word];
    if (step == 0) bits &= ~std::uint64_t{0} << (from % 64);
    if (step == kWords) bits &= (std::uint64_t{1} << (from % 64)) - 1;
    if (bits == 0) continue;
    const std::uint32_t slot = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
    return (slot + kSlots - from) % kSlots;
  }
  return kSlots;
}

std::optional<Clock::time_point> TimerWheel::wake_at() const noexcept {
  if (armed_ == 0) return std::nullopt;
  Tick next = now_ + distance_to_next(static_cast<std::uint32_t>(now_ % kSlots));
  if (far_ > 0) next = std::min(next, (now_ + kSlots - 1) / kSlots * kSlots);
  return start_ + static_cast<Clock::rep>(next) * Loop::kTick;
}

}  // namespace lingate::http
