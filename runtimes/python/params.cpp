// req.params: what the route's pattern has matched, a mapping that can be read and dies with the call.
#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"

namespace lingate::runtimes::python {
namespace {

// The dict behind it, made when it is first asked for; borrowed, nullptr with an error set.
PyObject* dict_of(PyObject* self) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  if (call->params) return call->params.get();
  const Uncollected here;
  Ref map(PyDict_New());
  if (!map) return nullptr;
  for (const auto& [name, value] : call->view->params()) {
    const Ref key(text_from(name));
    const Ref text(text_from(value));
    if (!key || !text || PyDict_SetItem(map.get(), key.get(), text.get()) != 0) return nullptr;
  }
  call->params = std::move(map);
  return call->params.get();
}

// Does with the dict what a function of CPython's does.
template <auto kFunction, class Result = PyObject*, Result kError = nullptr>
Result on_dict(PyObject* self) {
  PyObject* const dict = dict_of(self);
  return dict != nullptr ? kFunction(dict) : kError;
}

template <auto kFunction>
PyObject* method(PyObject* self, PyObject*) {
  return on_dict<kFunction>(self);
}

PyObject* subscript(PyObject* self, PyObject* key) {
  PyObject* const dict = dict_of(self);
  return dict != nullptr ? PyObject_GetItem(dict, key) : nullptr;
}

int contains(PyObject* self, PyObject* key) {
  PyObject* const dict = dict_of(self);
  return dict != nullptr ? PyDict_Contains(dict, key) : -1;
}

PyObject* get(PyObject* self, PyObject* arguments) {
  PyObject* key = nullptr;
  PyObject* otherwise = Py_None;
  PyObject* const dict = dict_of(self);
  if (dict == nullptr || PyArg_ParseTuple(arguments, "O|O:get", &key, &otherwise) == 0) return nullptr;
  PyObject* const value = PyDict_GetItemWithError(dict, key);
  if (value == nullptr && PyErr_Occurred() != nullptr) return nullptr;
  return Py_NewRef(value != nullptr ? value : otherwise);
}

PyObject* compare(PyObject* self, PyObject* other, int operation) {
  PyObject* const dict = dict_of(self);
  if (dict == nullptr) return nullptr;
  if (Py_TYPE(other) == Py_TYPE(self)) other = dict_of(other);
  return other != nullptr ? PyObject_RichCompare(dict, other, operation) : nullptr;
}

}  // namespace

PyTypeObject* make_params_type() {
  static PyMethodDef methods[] = {
      {"get", get, METH_VARARGS, "get(name, default=None): the value of that name"},
      {"keys", method<PyDict_Keys>, METH_NOARGS, "keys(): the names"},
      {"values", method<PyDict_Values>, METH_NOARGS, "values(): the values"},
      {"items", method<PyDict_Items>, METH_NOARGS, "items(): (name, value) pairs"},
      {"copy", method<PyDict_Copy>, METH_NOARGS, "copy(): a dict of the script's own"},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      slot(Py_mp_subscript, subscript),
      slot(Py_mp_length, on_dict<PyDict_Size, Py_ssize_t, -1>),
      slot(Py_sq_contains, contains),
      slot(Py_tp_iter, on_dict<PyObject_GetIter>),
      slot(Py_tp_richcompare, compare),
      slot(Py_tp_repr, on_dict<PyObject_Repr>),
      slot(Py_tp_hash, PyObject_HashNotImplemented),
      {Py_tp_methods, methods},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Params", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
