// The room's Instance: takes calls through slots in and out of the engine. calls.cpp has the part that runs inside the
// engine's protected call, this the part around it, which the engine cannot leave by longjmp.
//
// Thread: the pool's contract (runtimes/runtime.h). Lifetime: the pool's.
#pragma once

#include "runtimes/duktape/vm.h"
#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::duktape {

// To be run under Heap::run with a Slot; one result is left on the stack.
duk_ret_t begin_call(duk_context* ctx, void* slot);
duk_ret_t resume_call(duk_context* ctx, void* slot);
// With a Vm: lets go of what broken slots held.
duk_ret_t let_go(duk_context* ctx, void* vm);
duk_ret_t collect_garbage(duk_context* ctx, void* vm);

class DuktapeInstance final : public Instance {
 public:
  DuktapeInstance(const Script& script, Host& host) : vm_(script, host) {}

  Result<void, LoadError> load(Watchdog& watchdog);

  const HookSet& hooks() const noexcept override { return vm_.hook_set; }
  std::vector<std::string> dependencies() const override { return vm_.dependencies; }
  Progress start(CallId id, CallView& call, void* tag) noexcept override;
  Progress resume(CallId id, const HostResult& result) noexcept override;
  void cancel(CallId id) noexcept override;
  void interrupt() noexcept override { vm_.heap.interrupt(); }
  void settle() noexcept override;
  bool usable() const noexcept override { return vm_.heap.sound() && !overfull_; }
  InstanceMemory memory() const noexcept override { return {vm_.heap.used(), vm_.heap.limit()}; }
  bool idle_step() noexcept override;

 private:
  Slot& take_slot();
  Slot* suspended(CallId id) noexcept;
  Progress enter(Slot& slot, duk_safe_call_function work) noexcept;
  Progress finished(Slot& slot) noexcept;
  Progress failed(Slot& slot) noexcept;
  void release(Slot& slot) noexcept;
  void break_slot(Slot& slot) noexcept;
  void tidy() noexcept;

  Vm vm_;
  Fault fault_;
  bool dirty_ = false;     // broken slots still hold objects
  bool collect_ = false;   // and a full collection is due: memory ran out
  bool overfull_ = false;  // the script keeps nearly all of the limit for itself
  std::uint64_t used_after_collection_ = 0;
};

}  // namespace lingate::runtimes::duktape
