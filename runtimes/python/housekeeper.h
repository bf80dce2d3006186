// Housekeeper: two threads for what nobody else may wait for. The first waits for the interpreter's lock to set tracers
// (interrupt.h), to clear the states of threads that have ended, and to collect what unloaded instances leave. The
// second never takes the lock: while an interrupted call does not come back it starves it.
//
// Thread: knock() and retire() from any, they never wait for the interpreter; enrol() and remove() hold a short mutex.
// Lifetime: the process's, like the interpreter's: a thread may be stuck in C code that nobody can end.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "runtimes/python/engine.h"
#include "runtimes/python/interrupt.h"

namespace lingate::runtimes::python {

class Housekeeper {
 public:
  Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  void start();  // once the interpreter runs

  void enrol(Interrupt& interrupt);
  void remove(Interrupt& interrupt) noexcept;

  void knock() noexcept;
  void retire(PyThreadState* state);
  void collect_soon() noexcept;  // an instance was unloaded

 private:
  [[noreturn]] void serve();      // the thread with the lock
  [[noreturn]] void supervise();  // the thread without
  void strike_all();
  bool starve_all();
  bool strike_again() noexcept;

  sem_t work_;
  sem_t alarm_;
  std::atomic<bool> collect_{false};
  std::mutex mutex_;  // enrolled_, retired_; nobody waits for the interpreter while holding it
  std::vector<Interrupt*> enrolled_;
  std::vector<PyThreadState*> retired_;
};

}  // namespace lingate::runtimes::python
