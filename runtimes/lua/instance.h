// LuaInstance: one script in one VM. A call runs in a coroutine that is used again when it ended well; a call that
// failed or was cancelled loses its coroutine to the collector.
//
// Thread and lifetime: as runtimes/runtime.h says of an Instance.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtimes/lua/environment.h"
#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::lua {

class LuaInstance final : public Instance {
 public:
  static Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host, Watchdog& watchdog);

  LuaInstance(const Script& script, Host& host) : environment_(script, host) {}

  const HookSet& hooks() const noexcept override { return hooks_; }
  std::vector<std::string> dependencies() const override { return environment_.dependencies; }
  Progress start(CallId id, CallView& call, void* tag) noexcept override;
  Progress resume(CallId id, const HostResult& result) noexcept override;
  void cancel(CallId id) noexcept override;
  void interrupt() noexcept override { environment_.vm.interrupt(); }
  void settle() noexcept override { environment_.vm.settle(); }
  bool usable() const noexcept override { return usable_; }
  InstanceMemory memory() const noexcept override { return {environment_.vm.used(), environment_.vm.limit()}; }
  bool idle_step() noexcept override;

 private:
  void give_back_scratch() noexcept;
  // Empty, or why the script cannot be used.
  std::optional<LoadError> run_script();
  std::optional<LoadError> find_hooks(lua_State* coroutine);
  std::optional<LoadError> run_init(lua_State* coroutine);
  std::optional<LoadError> run_kept(lua_State* coroutine, int function, int argument);
  int arity(lua_State* coroutine, int index);

  CallSlot* free_slot();
  bool add_slot();
  bool take_index(CallSlot& slot);
  CallSlot* busy_slot(CallId id) noexcept;
  int push_arguments(CallSlot& slot);
  Progress run(CallSlot& slot, int arguments);
  Progress finish(CallSlot& slot);
  std::string keep_context(CallSlot& slot);
  Progress fail(CallSlot& slot, const LoadError& failure);
  void end(CallSlot& slot);
  void drop_coroutine(CallSlot& slot);
  void reset_nesting();

  HookSet hooks_;
  bool usable_ = true;
  std::vector<CallSlot*> by_call_;  // calls in flight by their CallId, which are small
  Environment environment_;
};

}  // namespace lingate::runtimes::lua
