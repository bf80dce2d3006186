#include "runtimes/python/text.h"

#include <string>

#include "base/utf8.h"

namespace lingate::runtimes::python {

bool bytes_of(PyObject* text, const char* name, std::string_view& bytes, Ref& keep) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.100s", name, Py_TYPE(text)->tp_name);
    return false;
  }
  if (PyUnicode_IS_COMPACT_ASCII(text)) {
    bytes = {reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
             static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))};
    return true;
  }
  keep = Ref(PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape"));
  if (!keep) return false;
  bytes = view_of_bytes(keep.get());
  return true;
}

bool payload_of(PyObject* value, const char* name, std::string_view& bytes, Ref& keep) {
  if (PyBytes_Check(value)) {
    bytes = view_of_bytes(value);
    return true;
  }
  if (PyUnicode_Check(value)) return bytes_of(value, name, bytes, keep);
  if (PyObject_CheckBuffer(value) == 0) {
    PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %.100s", name, Py_TYPE(value)->tp_name);
    return false;
  }
  keep = Ref(PyBytes_FromObject(value));
  if (!keep) return false;
  bytes = view_of_bytes(keep.get());
  return true;
}

std::string cut_text(PyObject* text, std::size_t size) {
  if (text == nullptr || !PyUnicode_Check(text)) return {};
  const Ref head(PyUnicode_Substring(text, 0, static_cast<Py_ssize_t>(size)));
  const Ref bytes(head ? PyUnicode_AsEncodedString(head.get(), "utf-8", "backslashreplace") : nullptr);
  if (!bytes) {
    PyErr_Clear();
    return {};
  }
  return std::string(utf8::cut(view_of_bytes(bytes.get()), size));
}

}  // namespace lingate::runtimes::python
