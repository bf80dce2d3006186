// Account: the memory that one instance holds. CPython has one heap for all; what can be told apart is who asked: each
// large block and each arena of small objects is charged to the instance that ran on the thread when it was taken, and
// credited when it goes, whoever frees it. Over the limit the allocation fails, which Python sees as MemoryError, and
// the call is doomed (interrupt.h), so that `except MemoryError: pass` cannot go on.
//
// Thread: charged and credited from any. Lifetime: shared by the instance and the blocks charged to it; the last one
// out deletes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lingate::runtimes::python {

class Account {
 public:
  explicit Account(std::uint64_t limit) noexcept;

  // The instance is gone; blocks may outlive it.
  void close() noexcept { credit(1); }

  // False: over the limit.
  bool charge(std::size_t bytes) noexcept;
  void credit(std::size_t bytes) noexcept;

  std::uint64_t used() const noexcept { return static_cast<std::uint64_t>(used_.load(std::memory_order_relaxed)) - 1; }
  std::uint64_t limit() const noexcept { return limit_; }

  // While a call that went over the limit unwinds, it may take a little more.
  void allow_unwinding(bool yes) noexcept { slack_.store(yes ? unwinding_ : 0, std::memory_order_relaxed); }

 private:
  ~Account() = default;

  std::atomic<std::int64_t> used_{1};  // one for the instance itself
  std::uint64_t limit_;
  std::uint64_t unwinding_;
  std::atomic<std::uint64_t> slack_{0};
};

// Puts the charging allocators under CPython's; once, before it initialises.
void install_allocators();

}  // namespace lingate::runtimes::python
