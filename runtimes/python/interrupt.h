// Interrupt: how a call that runs too long, or takes too much memory, is ended. Python's own means (an asynchronous
// exception) can be caught, so a C tracer is set on the thread that runs the call. It raises at the next line, call or
// backward jump; grants a moment in which `with` and `finally` work as written (locks of the standard library are
// released); and after that raises at every step until the call is over, so no handler can go on.
//
// Setting the tracer needs the interpreter's lock, which interrupt() must not wait for: it leaves a note, and the
// housekeeper's first thread (housekeeper.h) takes the lock, which CPython hands over at the next switch, and sets it.
// C code that never gives the lock is starved by the second: its next small allocation fails, which ends loops such as
// sum(range(10**12)). A note that finds its call over does nothing, so no innocent call is hit.
//
// Thread: request() from any; starved() and the tracer on the running thread; the rest under the lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtimes/python/engine.h"

namespace lingate::runtimes::python {

class Interrupt {
 public:
  enum class Doom : std::uint8_t { none, timeout, memory };

  // Any thread; neither blocks nor allocates.
  void request() noexcept;
  // Owner's thread, between calls.
  void settle() noexcept { requested_.store(false, std::memory_order_release); }
  bool requested() const noexcept { return requested_.load(std::memory_order_acquire); }

  // Around a call, under the lock. begin() answers false if the call was interrupted before it could start.
  bool begin(PyThreadState* state) noexcept;
  void end() noexcept;

  Doom doom() const noexcept { return doom_; }
  // From an allocator on the running thread: MemoryError is on its way.
  void out_of_memory() noexcept;
  // From now on no script code runs on this thread until end(): finalisers during the clean-up after a failure.
  void silence() noexcept;

  // ---- for the housekeeper ----
  void strike() noexcept;     // under the lock: sets the tracer if there is cause
  bool due() const noexcept;  // any thread: asked for, and still running
  // The alarm's thread, every 10 ms while it answers true: asked for, and still running. Starves a call that the tracer
  // cannot be set on, and, later, one that went back into C code with it.
  bool alarm() noexcept;

  bool starved() noexcept {
    if (starve_.load(std::memory_order_relaxed) == Starve::no) [[likely]]
      return false;
    return starve_once();
  }

  // What the tracer does at one event of the running thread: 0 go on, -1 an exception is set.
  int step(PyFrameObject* frame, int event, PyObject* argument) noexcept;

 private:
  void arm(Doom doom) noexcept;
  bool starve_once() noexcept;
  void begin_grace() noexcept;
  bool in_grace() noexcept;
  bool struck() const noexcept { return struck_.load(std::memory_order_acquire); }

  std::atomic<bool> requested_{false};
  std::atomic<PyThreadState*> running_{nullptr};
  std::atomic<bool> struck_{false};
  enum class Starve : std::uint8_t { no, untraced, anyway };
  std::atomic<Starve> starve_{Starve::no};
  std::uint32_t alarms_ = 0;  // with the tracer set; the alarm's thread only
  Doom doom_ = Doom::none;
  bool raised_ = false;      // the first exception is out: the grace runs
  std::uint32_t steps_ = 0;  // of the grace
  std::int64_t grace_began_ = 0;
};

// The exception that ends a call; a BaseException that scripts are not given.
PyObject* interrupted_type() noexcept;

}  // namespace lingate::runtimes::python
