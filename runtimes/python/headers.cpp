// req.headers and res.headers: a mapping whose names compare without case and may have several lines.
#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"

namespace lingate::runtimes::python {
namespace {

constexpr const char* kName = "a header's name";
constexpr const char* kValue = "a header's value";

HeadView* head(PyObject* self, Call*& call) {
  call = live(self);
  return call != nullptr ? &head_of(*call, reinterpret_cast<Bound*>(self)->side) : nullptr;
}

PyObject* subscript(PyObject* self, PyObject* key) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  Ref keep;
  if (view == nullptr || !bytes_of(key, kName, name, keep)) return nullptr;
  if (const std::string_view* value = view->get(name)) return text_from(*value);
  PyErr_SetObject(PyExc_KeyError, key);
  return nullptr;
}

// One text, or the texts of a list, into call.values.
bool collect_values(Call& call, PyObject* value) {
  call.values.clear();
  call.kept.clear();
  PyObject* const* items = &value;
  Py_ssize_t count = 1;
  if (PyList_Check(value) || PyTuple_Check(value)) {
    items = PySequence_Fast_ITEMS(value);
    count = PySequence_Fast_GET_SIZE(value);
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    std::string_view bytes;
    Ref keep;
    if (!bytes_of(items[i], kValue, bytes, keep)) return false;
    call.values.push_back(bytes);
    if (keep) call.kept.push_back(std::move(keep));
  }
  return true;
}

int assign(PyObject* self, PyObject* key, PyObject* value) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  Ref keep;
  if (view == nullptr || !bytes_of(key, kName, name, keep)) return -1;
  Refusal no;
  if (value == nullptr || value == Py_None) {
    no = view->remove(name);
  } else if (collect_values(*call, value)) {
    no = view->set(name, call->values);
  } else {
    return -1;
  }
  if (no) raise(*no);
  return no ? -1 : 0;
}

PyObject* names_of(PyObject* self) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  if (view == nullptr) return nullptr;
  const Uncollected here;
  view->names(call->values);
  Ref list(PyList_New(static_cast<Py_ssize_t>(call->values.size())));
  if (!list) return nullptr;
  for (std::size_t i = 0; i < call->values.size(); ++i) {
    PyObject* name = text_from(call->values[i]);
    if (name == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), name);
  }
  return list.release();
}

Py_ssize_t length(PyObject* self) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  if (view == nullptr) return -1;
  view->names(call->values);
  return static_cast<Py_ssize_t>(call->values.size());
}

int contains(PyObject* self, PyObject* key) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  Ref keep;
  if (view == nullptr || !bytes_of(key, kName, name, keep)) return -1;
  return view->get(name) != nullptr ? 1 : 0;
}

PyObject* iterate(PyObject* self) {
  const Ref names(names_of(self));
  return names ? PyObject_GetIter(names.get()) : nullptr;
}

bool arguments(const char* function, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most) {
  if (count >= least && count <= most) return true;
  PyErr_Format(PyExc_TypeError, "headers.%s() takes %zd to %zd arguments, not %zd", function, least, most, count);
  return false;
}

PyObject* get(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  Ref keep;
  if (view == nullptr || !arguments("get", count, 1, 2) || !bytes_of(args[0], kName, name, keep)) return nullptr;
  if (const std::string_view* value = view->get(name)) return text_from(*value);
  return Py_NewRef(count == 2 ? args[1] : Py_None);
}

PyObject* values(PyObject* self, PyObject* key) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  Ref keep;
  if (view == nullptr || !bytes_of(key, kName, name, keep)) return nullptr;
  const Uncollected here;
  call->values.clear();
  view->values(name, call->values);
  Ref list(PyList_New(static_cast<Py_ssize_t>(call->values.size())));
  if (!list) return nullptr;
  for (std::size_t i = 0; i < call->values.size(); ++i) {
    PyObject* text = text_from(call->values[i]);
    if (text == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), text);
  }
  return list.release();
}

PyObject* add(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  std::string_view name;
  std::string_view value;
  Ref keep_name;
  Ref keep_value;
  if (view == nullptr || !arguments("add", count, 2, 2) || !bytes_of(args[0], kName, name, keep_name) ||
      !bytes_of(args[1], kValue, value, keep_value))
    return nullptr;
  if (const Refusal no = view->add(name, value)) return raise(*no);
  Py_RETURN_NONE;
}

PyObject* lines(PyObject* self, PyObject*) {
  Call* call = nullptr;
  HeadView* view = head(self, call);
  if (view == nullptr) return nullptr;
  const Uncollected here;
  const auto all = view->lines();
  Ref list(PyList_New(static_cast<Py_ssize_t>(all.size())));
  if (!list) return nullptr;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Ref name(text_from(all[i].name));
    const Ref value(text_from(all[i].value));
    PyObject* pair = name && value ? PyTuple_Pack(2, name.get(), value.get()) : nullptr;
    if (pair == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), pair);
  }
  return list.release();
}

template <class Function>
PyCFunction function(Function* what) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(what));
}

}  // namespace

PyTypeObject* make_headers_type() {
  static PyMethodDef methods[] = {
      {"get", function(get), METH_FASTCALL, "get(name, default=None): the first line's value"},
      {"values", values, METH_O, "values(name): the values of all lines of that name"},
      {"add", function(add), METH_FASTCALL, "add(name, value): one more line"},
      {"lines", lines, METH_NOARGS, "lines(): (name, value) pairs in order"},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc), slot(Py_mp_subscript, subscript),
      slot(Py_mp_ass_subscript, assign),  slot(Py_mp_length, length),
      slot(Py_sq_contains, contains),     slot(Py_tp_iter, iterate),
      {Py_tp_methods, methods},           {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Headers", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
