#include "runtimes/python/instance.h"

#include <chrono>
#include <string>

#include "runtimes/python/failure.h"
#include "runtimes/python/interpreter.h"
#include "runtimes/python/objects.h"
#include "runtimes/python/running.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

using Doom = Interrupt::Doom;

constexpr std::string_view kHookNames[] = {"", "init", "request", "response", "log"};
constexpr std::uint32_t kCallsBetweenCollections = 256;
constexpr std::uint32_t kFullCollectionEvery = 32;
constexpr std::chrono::milliseconds kIdleBudget{50};

// The hook's arguments in order: (req, ctx) or (res, req, ctx), as many as it takes.
bool make_arguments(Call& call, std::int8_t arity, std::array<PyObject*, 4>& arguments) {
  std::size_t place = 1;  // the first is the callee's to use
  std::int8_t left = arity;
  const auto add = [&](PyObject* object) {
    arguments[place++] = object;
    --left;
    return object != nullptr;
  };
  if (left > 0 && call.hook != Hook::request && !add(call.part(Part::response))) return false;
  if (left > 0 && !add(call.part(Part::request))) return false;
  return left <= 0 || add(call.make_context());
}

}  // namespace

Call* ModuleInstance::take_call(CallId id, CallView& view, void* tag) {
  if (free_.empty()) {
    calls_.push_back(std::make_unique<Call>());
    free_.push_back(calls_.back().get());
  }
  Call* call = free_.back();
  free_.pop_back();
  call->id = id;
  call->hook = view.hook();
  call->tag = tag;
  call->driven = false;
  ++call->serial;
  call->answers = 0;
  call->view = &view;
  return call;
}

