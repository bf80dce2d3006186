// WorkerState: all that one worker owns, in the order in which it must be taken down: its parts, its timers and
// mailbox, its generations, its connections and the free Transactions.
//
// Thread: the worker's, but for what Worker's own functions post to it. Lifetime: the Worker's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/loop.h"
#include "base/wall_clock.h"
#include "gateway/http/connection.h"
#include "gateway/http/generation.h"
#include "gateway/http/http2_session.h"
#include "gateway/http/listener.h"
#include "gateway/http/mailbox.h"
#include "gateway/http/timer_wheel.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker.h"
#include "gateway/http/worker_parts.h"

namespace lingate::http {

// Wakes the loop for the wheel: one timerfd, set only when the wheel wants to be woken earlier than it already will be.
class WheelClock final : public Watcher {
 public:
  WheelClock(Reactor& reactor, TimerWheel& wheel);
  ~WheelClock();

  void wake_by(Clock::time_point due) noexcept;
  void readable() noexcept override;
  void writable() noexcept override {}

 private:
  TimerWheel& wheel_;
  int fd_ = -1;
  Watch* watch_ = nullptr;
  Clock::time_point set_for_ = Clock::time_point::max();
};

// A descriptor that rings a Bell; owns itself until the bell wants no more, or the reactor ends.
class BellWatcher final : public Watcher {
 public:
  explicit BellWatcher(std::shared_ptr<Bell> bell) noexcept : bell_(std::move(bell)) {}
  ~BellWatcher();

  bool watch(Reactor& reactor, int fd) noexcept;
  bool over() const noexcept { return watch_ == nullptr; }
  void readable() noexcept override;
  void writable() noexcept override {}

 private:
  std::shared_ptr<Bell> bell_;
  Watch* watch_ = nullptr;
};

class WorkerState final : public Loop {
 public:
  WorkerState(const WorkerOptions& options, std::shared_ptr<const Snapshot> snapshot);
  ~WorkerState();
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  // ---- Loop; it must work while the members are being made ----
  std::uint32_t index() const noexcept override { return number_; }
  Clock::time_point now() const noexcept override { return now_; }
  Clock::time_point refresh() noexcept override { return now_ = Clock::now(); }
  std::chrono::system_clock::time_point wall() noexcept override { return wall_.at(now_); }
  void arm(Timer& timer, Clock::duration after) noexcept override;
  void disarm(Timer& timer) noexcept override { wheel.disarm(timer); }
  void post(Task& task) noexcept override { mailbox.push(task); }
  bool put_off(TurnEnd& end) noexcept override;
  void forget(TurnEnd& end) noexcept override { parts.reactor.forget(end); }
  bool listen(int fd, std::shared_ptr<Bell> bell) noexcept override;

  void add_listener(std::unique_ptr<Listener> listener);
  void remove_listener(std::uint32_t id) noexcept;
  void add(Connection& connection) noexcept;
  void remove(Connection& connection) noexcept;
  void add(Http2Session& session) noexcept;
  void remove(Http2Session& session) noexcept;
  Transaction& take_transaction();
  void give_back(Transaction& transaction) noexcept;
  bool draining() const noexcept { return draining_; }

  void begin_drain(Clock::duration patience, Idle idle) noexcept;
  void stop_now() noexcept;
  void drop_all() noexcept;

 private:
  const std::uint32_t number_;
  Clock::time_point now_ = Clock::now();
  WallClock wall_;

 public:
  TimerWheel wheel{now_};
  WorkerParts parts;
  WheelClock clock{parts.reactor, wheel};
  Mailbox mailbox{parts.reactor};
  Generations generations;
  std::vector<std::unique_ptr<Listener>> listeners;

 private:
  class Deadline final : public Timer {
   public:
    explicit Deadline(WorkerState& state) : state_(state) {}
    void expired() noexcept override { state_.stop_now(); }

   private:
    WorkerState& state_;
  };

  void end_if_drained() noexcept;

  std::vector<std::unique_ptr<BellWatcher>> bells_;
  Connection* connections_ = nullptr;
  Http2Session* sessions_ = nullptr;
  std::vector<std::unique_ptr<Transaction>> free_;  // most recently used last
  bool draining_ = false;
  Deadline deadline_{*this};
};

}  // namespace lingate::http
