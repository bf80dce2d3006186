// Loop: what a worker offers to the parts that wait: its clock, its timers, and a way in for other threads. One loop is
// one thread; the pools, the steps and the connections of a worker share it.
//
// Thread: everything but post() belongs to the loop's own thread. Lifetime: outlives all that was made on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace lingate {

namespace http {  // the worker's own loop links these two
class Mailbox;
class TimerWheel;
}  // namespace http

using Clock = std::chrono::steady_clock;

// A piece of work that another thread hands to a loop. Intrusive: it is linked, never copied or allocated by the loop.
class Task {
 public:
  virtual void run() noexcept = 0;  // on the loop's thread

 protected:
  virtual ~Task() = default;  // virtual for its friend only: nobody deletes a task by its base

 private:
  friend class http::Mailbox;
  Task* next_ = nullptr;
};

// A time-out. Embedded in its owner, who disarms it before both go, unless the loop went first. Coarse: it fires up to
// Loop::kTick late, never early.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return slot_ != kIdle; }
  Clock::time_point due() const noexcept { return due_; }

 protected:
  virtual ~Timer() = default;
  virtual void expired() noexcept = 0;  // on the loop's thread; the timer is idle again when it is called

 private:
  friend class http::TimerWheel;
  static constexpr std::uint32_t kIdle = UINT32_MAX;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  Clock::time_point due_{};
  std::uint32_t slot_ = kIdle;
};

// Work that is done at the end of a turn, together with the like of it: the calls of one script one after the other
// (their code stays in the processor's caches), one wake-up for many calls, one system call for many writes.
class TurnEnd {
 public:
  // Told in this order: what calls bring about is still sent in the same turn.
  enum class Part : std::uint8_t { calls, sends };

  Part part() const noexcept { return part_; }
  virtual void turn_ends() noexcept = 0;

 protected:
  explicit TurnEnd(Part part = Part::sends) noexcept : part_(part) {}
  ~TurnEnd() = default;

 private:
  Part part_;
};

// Hears of a descriptor that something outside rings: a process that answers or ends.
class Bell {
 public:
  virtual ~Bell() = default;
  // On the loop's thread, when the descriptor has become readable. False: the loop lets go of both.
  virtual bool rung() noexcept = 0;
};

class Loop {
 public:
  static constexpr std::chrono::milliseconds kTick{8};

  virtual std::uint32_t index() const noexcept = 0;    // 0 … workers-1
  virtual Clock::time_point now() const noexcept = 0;  // as last read: when the event came, or by refresh()
  virtual Clock::time_point refresh() noexcept = 0;    // reads the clock: for who has used much time
  // The calendar's time that belongs to now(); follows a change of the system's clock within a second.
  virtual std::chrono::system_clock::time_point wall() noexcept = 0;
  virtual void arm(Timer& timer, Clock::duration after) noexcept = 0;  // re-arms an armed timer
  virtual void disarm(Timer& timer) noexcept = 0;
  virtual void post(Task& task) noexcept = 0;  // any thread; `task` must live until it ran
  // True: turn_ends() follows when what is ready has been served; asking twice before is one. False: the loop has one
  // thing to do at a time, and whoever would put off does it now.
  virtual bool put_off(TurnEnd& end) noexcept = 0;
  virtual void forget(TurnEnd& end) noexcept = 0;
  // Takes the descriptor over, which is non-blocking. False: the kernel refused; it is closed then.
  virtual bool listen(int fd, std::shared_ptr<Bell> bell) noexcept = 0;

 protected:
  ~Loop() = default;
};

}  // namespace lingate
