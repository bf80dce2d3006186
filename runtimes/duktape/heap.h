// Heap: one Duktape heap with its brake and its memory account. Every allocation of the engine passes the account; what
// would go over the limit is refused, and a refusal that the engine's collector cannot cure sets the brake for good.
//
// Thread: the instance's; only interrupt() comes from another. Lifetime: the instance's.
#pragma once

#include <duktape.h>

#include <csetjmp>
#include <cstdint>

namespace lingate::runtimes::duktape {

class Vm;

class Heap {
 public:
  Heap(Vm& vm, std::uint64_t limit);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Null if the limit does not even hold the engine's own objects.
  duk_context* context() const noexcept { return context_; }
  static Heap& of(duk_context* ctx) noexcept;
  Vm& vm() const noexcept { return *vm_; }

  void interrupt() noexcept { set(kInterrupted); }
  void clear_interrupt() noexcept { clear(kInterrupted); }
  bool interrupted() const noexcept { return (stop() & kInterrupted) != 0; }
  void out_of_memory() noexcept { set(kOutOfMemory); }
  void clear_out_of_memory() noexcept { clear(kOutOfMemory); }
  bool is_out_of_memory() const noexcept { return (stop() & kOutOfMemory) != 0; }
  bool braked() const noexcept { return stop() != 0; }

  std::uint64_t used() const noexcept { return used_; }
  std::uint64_t limit() const noexcept { return limit_; }

  // False after the engine gave up ("fatal error"): it may not be entered again.
  bool sound() const noexcept { return sound_; }
  // Runs `work` under a protected call, with a way out for fatal errors. Returns false if it threw; the error is then
  // on top of the stack, unless the heap is no longer sound. Otherwise `results` values are there.
  bool run(duk_safe_call_function work, void* argument, int results) noexcept;

 private:
  static constexpr unsigned kInterrupted = 1;
  static constexpr unsigned kOutOfMemory = 2;

  unsigned stop() const noexcept { return __atomic_load_n(&brake_.stop, __ATOMIC_RELAXED); }
  void set(unsigned bit) noexcept { __atomic_fetch_or(&brake_.stop, bit, __ATOMIC_RELAXED); }
  void clear(unsigned bit) noexcept { __atomic_fetch_and(&brake_.stop, ~bit, __ATOMIC_RELAXED); }

  static void* allocate(void* udata, duk_size_t size) noexcept;
  static void* reallocate(void* udata, void* block, duk_size_t size) noexcept;
  static void release(void* udata, void* block) noexcept;
  static void fatal(void* udata, const char* message);
  bool room_for(std::uint64_t more) const noexcept;

  lingate_duk_brake brake_{};  // first: the engine finds it at the address it was given
  Vm* const vm_;
  const std::uint64_t limit_;
  std::uint64_t used_ = 0;
  bool sound_ = true;
  std::jmp_buf* way_out_ = nullptr;
  duk_context* context_ = nullptr;
};

}  // namespace lingate::runtimes::duktape
