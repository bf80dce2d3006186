#include "runtimes/python/text.h"

#include <string>

#include "base/utf8.h"

namespace lingate::runtimes::python {
namespace {

// A surrogate between the two; none has a place in UTF-8.
bool holds_surrogate(PyObject* text, Py_UCS4 first, Py_UCS4 last, Py_UCS4 but_from = 0, Py_UCS4 but_to = 0) noexcept {
  const auto kind = PyUnicode_KIND(text);
  if (kind == PyUnicode_1BYTE_KIND) return false;
  const void* const characters = PyUnicode_DATA(text);
  for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); ++i) {
    const Py_UCS4 each = PyUnicode_READ(kind, characters, i);
    if (each >= first && each <= last && (each < but_from || each > but_to)) return true;
  }
  return false;
}

}  // namespace

bool utf8_of(PyObject* text, std::string_view& bytes) noexcept {
  if (!PyUnicode_Check(text) || holds_surrogate(text, 0xD800, 0xDFFF)) return false;
  Py_ssize_t size = 0;
  const char* const begin = PyUnicode_AsUTF8AndSize(text, &size);
  if (begin == nullptr) {
    PyErr_Clear();
    return false;
  }
  bytes = {begin, static_cast<std::size_t>(size)};
  return true;
}

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
  // Those that stand for bytes CPython encodes itself; for others it would ask the handler.
  const bool strict = holds_surrogate(text, 0xD800, 0xDFFF, 0xDC80, 0xDCFF);
  keep = Ref(PyUnicode_AsEncodedString(text, "utf-8", strict ? "strict" : "surrogateescape"));
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