Progress ModuleInstance::start(CallId id, CallView& view, void* tag) noexcept {
  const Running running(*account_, interrupt_, link_);
  ++calls_since_collect_;
  Call& call = *take_call(id, view, tag);
  here().call = &call;
  if (!running.started()) return refused(call);
  std::array<PyObject*, 4> arguments{};
  const std::int8_t arity = hooks_.arity(call.hook);
  if (!make_arguments(call, arity, arguments)) return conclude(call, Ref());
  Ref result(PyObject_Vectorcall(functions_[static_cast<std::size_t>(call.hook)].get(), &arguments[1],
                                 static_cast<std::size_t>(arity) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  if (!result || !PyCoro_CheckExact(result.get())) return conclude(call, std::move(result));
  call.coroutine = std::move(result);
  return drive(call);
}

Progress ModuleInstance::resume(CallId id, const HostResult& result) noexcept {
  const Running running(*account_, interrupt_, link_);
  const auto found = suspended_.find(id);
  Call& call = *found->second;
  suspended_.erase(found);
  here().call = &call;
  if (!running.started()) return refused(call);
  if (!result.error.empty())
    reinterpret_cast<Sleep*>(call.awaiting.get())->error =
        PyUnicode_DecodeUTF8(result.error.data(), static_cast<Py_ssize_t>(result.error.size()), "replace");
  call.awaiting.reset();
  return drive(call);
}

// Runs the coroutine to its end or to the next await.
Progress ModuleInstance::drive(Call& call) noexcept {
  call.driven = true;
  PyObject* out = nullptr;
  PySendResult sent = PyIter_Send(call.coroutine.get(), Py_None, &out);
  while (sent == PYGEN_NEXT) {
    Ref awaited(out);
    if (interrupt_.doom() != Doom::none) return conclude(call, Ref());
    if (Py_TYPE(awaited.get()) == interpreter().types.sleep) {
      call.driven = false;
      call.awaiting = std::move(awaited);
      suspended_.emplace(call.id, &call);
      flush_lines(*link_);
      return {.state = Progress::State::suspended,
              .operation = {.kind = HostOperation::Kind::sleep,
                            .seconds = reinterpret_cast<Sleep*>(call.awaiting.get())->seconds}};
    }
    sent = refuse_foreign(call, awaited.get(), out);
  }
  call.driven = false;
  return conclude(call, Ref(out));
}

// There is no event loop here: whatever else is awaited raises where it is awaited.
PySendResult ModuleInstance::refuse_foreign(Call& call, PyObject* awaited, PyObject*& out) noexcept {
  const std::string text = "cannot await an object of type " + std::string(Py_TYPE(awaited)->tp_name).substr(0, 100) +
                           ": a hook awaits lingate.sleep(), there is no asyncio loop";
  const Ref error(PyObject_CallFunction(interpreter().types.error, "s", text.c_str()));
  out = error ? PyObject_CallMethod(call.coroutine.get(), "throw", "O", error.get()) : nullptr;
  if (out != nullptr) return PYGEN_NEXT;
  return _PyGen_FetchStopIterationValue(&out) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

void ModuleInstance::cancel(CallId id) noexcept {
  const auto found = suspended_.find(id);
  if (found == suspended_.end()) return;
  Call& call = *found->second;
  suspended_.erase(found);
  const Running running(*account_, interrupt_, link_);
  here().call = &call;
  call.awaiting.reset();
  if (!running.started()) interrupt_.silence();
  call.driven = true;
  const Ref closed(PyObject_CallMethod(call.coroutine.get(), "close", nullptr));
  call.driven = false;
  if (!closed) {
    PyErr_Clear();
    interrupt_.silence();  // it goes on awaiting: what is left of it runs no more
  }
  let_go(call);
  flush_lines(*link_);
  free_.push_back(&call);
}

// Is what the hook returned an outcome? A text: why not.
std::string ModuleInstance::accept(Call& call, PyObject* result) {
  if (result == Py_None) {
    if (call.answers != 0) call.view->drop_answer();
    return {};
  }
  const std::string hook(kHookNames[static_cast<std::size_t>(call.hook)]);
  if (Py_TYPE(result) != interpreter().types.answer)
    return hook + "() returned an object of type " + std::string(Py_TYPE(result)->tp_name).substr(0, 100) +
           "; return nothing, or what lingate.respond() returns";
  const auto* answer = reinterpret_cast<const Answer*>(result);
  if (answer->owner != &call || answer->serial != call.serial)
    return hook + "() returned the response of another call; call lingate.respond() anew";
  if (answer->number != call.answers && !build_answer(call, answer->status, answer->body, answer->headers)) {
    PyErr_Clear();
    return hook + "() returned a response whose parts have been changed since into what is no response";
  }
  return {};
}

// The hook has ended: with `result`, or with the error that is set.
Progress ModuleInstance::conclude(Call& call, Ref result) noexcept {
  if (!result || interrupt_.doom() != Doom::none) return fail_with_error(call);
  std::string why = accept(call, result.get());
  if (why.empty()) why = call.keep_containers(writer_);
  if (PyErr_Occurred() != nullptr) PyErr_Clear();
  let_go(call);
  result.reset();  // a finaliser of what respond() was given comes too late as well
  if (interrupt_.doom() != Doom::none) return fail_with_error(call);
  if (!why.empty()) call.view->fail(FailureKind::invalid, why, path_);
  return finished(call);
}

Progress ModuleInstance::fail_with_error(Call& call) noexcept {
  Fault fault = take_fault();
  name_doom(fault, std::string(kHookNames[static_cast<std::size_t>(call.hook)]) + "()");
  if (fault.file.empty()) fault.file = path_;
  interrupt_.silence();
  let_go(call);
  if (fault.kind == FailureKind::memory) interpreter().give_back();
  call.view->fail(fault.kind, fault.message, fault.file, fault.line, fault.stack);
  return finished(call);
}

void ModuleInstance::name_doom(Fault& fault, std::string_view what) const {
  const Doom doom = interrupt_.doom();
  if (doom == Doom::timeout) {
    fault.kind = FailureKind::timeout;
    fault.message = std::string(what) + " ran longer than its budget";
  } else if (doom == Doom::memory || fault.kind == FailureKind::memory) {
    fault.kind = FailureKind::memory;
    fault.message = std::string(what) + " took more memory than its limit of " + std::to_string(account_->limit()) +
                    " bytes leaves";
  }
}

Progress ModuleInstance::refused(Call& call) noexcept {
  interrupt_.silence();
  let_go(call);
  call.view->fail(FailureKind::unavailable, "the Python interpreter was held by another call for the whole budget");
  return finished(call);
}

// What the script printed is this call's; what finalisers print now, no call's.
void ModuleInstance::let_go(Call& call) noexcept {
  flush_lines(*link_);
  call.release();
}

Progress ModuleInstance::finished(Call& call) noexcept {
  flush_lines(*link_);
  free_.push_back(&call);
  return {};
}

bool ModuleInstance::idle_step() noexcept {
  if (calls_since_collect_ < kCallsBetweenCollections) return false;
  calls_since_collect_ = 0;
  watch_.arm(Clock::now() + kIdleBudget);  // finalisers are script code
  {
    const Running running(*account_, interrupt_, link_);
    interpreter().collect(++collections_ % kFullCollectionEvery == 0 ? 2 : 1);
    flush_lines(*link_);
  }
  if (watch_.disarm()) settle();
  return false;
}

}  // namespace lingate::runtimes::python
