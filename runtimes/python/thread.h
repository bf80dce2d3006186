// Gil: the interpreter's lock, taken with the calling thread's own thread state, which is made at its first call and
// kept. Here: what runs on this thread, for those whom CPython calls without context (allocators, tracer, print).
//
// Thread: each has its own Here. Lifetime: a thread's state is cleared by the housekeeper after the thread has ended.
#pragma once

#include "runtimes/python/engine.h"

namespace lingate::runtimes::python {

class Account;
class Interrupt;
struct Call;
struct Link;

struct Here {
  PyThreadState* state = nullptr;
  Account* account = nullptr;      // pays for what is allocated
  Interrupt* interrupt = nullptr;  // of the instance that runs
  Link* link = nullptr;            // the instance that runs
  Call* call = nullptr;            // its call; nullptr while loading
};

inline Here& here() noexcept {
  static constinit thread_local Here current;
  return current;
}

// Makes this thread's state, with a recursion limit that its stack can bear.
PyThreadState* attach_thread();
// For the thread that initialised the interpreter and so has a state already.
void adopt_thread(PyThreadState* state);

class Gil {
 public:
  Gil() {
    PyThreadState* state = here().state;
    PyEval_RestoreThread(state != nullptr ? state : attach_thread());
  }
  ~Gil() { PyEval_SaveThread(); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;
};

}  // namespace lingate::runtimes::python
