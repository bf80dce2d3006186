#include "gateway/http/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace lingate::http {

Mailbox::Mailbox(Reactor& reactor) : bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  watch_ = bell_ >= 0 ? reactor.add(bell_, *this) : nullptr;
  if (!watch_) {
    std::fputs("lingate: no descriptor left for a worker's mailbox; raise the limit (ulimit -n)\n", stderr);
    std::abort();
  }
  watch_->await_read();
}

Mailbox::~Mailbox() {
  run_all();  // what came too late only frees itself by now
  watch_->close();
}

void Mailbox::push(Task& task) noexcept {
  Task* head = head_.load(std::memory_order_relaxed);
  do {
    task.next_ = head;
  } while (!head_.compare_exchange_weak(head, &task, std::memory_order_release, std::memory_order_relaxed));
  if (head) return;  // whoever found it empty rings
  const std::uint64_t one = 1;
  while (::write(bell_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Mailbox::run_all() noexcept {
  Task* newest = head_.exchange(nullptr, std::memory_order_acquire);
  Task* oldest = nullptr;
  while (newest) {
    Task* next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    Task* task = oldest;
    oldest = task->next_;
    task->next_ = nullptr;
    task->run();
  }
}

void Mailbox::readable() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(bell_, &rings, sizeof rings);
  run_all();
  watch_->await_read();
}

}  // namespace lingate::http
