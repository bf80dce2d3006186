#include "gateway/bench/rooms/lone_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lingate::bench {

LoneLoop::LoneLoop() : watched_{{.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .events = POLLIN, .revents = 0}} {
  if (watched_.front().fd < 0) std::abort();  // a process that can open nothing measures nothing
}

LoneLoop::~LoneLoop() {
  for (const pollfd& each : watched_)
    ::close(each.fd);
}

void LoneLoop::post(Task& task) noexcept {
  const std::lock_guard lock(mutex_);
  posted_.push_back(&task);
  if (posted_.size() > 1) return;  // who came first has rung
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(watched_.front().fd, &one, sizeof one);
}

bool LoneLoop::listen(int fd, std::shared_ptr<Bell> bell) noexcept {
  watched_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  bells_.push_back(std::move(bell));
  return true;
}

void LoneLoop::run_posted() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(watched_.front().fd, &rings, sizeof rings);
  {
    const std::lock_guard lock(mutex_);
    taken_.swap(posted_);
  }
  for (Task* const task : taken_)
    task->run();
  taken_.clear();
}

// Sleeps until something is posted, rung or due, and runs that.
void LoneLoop::turn(Clock::time_point until) noexcept {
  if (const auto due = wheel_.wake_at()) until = std::min(until, *due);
  timespec left{};
  if (until != Clock::time_point::max()) {
    const auto time = std::max(Clock::duration{}, until - Clock::now());
    left.tv_sec = time / std::chrono::seconds(1);
    left.tv_nsec = (time % std::chrono::seconds(1)).count();
  }
  const int ready =
      ::ppoll(watched_.data(), watched_.size(), until == Clock::time_point::max() ? nullptr : &left, nullptr);
  refresh();
  if (ready > 0 && watched_.front().revents != 0) run_posted();
  for (std::size_t k = watched_.size(); ready > 0 && k-- > 1;) {
    if (watched_[k].revents == 0 || bells_[k - 1]->rung()) continue;
    ::close(watched_[k].fd);
    watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(k));
    bells_.erase(bells_.begin() + static_cast<std::ptrdiff_t>(k - 1));
  }
  wheel_.advance(now_);
}

void LoneLoop::run_until(const bool& done) noexcept {
  while (!done)
    turn(Clock::time_point::max());
}

void LoneLoop::run_what_comes(Clock::duration longest) noexcept {
  turn(Clock::now() + longest);
}

}  // namespace lingate::bench
