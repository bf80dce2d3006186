// Interpreter: the one CPython of the process: started isolated at first use, never finalised, because a thread may be
// held by C code that nobody can end. It owns what all instances share: the types of `req` and its parts, interned
// names, the prelude, the housekeeper.
//
// Thread: start_interpreter() from any, as often as one likes; interpreter() from any after that; members under the
// interpreter's lock unless they say otherwise.
// Lifetime: the process's.
#pragma once

#include "runtimes/python/engine.h"
#include "runtimes/python/housekeeper.h"

namespace lingate::runtimes::python {

struct Types {
  PyObject* error = nullptr;        // lingate.Error
  PyObject* interrupted = nullptr;  // see interrupt.h
  PyTypeObject* request = nullptr;
  PyTypeObject* response = nullptr;
  PyTypeObject* headers = nullptr;
  PyTypeObject* session = nullptr;
  PyTypeObject* client = nullptr;
  PyTypeObject* params = nullptr;
  PyTypeObject* answer = nullptr;
  PyTypeObject* sleep = nullptr;
  PyTypeObject* link = nullptr;
  PyTypeObject* stream = nullptr;
};

class Interpreter {
 public:
  PyInterpreterState* state() const noexcept { return state_; }
  PyObject* prelude(const char* function) const;  // borrowed

  // Frees what unloaded instances left in cycles, and puts everything that lives now out of the collector's sight.
  void collect_unloaded();
  // The same without collecting: after a load.
  void freeze();
  // One collector step of the given generation; the number of objects found.
  void collect(int generation);
  // After a script that went over its limit of memory: frees what it left and returns it to the system.
  void give_back();

  Types types;
  Housekeeper housekeeper;

 private:
  friend Interpreter& interpreter() noexcept;
  friend void start_interpreter();
  Interpreter();
  void run_prelude();

  static inline Interpreter* one_ = nullptr;

  PyInterpreterState* state_ = nullptr;
  PyObject* prelude_ = nullptr;  // its namespace
  PyObject* gc_ = nullptr;
  Interrupt quiet_;
};

void start_interpreter();

inline Interpreter& interpreter() noexcept {
  return *Interpreter::one_;
}

}  // namespace lingate::runtimes::python
