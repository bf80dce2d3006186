// Watchdog: one thread that ends script calls which outlive their budget. A Watch belongs to one instance; the thread
// that runs the instance arms it before entering the engine and disarms it after, which costs two atomic operations
// and no system call. When the deadline passes, the watchdog calls Instance::interrupt() (or any Interruptible), once.
//
// An interrupt never hits an innocent: a watch's state and the number of the call stand in one word, and firing is a
// compare-and-swap on it. If the watchdog has begun to fire when the call ends, disarm() waits until interrupt() has
// returned and reports it, and the owner settles the instance before the next call.
//
// A budget is running time. While the machine gives the thread no core, the call does not run, and that time, as far as
// the watchdog has seen it, is granted on top: at most kPatience, because a thread that blocks looks the same.
//
// Thread: arm/disarm on the owner's thread; the rest inside. Lifetime: the watchdog outlives its watches, but for one
// whose thread was left behind: what that may still look at, it keeps.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "runtimes/interruptible.h"

namespace lingate::runtimes {

class Watch;
class Watchdog;

// What a watchdog and its watches share.
struct Watched {
  std::mutex mutex;  // watches, stop
  std::condition_variable changed;
  std::vector<Watch*> watches;
  bool stop = false;
  std::atomic<bool> ending{false};
  std::atomic<bool> parked{false};  // no watch was used for a while: the thread sleeps until woken

  void wake() noexcept;  // called by arm() when the thread is parked
};

class Watch {
 public:
  // `held` is told, once a call and on the watchdog's thread, that an interrupt has not ended it after kHeld.
  static constexpr std::chrono::seconds kHeld{1};
  Watch(Watchdog& watchdog, Interruptible& target, std::function<void()> held = {});
  ~Watch();  // disarmed
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void arm(Clock::time_point deadline) noexcept;
  // What it is armed for is past its deadline now. Any thread, while it is armed.
  void expire() noexcept { deadline_.store(0, std::memory_order_relaxed); }
  // True if the watchdog fired between arm() and now; then interrupt() has returned.
  [[nodiscard]] bool disarm() noexcept;

 private:
  friend class Watchdog;
  // The low two bits of word_; above them stands the generation, which arm() counts.
  enum State : std::uint64_t { kIdle = 0, kArmed = 1, kFiring = 2, kFired = 3 };
  static constexpr std::uint64_t kStateBits = 3;

  // ---- watchdog's thread ----
  void fire_if_due(Clock::time_point now) noexcept;
  void tell_if_held(Clock::time_point now) noexcept;
  void note_first_sight(std::uint64_t word, Clock::time_point now) noexcept;
  Clock::duration waited_for_a_core(Clock::time_point now) const noexcept;

  const std::shared_ptr<Watched> watched_;
  Interruptible& target_;
  const std::function<void()> held_;
  std::atomic<std::uint64_t> word_{kIdle};
  std::atomic<Clock::rep> deadline_{0};
  std::atomic<clockid_t> cpu_clock_{0};  // of the thread that armed it
  // The watchdog's own:
  std::uint64_t seen_ = 0;   // word_ at the last look
  std::uint64_t timed_ = 0;  // the armed word that these two belong to
  Clock::time_point first_seen_{};
  Clock::duration cpu_at_first_{};
  Clock::time_point tell_at_{};  // max(): told already
};

class Watchdog {
 public:
  static constexpr std::chrono::milliseconds kPatience{30};

  // `tick` bounds how late an interrupt can be.
  explicit Watchdog(std::chrono::nanoseconds tick = std::chrono::milliseconds(5));
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The process ends: every call that runs, or begins from now on, is past its budget. Any thread.
  void end_all() noexcept;
  bool ending() const noexcept { return watched_->ending.load(std::memory_order_relaxed); }

 private:
  friend class Watch;
  void run() noexcept;
  bool look() noexcept;  // fires what is due; true if any watch was used since the last look

  const std::chrono::nanoseconds tick_;
  const std::shared_ptr<Watched> watched_ = std::make_shared<Watched>();
  std::thread thread_;
};

}  // namespace lingate::runtimes
