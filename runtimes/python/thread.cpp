#include "runtimes/python/thread.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>

#include "runtimes/python/interpreter.h"

namespace lingate::runtimes::python {
namespace {

// Hands the state over when the thread ends: clearing it needs the lock, which a thread on its way out must not wait
// for.
struct Leaving {
  ~Leaving() {
    if (PyThreadState* state = std::exchange(here().state, nullptr)) interpreter().housekeeper.retire(state);
  }
  void touch() const noexcept {}
};

// Native code recurses too (repr of nested lists, __getattr__, json), at up to some 5 KiB of stack a level: a level may
// cost 8 KiB, so that Python's RecursionError comes before the stack's end.
int recursion_limit() {
  constexpr std::size_t kPerLevel = 8 * 1024;
  constexpr int kUsual = 1000;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return kUsual / 4;
  void* bottom = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
  return std::clamp(static_cast<int>(std::min<std::size_t>(size / kPerLevel, kUsual)), 50, kUsual);
}

}  // namespace

void adopt_thread(PyThreadState* state) {
  static const thread_local Leaving leaving;
  leaving.touch();
  const int limit = recursion_limit();
  state->recursion_remaining += limit - state->recursion_limit;
  state->recursion_limit = limit;
  here().state = state;
}

PyThreadState* attach_thread() {
  PyThreadState* state = PyThreadState_New(interpreter().state());
  adopt_thread(state);
  return state;
}

}  // namespace lingate::runtimes::python
