#include "gateway/bench/rooms/lone_loop.h"

namespace lingate::bench {

void LoneLoop::post(Task& task) noexcept {
  const std::lock_guard lock(mutex_);
  posted_.push_back(&task);
  rung_.notify_one();
}

void LoneLoop::wait() noexcept {
  const auto due = wheel_.wake_at();
  std::unique_lock lock(mutex_);
  const auto rung = [this] { return !posted_.empty(); };
  if (due)
    rung_.wait_until(lock, *due, rung);
  else
    rung_.wait(lock, rung);
  taken_.swap(posted_);
}

void LoneLoop::run_until(const bool& done) noexcept {
  while (!done) {
    wait();
    refresh();
    for (Task* const task : taken_)
      task->run();
    taken_.clear();
    wheel_.advance(now_);
  }
}

}  // namespace lingate::bench
