// Link: one end of the shared memory between a pool and a worker process: a ring each way, a futex that wakes the
// worker, and an eventfd, the bell, that wakes the pool. Waking costs a system call only when the other side sleeps.
//
// Thread: one thread each end, but for reply(). Lifetime: maps the memory while it lives; the descriptors are the
// caller's.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "runtimes/process/protocol.h"

namespace lingate::runtimes::process {

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  bool map(int fd, std::size_t size) noexcept;
  Shared& shared() const noexcept { return *static_cast<Shared*>(place_); }
  char* rings() const noexcept { return static_cast<char*>(place_) + kRingsAt; }

 private:
  void* place_ = nullptr;
  std::size_t size_ = 0;
};

// The pool's end.
class PoolEnd {
 public:
  // `memory` holds Shared with its capacity.
  explicit PoolEnd(const Memory& memory, std::size_t capacity) noexcept;

  // False: no room now, or the link is broken. The worker sees it when it looks; wake() has it look.
  bool send(const FrameHead& head, std::string_view payload = {}) noexcept;
  void wake() noexcept;
  // The next reply, there until done(). Where there is none, the bell rings for the next one.
  bool receive(Frame& frame) noexcept;
  void done() noexcept { replies_.pop(); }
  std::size_t most() const noexcept { return calls_.most(); }
  bool broken() const noexcept { return calls_.broken() || replies_.broken(); }
  const Shared& shared() const noexcept { return shared_; }

 private:
  Shared& shared_;
  RingWriter calls_;
  RingReader replies_;
};

// The worker's end.
class WorkerEnd {
 public:
  WorkerEnd(const Memory& memory, int bell) noexcept;

  // The next frame, there until done(); waits for it up to `longest`. False: none came.
  bool receive(Frame& frame, std::chrono::milliseconds longest) noexcept;
  void done() noexcept { calls_.pop(); }
  // Waits while the pool has not made room. Any thread: a script may log from one of its own.
  void reply(const FrameHead& head, std::string_view payload = {}) noexcept;
  Shared& shared() noexcept { return shared_; }

 private:
  void ring() noexcept;

  Shared& shared_;
  RingReader calls_;
  std::mutex replying_;
  RingWriter replies_;
  const int bell_;
};

}  // namespace lingate::runtimes::process
