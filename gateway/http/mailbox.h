// Mailbox: how other threads reach a loop: a lock-free list of tasks that many push to and the loop takes whole, and an
// eventfd that wakes it. Only the push that finds the list empty rings.
//
// Thread: push() any; the rest the loop's own. Lifetime: a task is not touched after its run() began.
#pragma once

#include <atomic>

#include "base/loop.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class Mailbox final : public Watcher {
 public:
  explicit Mailbox(Reactor& reactor);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void push(Task& task) noexcept;  // any thread
  void run_all() noexcept;         // in the order pushed

  void readable() noexcept override;
  void writable() noexcept override {}

 private:
  std::atomic<Task*> head_{nullptr};
  int bell_ = -1;
  Watch* watch_ = nullptr;
};

}  // namespace lingate::http
