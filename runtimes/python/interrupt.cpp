#include "runtimes/python/interrupt.h"

#include <time.h>

#include <cstring>

#include "runtimes/python/account.h"
#include "runtimes/python/interpreter.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

// The grace after the first exception: traced instructions, or time on the processor, whichever is spent first. Not
// time on the clock, because a thread that the machine does not run for a while must still get to release its locks.
constexpr std::uint32_t kGraceSteps = 20'000;
constexpr std::int64_t kGraceNanoseconds = 5'000'000;
constexpr std::uint32_t kStepsBetweenLooks = 32;
// And what the machinery may take beyond that.
constexpr std::int64_t kMachineryNanoseconds = 20'000'000;

std::int64_t processor_time() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

int tracer(PyObject*, PyFrameObject* frame, int event, PyObject* argument) {
  Interrupt* running = here().interrupt;
  return running != nullptr ? running->step(frame, event, argument) : 0;
}

// A line that jumps to itself ("while True: pass") has no line events: every instruction of this frame becomes one.
// Both are the script's to switch off: they are switched on again at the next strike.
void watch_closely(PyFrameObject* frame) {
  for (const char* const events : {"f_trace_opcodes", "f_trace_lines"})
    if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(frame), events, Py_True) != 0) PyErr_Clear();
}

// The import system and the prelude hold locks and half-made modules that all instances share, and they do not loop by
// themselves. A script's code may say that it is of theirs: they have their time, and no more.
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
  starve_.store(Starve::no, std::memory_order_relaxed);
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
  constexpr std::uint32_t kAlarmsForTheTracer = 10;
  if (!due()) {
    alarms_ = 0;
    return false;
  }
  if (!struck()) {
    starve_.store(Starve::untraced, std::memory_order_relaxed);
  } else if (++alarms_ > kAlarmsForTheTracer) {
    starve_.store(Starve::anyway, std::memory_order_relaxed);
  }
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
  begin_grace();  // MemoryError is the first exception
}

void Interrupt::silence() noexcept {
  arm(Doom::none);
  begin_grace();
  steps_ = kGraceSteps;
}

bool Interrupt::starve_once() noexcept {
  const Starve asked = starve_.exchange(Starve::no);
  if (running_.load(std::memory_order_acquire) == nullptr || asked == Starve::no) return false;
  if (asked == Starve::untraced && struck()) return false;  // the tracer came first: handlers work undisturbed
  arm(Doom::timeout);
  return true;
}

void Interrupt::begin_grace() noexcept {
  if (raised_) return;
  raised_ = true;
  grace_began_ = processor_time();
}

bool Interrupt::in_grace() noexcept {
  if (steps_ >= kGraceSteps) return false;
  ++steps_;
  if (steps_ % kStepsBetweenLooks == 0 && processor_time() - grace_began_ > kGraceNanoseconds) steps_ = kGraceSteps;
  return true;
}

int Interrupt::step(PyFrameObject* frame, int event, PyObject* argument) noexcept {
  // An exception that passes a frame is not replaced: at its return event nothing is left to stop.
  if (event == PyTrace_RETURN && argument == nullptr) return 0;
  if (event != PyTrace_OPCODE) watch_closely(frame);
  if (event == PyTrace_EXCEPTION) return 0;
  if (raised_ && in_grace()) return 0;
  if (raised_ && in_machinery(frame) && processor_time() - grace_began_ < kMachineryNanoseconds) return 0;
  begin_grace();
  PyErr_SetNone(interrupted_type());
  return -1;
}

PyObject* interrupted_type() noexcept {
  return interpreter().types.interrupted;
}

}  // namespace lingate::runtimes::python
