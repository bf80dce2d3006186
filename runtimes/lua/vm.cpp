#include "runtimes/lua/vm.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

#include "runtimes/lua/natives.h"

#if defined(__SANITIZE_THREAD__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

extern "C" void lingate_lj_trim(void* allocator);  // third_party/luajit/trim.patch

namespace lingate::runtimes::lua {
namespace {

// Kept for lingate: nothing else in the process may use it.
int stop_signal() noexcept {
  return SIGRTMIN + 7;
}

// The VM that runs, or ran last, on this thread. A signal handler gets no argument that it could trust, and a VM may be
// gone when a late signal arrives, so this is where the handler looks.
thread_local constinit Vm* running_here = nullptr;

constinit const char kStop = 0;  // its address is the error value of the hook

constexpr int kStepNormal = 200;
constexpr int kStepTight = 400;
constexpr int kStepUrgent = 20'000;

}  // namespace

Vm::Vm(std::uint64_t memory_limit, Environment& environment)
    : environment_(environment), limit_(memory_limit), collect_at_(memory_limit / 2) {
  // Once: how it is done may drop a signal, and from the first VM on one may be on its way to another thread.
  static std::once_flag caught;
  std::call_once(caught, &Vm::catch_signal);
  state_ = luaL_newstate();
  if (!state_) throw std::bad_alloc();
  // The first segment of light userdata is that of small numbers, which handles stay in.
  lua_pushlightuserdata(state_, nullptr);
  lua_pop(state_, 1);
  inner_ = lua_getallocf(state_, &inner_data_);
  used_ = static_cast<std::uint64_t>(lua_gc(state_, LUA_GCCOUNT, 0)) * 1024;
  lua_setallocf(state_, &Vm::allocate, this);
  lua_setstopvalue(state_, &kStop);
}

Vm::~Vm() {
  if (running_here == this) running_here = nullptr;
  // With its own allocator back in place LuaJIT drops the whole arena at once.
  lua_setallocf(state_, inner_, inner_data_);
  lua_close(state_);
}

int Vm::run(lua_State* coroutine, int arguments) noexcept {
  guarded_ = true;
  const int status = lua_resume(coroutine, arguments);
  guarded_ = false;
  return status;
}

// ---- time ----

void Vm::claim() noexcept {
  running_here = this;
  // Either interrupt() finds this thread, or its flag is seen below.
  if (const pthread_t self = pthread_self(); thread_.load(std::memory_order_relaxed) != self)
    thread_.store(self, std::memory_order_seq_cst);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // The signal came before this line, or a collection that was due outlived the call.
  if (interrupted() || collect_due_) brake();
  // Natives that call back into Lua recurse on the native stack; this much of it is theirs.
  constexpr std::size_t kNativeStack = 256 * 1024;
  lua_setcstackfloor(state_, static_cast<char*>(__builtin_frame_address(0)) - kNativeStack);
}

void Vm::disown() noexcept {
  thread_.store({}, std::memory_order_seq_cst);
}

void Vm::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_seq_cst);
  if (const pthread_t thread = thread_.load(std::memory_order_seq_cst)) pthread_kill(thread, stop_signal());
}

void Vm::settle() noexcept {
  // A signal that is still on its way finds the flag cleared and does nothing.
  interrupted_.store(false, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  lua_sethook(state_, nullptr, 0, 0);
}

void Vm::brake() noexcept {
  lua_sethook(state_, &Vm::hook, LUA_MASKCOUNT, 1);
}

void Vm::hook(lua_State* state, lua_Debug* event) {
  Vm& vm = of(state);
  if (!vm.interrupted() && !vm.doomed_) {
    if (event->currentline == LUA_HOOKBUSY) return;  // it asks again and again; what is due is collected soon
    lua_sethook(state, nullptr, 0, 0);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (vm.interrupted()) vm.brake();  // it came while the hook was being taken away
    if (vm.collect_due_) vm.collect();
    if (!vm.interrupted() && !vm.doomed_) return;
  }
  note_stop(vm.environment_, state);
  lua_pushlightuserdata(state, const_cast<char*>(&kStop));
  lua_error(state);
}

bool Vm::is_stop(lua_State* state, int index) noexcept {
  return lua_islightuserdata(state, index) && lua_touserdata(state, index) == &kStop;
}

#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread")))
#endif
void Vm::on_signal(int) noexcept {
  Vm* vm = running_here;
  if (vm && vm->interrupted()) vm->brake();  // lua_sethook() may be called from a signal handler
}

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer puts a signal off until the thread enters the C library, which a script's loop never does: past it.
void Vm::catch_signal() {
  struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  };
  constexpr unsigned long kHasRestorer = 0x04000000;
  KernelAction action{&Vm::on_signal, SA_RESTART | kHasRestorer, nullptr, 0};
  struct sigaction library {};
  library.sa_handler = SIG_IGN;  // makes the C library install its restorer, which is then taken over
  ::sigaction(stop_signal(), &library, nullptr);
  KernelAction installed{};
  ::syscall(SYS_rt_sigaction, stop_signal(), nullptr, &installed, sizeof(installed.mask));
  action.restorer = installed.restorer;
  ::syscall(SYS_rt_sigaction, stop_signal(), &action, nullptr, sizeof(action.mask));
}
#else
void Vm::catch_signal() {
  struct sigaction action {};
  action.sa_handler = &Vm::on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(stop_signal(), &action, nullptr);
}
#endif

