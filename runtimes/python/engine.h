// The one door to CPython's headers, and Ref: an owned reference, so that every early return gives back what it took.
//
// Thread: whoever holds the interpreter's lock (Gil, thread.h). Lifetime: a Ref must die under the lock.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string_view>
#include <utility>

static_assert(PY_MAJOR_VERSION == 3 && PY_MINOR_VERSION == 11, "the tracer of interrupt.cpp is written for 3.11");

namespace lingate::runtimes::python {

class Ref {
 public:
  Ref() = default;
  // Takes over a new reference (nullptr: an error is set, or nothing).
  explicit Ref(PyObject* owned) noexcept : object_(owned) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
    Py_XDECREF(old);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Py_XDECREF(object_); }

  static Ref shared(PyObject* borrowed) noexcept { return Ref(Py_XNewRef(borrowed)); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  PyObject* get() const noexcept { return object_; }
  PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  void reset() noexcept { *this = Ref(); }

 private:
  PyObject* object_ = nullptr;
};

// While one lives nothing is collected, so no finaliser and no callback of a script runs in the middle of a function
// that holds views or is making a container: any container that is made may collect.
class Uncollected {
 public:
  Uncollected() noexcept : was_on_(PyGC_Disable() != 0) {}
  ~Uncollected() {
    if (was_on_) PyGC_Enable();
  }
  Uncollected(const Uncollected&) = delete;
  Uncollected& operator=(const Uncollected&) = delete;

 private:
  const bool was_on_;
};

// An error that is set, put aside while something else runs.
class Saved {
 public:
  Saved() noexcept { PyErr_Fetch(&type_, &value_, &traceback_); }
  ~Saved() { PyErr_Restore(type_, value_, traceback_); }
  Saved(const Saved&) = delete;
  Saved& operator=(const Saved&) = delete;

 private:
  PyObject* type_ = nullptr;
  PyObject* value_ = nullptr;
  PyObject* traceback_ = nullptr;
};

}  // namespace lingate::runtimes::python
