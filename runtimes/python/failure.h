// Failures: the Python error that is set, as the bounded text, place and stack that a verdict or a LoadError carries.
// An exception may be of any size and its __str__ may fail: no such thing gets past here.
//
// Thread: under the interpreter's lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtimes/python/engine.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::python {

struct Fault {
  FailureKind kind = FailureKind::exception;
  std::string message;
  std::string file;
  std::uint32_t line = 0;
  std::vector<std::string> stack;  // innermost first
};

// Takes the error that is set and clears it.
Fault take_fault();

// "ValueError: no such key", cut; never fails.
std::string describe(PyObject* type, PyObject* value);

}  // namespace lingate::runtimes::python
