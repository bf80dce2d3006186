#include "runtimes/process/link.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace lingate::runtimes::process {
namespace {

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::milliseconds longest) noexcept {
  const timespec time{.tv_sec = longest.count() / 1000, .tv_nsec = longest.count() % 1000 * 1'000'000};
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &time, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace

Memory::~Memory() {
  if (place_) ::munmap(place_, size_);
}

bool Memory::map(int fd, std::size_t size) noexcept {
  void* const place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (place == MAP_FAILED) return false;
  place_ = place;
  size_ = size;
  return true;
}

PoolEnd::PoolEnd(const Memory& memory, std::size_t capacity) noexcept
    : shared_(memory.shared()),
      calls_(shared_.calls, memory.rings(), capacity),
      replies_(shared_.replies, memory.rings() + capacity, capacity) {}

bool PoolEnd::send(const FrameHead& head, std::string_view payload) noexcept {
  return calls_.write(head, payload);
}

// Full barrier: either the worker sees the frame before it sleeps, or it is seen asleep here.
void PoolEnd::wake() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (shared_.asleep.load(std::memory_order_relaxed) == 0) return;
  if (shared_.asleep.exchange(0) != 0) futex_wake(shared_.asleep);
}

bool PoolEnd::receive(Frame& frame) noexcept {
  if (replies_.peek(frame)) return true;
  shared_.bell.store(1, std::memory_order_seq_cst);
  return replies_.peek(frame);  // what came in between did not ring
}

WorkerEnd::WorkerEnd(const Memory& memory, int bell) noexcept
    : shared_(memory.shared()),
      calls_(shared_.calls, memory.rings(), shared_.capacity),
      replies_(shared_.replies, memory.rings() + shared_.capacity, shared_.capacity),
      bell_(bell) {}

bool WorkerEnd::receive(Frame& frame, std::chrono::milliseconds longest) noexcept {
  if (calls_.peek(frame)) return true;
  shared_.asleep.store(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!calls_.peek(frame)) {
    futex_wait(shared_.asleep, 1, longest);
    shared_.asleep.store(0, std::memory_order_relaxed);
    return calls_.peek(frame);
  }
  shared_.asleep.store(0, std::memory_order_relaxed);
  return true;
}

void WorkerEnd::reply(const FrameHead& head, std::string_view payload) noexcept {
  const std::lock_guard lock(replying_);
  while (!replies_.write(head, payload)) {
    if (replies_.broken() || payload.size() > replies_.most()) ::_exit(70);  // the pool has lost its mind; so it says
    ring();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ring();
}

void WorkerEnd::ring() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (shared_.bell.load(std::memory_order_relaxed) == 0 || shared_.bell.exchange(0) == 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(bell_, &one, sizeof one);
}

}  // namespace lingate::runtimes::process
