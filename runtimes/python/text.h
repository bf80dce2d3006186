// Text between Python and bytes: headers, paths and queries are text whose bytes need not be UTF-8; those that are not
// travel as lone surrogates ("surrogateescape"), so that a round trip changes nothing.
//
// Thread: under the interpreter's lock.
#pragma once

#include <string>
#include <string_view>

#include "runtimes/python/engine.h"

namespace lingate::runtimes::python {

// New reference, or nullptr with an error set.
inline PyObject* text_from(std::string_view bytes) {
  return PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
}

inline PyObject* bytes_from(std::string_view bytes) {
  return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

inline std::string_view view_of_bytes(PyObject* bytes) {
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

// The text's own UTF-8. False, without an error: it is no text, or holds lone surrogates.
bool utf8_of(PyObject* text, std::string_view& bytes) noexcept;

// The bytes of a text. No codec's error handler is asked: a script may register its own. `keep` holds them where the
// text's own memory does not, and must live as long as the view. False: an error is set ("NAME must be str, not int").
bool bytes_of(PyObject* text, const char* name, std::string_view& bytes, Ref& keep);

// The bytes of text, bytes, bytearray or a buffer. None is refused like any other object: what is absent must not pass
// for what is empty. False: an error is set.
bool payload_of(PyObject* value, const char* name, std::string_view& bytes, Ref& keep);

// At most `size` bytes of str(object); never fails and leaves no error set.
std::string cut_text(PyObject* text, std::size_t size);

}  // namespace lingate::runtimes::python
