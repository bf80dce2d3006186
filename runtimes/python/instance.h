// ModuleInstance: one script with one configuration, as a module of its own in the one interpreter. A hook that is a
// plain function runs to its end; an `async def` is a coroutine driven by hand: what it awaits suspends the call.
//
// Thread: as runtimes/runtime.h says; every entry takes the interpreter's lock with the calling thread's own state.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtimes/python/account.h"
#include "runtimes/python/call.h"
#include "runtimes/python/failure.h"
#include "runtimes/python/interrupt.h"
#include "runtimes/python/thread.h"
#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::python {

class ModuleInstance final : public Instance {
 public:
  ModuleInstance(Watchdog& watchdog, const Script& script, Host& host);
  ~ModuleInstance() override;

  // Compiles, runs the top level and init. Once, before anything else.
  Result<void, LoadError> load(const Script& script);

  const HookSet& hooks() const noexcept override { return hooks_; }
  std::vector<std::string> dependencies() const override { return dependencies_; }
  Progress start(CallId id, CallView& view, void* tag) noexcept override;
  Progress resume(CallId id, const HostResult& result) noexcept override;
  void cancel(CallId id) noexcept override;
  void interrupt() noexcept override { interrupt_.request(); }
  void settle() noexcept override { interrupt_.settle(); }
  bool usable() const noexcept override { return true; }
  InstanceMemory memory() const noexcept override { return {account_->used(), account_->limit()}; }
  bool idle_step() noexcept override;

 private:
  Call* take_call(CallId id, CallView& view, void* tag);
  Progress conclude(Call& call, Ref result) noexcept;
  Progress drive(Call& call) noexcept;
  PySendResult refuse_foreign(Call& call, PyObject* awaited, PyObject*& out) noexcept;
  Progress fail_with_error(Call& call) noexcept;
  Progress finished(Call& call) noexcept;
  void let_go(Call& call) noexcept;
  Progress refused(Call& call) noexcept;
  std::string accept(Call& call, PyObject* result);
  void name_doom(Fault& fault, std::string_view what) const;

  std::optional<LoadError> load_module(const Script& script);
  Ref run_module(const Script& script, PyObject* config);
  std::optional<LoadError> find_hooks(PyObject* module);
  bool run_init(PyObject* module, PyObject* config);
  LoadError load_error();
  LoadError load_error(std::string message) const;

  Host& host_;
  Watch watch_;  // of load, idle_step and the destructor; the pool has its own for calls
  Interrupt interrupt_;
  Account* account_;
  std::string path_;
  HookSet hooks_;
  std::array<Ref, 5> functions_;  // by Hook
  std::vector<std::string> dependencies_;
  Link* link_ = nullptr;
  Ref unit_;  // the prelude's Unit
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> free_;
  std::unordered_map<CallId, Call*> suspended_;
  WireWriter writer_;
  std::uint32_t calls_since_collect_ = 0;
  std::uint32_t collections_ = 0;
};

}  // namespace lingate::runtimes::python
