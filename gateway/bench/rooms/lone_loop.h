// LoneLoop: a loop without sockets: a clock, timers, a mailbox and bells, driven by whoever waits for something. It is
// what a chain needs in order to run outside a worker.
//
// Thread: post() any; the rest the measuring thread's. Lifetime: outlives the pools that post to it.
#pragma once

#include <poll.h>

#include <memory>
#include <mutex>
#include <vector>

#include "base/loop.h"
#include "base/wall_clock.h"
#include "gateway/http/timer_wheel.h"

namespace lingate::bench {

class LoneLoop final : public Loop {
 public:
  LoneLoop();
  ~LoneLoop();
  LoneLoop(const LoneLoop&) = delete;
  LoneLoop& operator=(const LoneLoop&) = delete;

  std::uint32_t index() const noexcept override { return 0; }
  Clock::time_point now() const noexcept override { return now_; }
  Clock::time_point refresh() noexcept override { return now_ = Clock::now(); }
  std::chrono::system_clock::time_point wall() noexcept override { return wall_.at(now_); }
  void arm(Timer& timer, Clock::duration after) noexcept override { wheel_.arm(timer, now_ + after); }
  void disarm(Timer& timer) noexcept override { wheel_.disarm(timer); }
  void post(Task& task) noexcept override;
  bool put_off(TurnEnd&) noexcept override { return false; }
  void forget(TurnEnd&) noexcept override {}
  bool listen(int fd, std::shared_ptr<Bell> bell) noexcept override;

  // Runs what is posted and what is due until `done` is true.
  void run_until(const bool& done) noexcept;
  // Runs what is posted or due; if nothing is, waits for it, but not longer than this.
  void run_what_comes(Clock::duration longest) noexcept;

 private:
  void turn(Clock::time_point until) noexcept;
  void run_posted() noexcept;

  Clock::time_point now_ = Clock::now();
  WallClock wall_;
  http::TimerWheel wheel_{now_};
  std::mutex mutex_;  // posted_
  std::vector<Task*> posted_;
  std::vector<Task*> taken_;
  std::vector<pollfd> watched_;               // the first: rung by post()
  std::vector<std::shared_ptr<Bell>> bells_;  // of the others
};

}  // namespace lingate::bench
