#include "gateway/bench/rooms/lone_loop.h"

#include <algorithm>

namespace lingate::bench {

void LoneLoop::post(Task& task) noexcept {
  const std::lock_guard lock(mutex_);
  posted_.push_back(&task);
  rung_.notify_one();
}

void LoneLoop::wait(Clock::time_point until) noexcept {
  if (const auto due = wheel_.wake_at()) until = std::min(until, *due);
  std::unique_lock lock(mutex_);
  const auto rung = [this] { return !posted_.empty(); };
  if (until == Clock::time_point::max())
    rung_.wait(lock, rung);
  else
    rung_.wait_until(lock, until, rung);
  taken_.swap(posted_);
}

void LoneLoop::run_taken() noexcept {
  refresh();
  for (Task* const task : taken_)
    task->run();
  taken_.clear();
  wheel_.advance(now_);
}

void LoneLoop::run_until(const bool& done) noexcept {
  while (!done) {
    wait(Clock::time_point::max());
    run_taken();
  }
}

void LoneLoop::run_what_comes(Clock::duration longest) noexcept {
  wait(Clock::now() + longest);
  run_taken();
}

}  // namespace lingate::bench
