#include "gateway/reload/housekeeper.h"

#include <utility>

namespace lingate {

Housekeeper::Housekeeper() : thread_([this] { work(); }) {}

void Housekeeper::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      queue_.push_back({std::move(job), nullptr});
      changed_.notify_all();
      return;
    }
  }
  job();
}

bool Housekeeper::run(const Job& job) {
  Waiter waiter;
  std::unique_lock lock(mutex_);
  if (ended_) return false;
  queue_.push_back({job, &waiter});
  changed_.notify_all();
  changed_.wait(lock, [&waiter] { return waiter.done || waiter.dropped; });
  return waiter.done;
}

void Housekeeper::end() {
  std::deque<Entry> left;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    left.swap(queue_);
    for (const Entry& each : left)
      if (each.waiter) each.waiter->dropped = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  for (const Entry& each : left)
    if (!each.waiter) each.job();
}

void Housekeeper::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Entry next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next.job();
    lock.lock();
    if (!next.waiter) continue;
    next.waiter->done = true;
    changed_.notify_all();
  }
}

}  // namespace lingate
