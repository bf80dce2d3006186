// Vm: one LuaJIT state with its two bounds. Time: nothing is armed while a script runs; interrupt() signals the VM's
// own thread, whose handler sets a count hook that raises at every instruction until the call is over, so neither pcall
// nor a coroutine outlives it. Memory: the allocator counts; past half of what is left a hook collects garbage, past
// the limit the VM is doomed: the same raising hook ends the call.
//
// Thread: interrupt() from any; the rest belongs to the thread that runs the VM. Lifetime: owned by its instance.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtimes/lua/engine.h"

namespace lingate::runtimes::lua {

struct Environment;

class Vm {
 public:
  Vm(std::uint64_t memory_limit, Environment& environment);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  static Vm& of(lua_State* state) noexcept {
    void* data;
    lua_getallocf(state, &data);
    return *static_cast<Vm*>(data);
  }

  lua_State* state() const noexcept { return state_; }
  Environment& environment() const noexcept { return environment_; }

  // Runs or goes on with a coroutine as lua_resume() does. Outside of it the limits do not hold, because an error that
  // nobody catches would end the process: what the room itself does there is small.
  int run(lua_State* coroutine, int arguments) noexcept;

  // ---- time ----
  void claim() noexcept;      // before a call: this thread's signals are for this VM
  void disown() noexcept;     // this thread may end before the VM does
  void interrupt() noexcept;  // any thread, while a call runs
  void settle() noexcept;     // after the call that was interrupted
  bool interrupted() const noexcept { return interrupted_.load(std::memory_order_relaxed); }

  // ---- memory ----
  bool doomed() const noexcept { return doomed_; }
  void recover() noexcept;  // after a doomed call: frees what it left
  std::uint64_t used() const noexcept { return used_; }
  std::uint64_t limit() const noexcept { return limit_; }
  void tune_collector() noexcept;  // between calls: how early a cycle begins
  bool idle_step() noexcept;

  // What the hook raises; never seen by a script, since the next instruction raises again.
  static bool is_stop(lua_State* state, int index) noexcept;

 private:
  static void* allocate(void* data, void* block, std::size_t before, std::size_t after) noexcept;
  static void hook(lua_State* state, lua_Debug*);
  static void on_signal(int) noexcept;
  static void catch_signal();
  void brake() noexcept;
  void collect() noexcept;
  void plan_collection() noexcept;

  Environment& environment_;
  lua_State* state_ = nullptr;
  lua_Alloc inner_ = nullptr;  // LuaJIT's own allocator: an arena for each VM, which no other thread touches
  void* inner_data_ = nullptr;
  std::uint64_t used_ = 0;
  const std::uint64_t limit_;
  std::uint64_t collect_at_;
  std::uint64_t after_cycle_ = 0;
  std::uint64_t settling_from_ = 0;  // what was used when the collector began to work between calls
  bool settling_ = false;
  bool guarded_ = false;  // script code runs: the limits hold
  bool collect_due_ = false;
  bool doomed_ = false;
  bool tight_ = false;
  std::atomic<bool> interrupted_{false};
  std::atomic<pthread_t> thread_{};  // whom interrupt() signals; 0: nobody, claim() will see the flag
};

}  // namespace lingate::runtimes::lua