// ---- memory ----

void* Vm::allocate(void* data, void* block, std::size_t before, std::size_t after) noexcept {
  Vm& vm = *static_cast<Vm*>(data);
  if (after > before) {
    const std::uint64_t total = vm.used_ + (after - before);
    if (vm.guarded_ && total > vm.collect_at_) {
      // Garbage may stand over the limit until the next instruction collects it, by a quarter of the limit at most.
      if (total > vm.limit_ + vm.limit_ / 5) {
        vm.doomed_ = true;
        vm.brake();
        return nullptr;
      }
      if (!vm.collect_due_) {
        vm.collect_due_ = true;
        vm.brake();
      }
    } else if (after > vm.limit_ * 2) {
      return nullptr;
    }
  }
  void* place = vm.inner_(vm.inner_data_, block, before, after);
  if (place || after == 0) vm.used_ += after - before;
  return place;
}

// LuaJIT pays off a debt a little at each allocation, whatever its size: a script that makes big strings would run into
// the limit with garbage alone.
void Vm::collect() noexcept {
  guarded_ = false;  // the collector itself may ask for a little, to give back much
  lua_gc(state_, LUA_GCSETSTEPMUL, kStepUrgent);
  // Twice: the first round may finish a cycle that had marked what is garbage now.
  for (int cycle = 0; cycle < 2 && !interrupted(); ++cycle) {
    while (!interrupted() && lua_gc(state_, LUA_GCSTEP, 0) == 0)
      continue;
    if (used_ < limit_ / 2) break;
  }
  lua_gc(state_, LUA_GCSETSTEPMUL, tight_ ? kStepTight : kStepNormal);
  guarded_ = true;
  collect_due_ = false;
  plan_collection();
  if (used_ > limit_ && !interrupted()) {
    doomed_ = true;
    brake();
  }
}

// At half of what is left; not more and more often as that gets less.
void Vm::plan_collection() noexcept {
  const std::uint64_t left = limit_ > used_ ? limit_ - used_ : 0;
  collect_at_ = std::max(limit_ / 2, used_ + std::max(left / 2, limit_ / 8));
}

void Vm::recover() noexcept {
  lua_sethook(state_, nullptr, 0, 0);
  doomed_ = false;
  collect_due_ = false;
  // The engine's own buffer for strings halves with each cycle.
  constexpr int kMostCycles = 10;
  constexpr std::uint64_t kWorthwhile = 64 * 1024;
  std::uint64_t before = UINT64_MAX;
  for (int cycle = 0; cycle < kMostCycles && used_ + kWorthwhile < before; ++cycle) {
    before = used_;
    lua_gc(state_, LUA_GCCOLLECT, 0);
  }
  lingate_lj_trim(inner_data_);  // what came back stays otherwise, as holes between what lives
  after_cycle_ = used_;
  plan_collection();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (interrupted()) brake();
}

void Vm::tune_collector() noexcept {
  const bool tight = used_ > limit_ / 4;
  if (!tight && !tight_) return;
  tight_ = tight;
  // The next cycle begins at half of what is left, and runs faster than the script can allocate.
  const std::uint64_t left = limit_ > used_ ? limit_ - used_ : 0;
  const auto pause = tight ? std::clamp<std::uint64_t>(100 + 50 * left / used_, 110, 200) : 200;
  lua_gc(state_, LUA_GCSETPAUSE, static_cast<int>(pause));
  lua_gc(state_, LUA_GCSETSTEPMUL, tight ? kStepTight : kStepNormal);
}

// The engine's own buffers halve with each cycle, so cycles follow each other until one gives back nothing.
bool Vm::idle_step() noexcept {
  constexpr std::uint64_t kWorthwhile = 256 * 1024;
  constexpr std::uint64_t kWorthTrimming = 1024 * 1024;
  if (!settling_) {
    if (used_ < after_cycle_ + after_cycle_ / 4 + kWorthwhile) return false;
    settling_ = true;
    settling_from_ = after_cycle_ = used_;
  }
  if (lua_gc(state_, LUA_GCSTEP, 0) == 0) return true;
  const bool gave_back = used_ + kWorthwhile < after_cycle_;
  after_cycle_ = used_;
  if (gave_back) return true;
  settling_ = false;
  if (used_ + kWorthTrimming < settling_from_) lingate_lj_trim(inner_data_);
  return false;
}

}  // namespace lingate::runtimes::lua
