#include "runtimes/python/interrupt.h"

#include <cstring>

#include "runtimes/python/account.h"
#include "runtimes/python/interpreter.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

// Traced instructions after the first exception: some milliseconds. Not a time, because a thread that the machine does
// not run for a while must still get to release its locks.
constexpr std::uint32_t kGrace = 20'000;

int tracer(PyObject*, PyFrameObject* frame, int event, PyObject* argument) {
  Interrupt* running = here().interrupt;
  return running != nullptr ? running->step(frame, event, argument) : 0;
}

// A line that jumps to itself ("while True: pass") has no line events: every instruction of this frame becomes one.
void watch_closely(PyFrameObject* frame) {
  if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(frame), "f_trace_opcodes", Py_True) != 0) PyErr_Clear();
}

// The import system and the prelude hold locks and half-made modules that all instances share, and they cannot loop by
// themselves.
bool in_machinery(PyFrameObject* frame) {
  PyCodeObject* code = PyFrame_GetCode(frame);
  Py_ssize_t size = 0;
  const char* file = PyUnicode_AsUTF8AndSize(code->co_filename, &size);
  const bool yes =
      file != nullptr && (std::strncmp(file, "<frozen importlib", 17) == 0 || std::strcmp(file, "<lingate>") == 0);
  if (file == nullptr) PyErr_Clear();
  Py_DECREF(code);
  return yes;
}

}  // namespace

void Interrupt::request() noexcept {
  requested_.store(true, std::memory_order_release);
  interpreter().housekeeper.knock();
}

bool Interrupt::begin(PyThreadState* state) noexcept {
  running_.store(state, std::memory_order_release);
  if (!requested()) [[likely]]
    return true;
  doom_ = Doom::timeout;
  return false;
}

void Interrupt::end() noexcept {
  PyThreadState* state = running_.exchange(nullptr, std::memory_order_acq_rel);
  if (struck()) {
    state->c_tracefunc = nullptr;
    state->cframe->use_tracing = 0;
    struck_.store(false, std::memory_order_release);
  }
  starve_.store(false, std::memory_order_relaxed);
  doom_ = Doom::none;
  raised_ = false;
  steps_ = 0;
}

// What PyEval_SetTrace does, without its audit event and its reference counting, which an allocator cannot afford. The
// fields belong to a thread that either is this one or waits for the lock we hold.
void Interrupt::arm(Doom doom) noexcept {
  if (doom_ == Doom::none) doom_ = doom;
  if (struck()) return;
  PyThreadState* state = running_.load(std::memory_order_acquire);
  state->c_tracefunc = tracer;
  if (state->tracing == 0) state->cframe->use_tracing = 255;
  struck_.store(true, std::memory_order_release);
}

bool Interrupt::due() const noexcept {
  return requested() && running_.load(std::memory_order_acquire) != nullptr;
}

bool Interrupt::alarm() noexcept {
  constexpr std::uint32_t kAlarmsForTheTracer = 5;
  if (!due()) {
    alarms_ = 0;
    return false;
  }
  if (++alarms_ > kAlarmsForTheTracer || !struck()) starve_.store(true, std::memory_order_relaxed);
  return true;
}

void Interrupt::strike() noexcept {
  if (!due()) return;
  arm(Doom::timeout);
  PyFrameObject* frame = PyThreadState_GetFrame(running_.load(std::memory_order_acquire));
  if (frame == nullptr) return;
  watch_closely(frame);
  Py_DECREF(frame);
}

void Interrupt::out_of_memory() noexcept {
  if (running_.load(std::memory_order_acquire) == nullptr) return;
  arm(Doom::memory);
  here().account->allow_unwinding(true);
  raised_ = true;  // MemoryError is the first exception
}

void Interrupt::silence() noexcept {
  arm(Doom::none);
  raised_ = true;
  steps_ = kGrace;
}

bool Interrupt::starve_once() noexcept {
  if (running_.load(std::memory_order_acquire) == nullptr || !starve_.exchange(false)) return false;
  arm(Doom::timeout);
  return true;
}

int Interrupt::step(PyFrameObject* frame, int event, PyObject* argument) noexcept {
  // An exception that passes a frame is not replaced: at its return event nothing is left to stop.
  if (event == PyTrace_RETURN && argument == nullptr) return 0;
  if (event != PyTrace_OPCODE) watch_closely(frame);
  if (event == PyTrace_EXCEPTION) return 0;
  if (raised_ && steps_ < kGrace) {
    ++steps_;
    return 0;
  }
  if (raised_ && in_machinery(frame)) return 0;
  raised_ = true;
  PyErr_SetNone(interrupted_type());
  return -1;
}

PyObject* interrupted_type() noexcept {
  return interpreter().types.interrupted;
}

}  // namespace lingate::runtimes::python
