#include "runtimes/watchdog.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace lingate::runtimes {
namespace {

// Ticks without any use before the thread parks: waking it costs arm() a system call, so it must be rare under load,
// and an idle process must not tick.
constexpr int kTicksUntilParked = 25;

clockid_t this_threads_clock() noexcept {
  thread_local const clockid_t clock = [] {
    clockid_t id{};
    pthread_getcpuclockid(pthread_self(), &id);
    return id;
  }();
  return clock;
}

// What a thread has run so far; zero where the clock is gone with its thread.
Clock::duration read_clock(clockid_t clock) noexcept {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Watch::Watch(Watchdog& watchdog, Interruptible& target, std::function<void()> held)
    : watched_(watchdog.watched_), target_(target), held_(std::move(held)) {
  const std::lock_guard lock(watched_->mutex);
  watched_->watches.push_back(this);
}

Watch::~Watch() {
  const std::lock_guard lock(watched_->mutex);
  auto& watches = watched_->watches;
  *std::find(watches.begin(), watches.end(), this) = watches.back();
  watches.pop_back();
}

void Watch::arm(Clock::time_point deadline) noexcept {
  const std::uint64_t generation = (word_.load(std::memory_order_relaxed) | kStateBits) + 1;
  deadline_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
  cpu_clock_.store(this_threads_clock(), std::memory_order_relaxed);
  // Sequentially consistent with the watchdog's parking: either it sees this word, or this sees it parked.
  word_.store(generation | kArmed, std::memory_order_seq_cst);
  if (watched_->parked.load(std::memory_order_seq_cst)) watched_->wake();
}

bool Watch::disarm() noexcept {
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  const std::uint64_t idle = word & ~kStateBits;
  std::uint64_t armed = idle | kArmed;
  if (word_.compare_exchange_strong(armed, idle, std::memory_order_acq_rel, std::memory_order_acquire)) return false;
  // interrupt() does not block, so this is short.
  while ((word_.load(std::memory_order_acquire) & kStateBits) == kFiring)
    std::this_thread::yield();
  word = word_.exchange(idle, std::memory_order_acq_rel);
  return (word & kStateBits) == kFired;
}

void Watch::note_first_sight(std::uint64_t word, Clock::time_point now) noexcept {
  timed_ = word;
  first_seen_ = now;
  cpu_at_first_ = read_clock(cpu_clock_.load(std::memory_order_relaxed));
}

Clock::duration Watch::waited_for_a_core(Clock::time_point now) const noexcept {
  const Clock::duration ran = read_clock(cpu_clock_.load(std::memory_order_relaxed)) - cpu_at_first_;
  const Clock::duration waited = (now - first_seen_) - ran;
  return std::clamp<Clock::duration>(waited, {}, Watchdog::kPatience);
}

void Watch::fire_if_due(Clock::time_point now) noexcept {
  std::uint64_t word = word_.load(std::memory_order_seq_cst);
  if ((word & kStateBits) == kFired) return tell_if_held(now);
  if ((word & kStateBits) != kArmed) return;
  if (timed_ != word) note_first_sight(word, now);
  // If the owner has gone on meanwhile, this may be a later call's deadline; then the generation differs and the swap
  // fails.
  const Clock::time_point deadline{Clock::duration(deadline_.load(std::memory_order_relaxed))};
  const bool ending = watched_->ending.load(std::memory_order_relaxed);
  if (!ending && (now < deadline || now < deadline + waited_for_a_core(now))) return;
  const std::uint64_t call = word & ~kStateBits;
  if (!word_.compare_exchange_strong(word, call | kFiring, std::memory_order_acq_rel)) return;
  target_.interrupt();
  tell_at_ = now + kHeld;
  word_.store(call | kFired, std::memory_order_release);
}

void Watch::tell_if_held(Clock::time_point now) noexcept {
  if (now < tell_at_) return;
  tell_at_ = Clock::time_point::max();
  if (held_ && !watched_->ending.load(std::memory_order_relaxed)) held_();
}

Watchdog::Watchdog(std::chrono::nanoseconds tick) : tick_(tick), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "lg-watchdog");
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(watched_->mutex);
    watched_->stop = true;
  }
  watched_->changed.notify_one();
  thread_.join();
}

void Watchdog::end_all() noexcept {
  watched_->ending.store(true, std::memory_order_relaxed);
  watched_->wake();
}

bool Watchdog::look() noexcept {
  const Clock::time_point now = Clock::now();
  bool used = false;
  for (Watch* const watch : watched_->watches) {
    watch->fire_if_due(now);
    const std::uint64_t word = watch->word_.load(std::memory_order_seq_cst);
    used |= word != watch->seen_ || (word & Watch::kStateBits) != Watch::kIdle;
    watch->seen_ = word;
  }
  return used;
}

void Watchdog::run() noexcept {
  Watched& watched = *watched_;
  std::unique_lock lock(watched.mutex);
  int quiet = 0;
  while (!watched.stop) {
    quiet = look() ? 0 : quiet + 1;
    if (quiet < kTicksUntilParked) {
      watched.changed.wait_for(lock, tick_);
      continue;
    }
    watched.parked.store(true, std::memory_order_seq_cst);
    // An arm() that did not see the flag has written its word before: look() sees it.
    if (!look() && !watched.stop)
      watched.changed.wait(lock, [&] { return watched.stop || !watched.parked.load(std::memory_order_relaxed); });
    watched.parked.store(false, std::memory_order_relaxed);
    quiet = 0;
  }
}

void Watched::wake() noexcept {
  // Under the mutex the thread is either waiting or has not yet looked at the flag.
  const std::lock_guard lock(mutex);
  parked.store(false, std::memory_order_relaxed);
  changed.notify_one();
}

}  // namespace lingate::runtimes
