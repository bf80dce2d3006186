// lingate.sleep(seconds): what a hook awaits. The awaitable yields itself up to the instance (instance.cpp), which
// suspends the call; when the call is resumed it returns, or raises what the host answered.
#include <cmath>

#include "runtimes/python/objects.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

PyObject* awaited(PyObject* self) {
  return Py_NewRef(self);
}

PyObject* step(PyObject* self) {
  auto* sleep = reinterpret_cast<Sleep*>(self);
  switch (sleep->state) {
    case Sleep::State::fresh:
      if (here().call != sleep->owner || !sleep->owner->driven) return raise("sleep() belongs to a call that is over");
      sleep->state = Sleep::State::waiting;
      return Py_NewRef(self);
    case Sleep::State::waiting:
      sleep->state = Sleep::State::done;
      if (sleep->error != nullptr) PyErr_SetObject(interpreter().types.error, sleep->error);
      return nullptr;  // without an error: the await is over, its value None
    case Sleep::State::done: break;
  }
  return raise("sleep() was awaited already");
}

void dealloc(PyObject* self) {
  auto* sleep = reinterpret_cast<Sleep*>(self);
  if (sleep->state == Sleep::State::fresh && here().link != nullptr) {
    const Saved error;
    log_line(LogLevel::warn, "lingate.sleep() was called but never awaited: write 'await lingate.sleep(...)'");
  }
  Py_XDECREF(sleep->error);
  bound_dealloc(self);
}

}  // namespace

PyObject* sleep_for(PyObject*, PyObject* seconds) {
  const double value = PyBool_Check(seconds) ? NAN : PyFloat_AsDouble(seconds);
  if (value == -1 && PyErr_Occurred() != nullptr) return nullptr;
  Call* call = here().call;
  if (call == nullptr) return raise("sleep() works in a hook only");
  if (!call->driven)
    return raise("sleep() suspends the call: make the hook 'async def' and write 'await lingate.sleep(...)'");
  if (!(value >= 0) || std::isinf(value)) return raise("sleep(): the seconds must be a number, 0 or more");
  auto* sleep = PyObject_New(Sleep, interpreter().types.sleep);
  if (sleep == nullptr) return nullptr;
  sleep->owner = call;
  sleep->seconds = value;
  sleep->state = Sleep::State::fresh;
  sleep->error = nullptr;
  return reinterpret_cast<PyObject*>(sleep);
}

PyTypeObject* make_sleep_type() {
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, dealloc),
      slot(Py_am_await, awaited),
      slot(Py_tp_iter, awaited),
      slot(Py_tp_iternext, step),
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Sleep", sizeof(Sleep), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
