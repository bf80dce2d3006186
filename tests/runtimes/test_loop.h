// A loop for tests: real time, one thread, no network. run_until() turns it until something holds.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "base/loop.h"

namespace lingate::http {

// Stands in for the worker's wheel, which alone may fire timers; this executable does not link that one.
class TimerWheel {
 public:
  void arm(Timer& timer, Clock::time_point due) {
    disarm(timer);
    timer.slot_ = 0;
    timer.due_ = due;
    timers_.emplace(due, &timer);
  }
  void disarm(Timer& timer) {
    if (!timer.armed()) return;
    const auto [first, last] = timers_.equal_range(timer.due_);
    for (auto it = first; it != last; ++it) {
      if (it->second != &timer) continue;
      timers_.erase(it);
      break;
    }
    timer.slot_ = Timer::kIdle;
  }
  bool fire_one(Clock::time_point now) {
    if (timers_.empty() || timers_.begin()->first > now) return false;
    Timer& timer = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer.slot_ = Timer::kIdle;
    timer.expired();
    return true;
  }
  Clock::time_point next(Clock::time_point otherwise) const {
    return timers_.empty() ? otherwise : std::min(otherwise, timers_.begin()->first);
  }
  std::size_t armed() const { return timers_.size(); }

 private:
  std::multimap<Clock::time_point, Timer*> timers_;
};

}  // namespace lingate::http

namespace lingate::test {

class TestLoop final : public Loop {
 public:
  explicit TestLoop(std::uint32_t index = 0) : index_(index) {}
  // What came too late only frees itself by now.
  ~TestLoop() {
    while (Task* const task = take())
      task->run();
  }

  std::uint32_t index() const noexcept override { return index_; }
  // What a test does outside of a turn is an event of its own.
  Clock::time_point now() const noexcept override { return in_turn_ ? now_ : Clock::now(); }
  Clock::time_point refresh() noexcept override { return now_ = Clock::now(); }
  std::chrono::system_clock::time_point wall() noexcept override { return std::chrono::system_clock::now(); }
  void arm(Timer& timer, Clock::duration after) noexcept override { timers_.arm(timer, now() + after); }
  void disarm(Timer& timer) noexcept override { timers_.disarm(timer); }
  void post(Task& task) noexcept override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(&task);
    posted_.notify_one();
  }

  // As under load: what can be put off to the end of a turn is.
  void load() noexcept { loaded_ = true; }
  bool put_off(TurnEnd& end) noexcept override {
    if (loaded_ && std::find(ends_.begin(), ends_.end(), &end) == ends_.end()) ends_.push_back(&end);
    return loaded_;
  }
  void forget(TurnEnd& end) noexcept override { std::erase(ends_, &end); }
  bool listen(int fd, std::shared_ptr<Bell>) noexcept override {
    ::close(fd);
    return false;
  }

  // False: it did not come to hold within `patience`, which is only there to end a broken test.
  bool run_until(const std::function<bool()>& holds, std::chrono::seconds patience = std::chrono::seconds(20)) {
    const Clock::time_point end = Clock::now() + patience;
    for (now_ = Clock::now(); !holds(); now_ = Clock::now()) {
      if (now_ >= end) return false;
      turn(std::min(end, now_ + std::chrono::milliseconds(20)));
    }
    return true;
  }
  // What is already due or posted, and no more.
  void run_pending() {
    in_turn_ = true;
    now_ = Clock::now();
    while (Task* const task = take())
      task->run();
    while (timers_.fire_one(now_)) {
    }
    while (!ends_.empty()) {
      TurnEnd* const end = ends_.front();
      ends_.pop_front();
      end->turn_ends();
    }
    in_turn_ = false;
  }
  std::size_t armed() const { return timers_.armed(); }

 private:
  void turn(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    posted_.wait_until(lock, timers_.next(until), [this] { return !tasks_.empty() || !ends_.empty(); });
    lock.unlock();
    run_pending();
  }
  Task* take() {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return nullptr;
    Task* const task = tasks_.front();
    tasks_.pop_front();
    return task;
  }

  const std::uint32_t index_;
  Clock::time_point now_ = Clock::now();
  bool in_turn_ = false;
  bool loaded_ = false;
  std::deque<TurnEnd*> ends_;
  http::TimerWheel timers_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task*> tasks_;
};

}  // namespace lingate::test
