// What a script says: lingate.log, print, and the exceptions that nobody could catch. All of it goes to the host's log
// with the tag of the call that runs; what a script's own thread prints goes to the process's stderr.
#include <unistd.h>

#include <string>

#include "base/utf8.h"
#include "runtimes/python/failure.h"
#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"
#include "runtimes/python/thread.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

constexpr std::size_t kMessage = 4096;

struct Stream {
  PyObject_HEAD bool errors;  // stderr
};

void emit(Link& link, bool errors, std::string& line) {
  if (link.host != nullptr)
    link.host->log(errors ? LogLevel::warn : LogLevel::info, utf8::cut(line, kMessage), {},
                   here().call != nullptr ? here().call->tag : nullptr);
  line.clear();
}

// Whole lines are logged; what follows the last line break waits for more, or for the end of the call.
PyObject* write(PyObject* self, PyObject* text) {
  const bool errors = reinterpret_cast<Stream*>(self)->errors;
  std::string_view bytes;
  Ref keep;
  if (!bytes_of(text, "write(): the text", bytes, keep)) return nullptr;
  const Py_ssize_t written = PyUnicode_GET_LENGTH(text);
  Link* link = here().link;
  if (link == nullptr) {
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    return PyLong_FromSsize_t(written);
  }
  std::string& line = link->lines[errors ? 1 : 0];
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (line.size() <= kMessage) line.append(piece.substr(0, kMessage + 4 - std::min(line.size(), kMessage)));
    if (end == std::string_view::npos) break;
    emit(*link, errors, line);
    bytes.remove_prefix(end + 1);
  }
  return PyLong_FromSsize_t(written);
}

PyObject* nothing(PyObject*, PyObject*) {
  Py_RETURN_NONE;
}

PyObject* no(PyObject*, PyObject*) {
  Py_RETURN_FALSE;
}

PyObject* yes(PyObject*, PyObject*) {
  Py_RETURN_TRUE;
}

PyObject* encoding(PyObject*, void*) {
  return PyUnicode_FromString("utf-8");
}

// An exception in __del__ or a weak reference's callback: Python has nobody to raise it to.
PyObject* unraisable(PyObject*, PyObject* hooked) {
  const Ref type(PyObject_GetAttrString(hooked, "exc_type"));
  if (type && type.get() != interpreter().types.interrupted && here().link != nullptr) {
    const Ref value(PyObject_GetAttrString(hooked, "exc_value"));
    const Ref place(PyObject_GetAttrString(hooked, "object"));
    log_line(LogLevel::warn, "exception ignored in a finaliser: " + describe(type.get(), value.get()));
  }
  PyErr_Clear();
  Py_RETURN_NONE;
}

PyObject* make_stream(bool errors) {
  auto* stream = PyObject_New(Stream, interpreter().types.stream);
  if (stream != nullptr) stream->errors = errors;
  return reinterpret_cast<PyObject*>(stream);
}

void link_dealloc(PyObject* self) {
  delete[] reinterpret_cast<Link*>(self)->lines;
  bound_dealloc(self);
}

}  // namespace

void log_line(LogLevel level, std::string_view message, std::string_view fields) {
  const Here& now = here();
  if (now.link == nullptr || now.link->host == nullptr) return;
  now.link->host->log(level, utf8::cut(message, kMessage), fields, now.call != nullptr ? now.call->tag : nullptr);
}

void flush_lines(Link& link) {
  for (const bool errors : {false, true})
    if (std::string& line = link.lines[errors ? 1 : 0]; !line.empty()) emit(link, errors, line);
}

PyObject* log_at(LogLevel level, PyObject* args, PyObject* names) {
  static const char* const kNames[] = {"message", "fields", nullptr};
  PyObject* message = nullptr;
  PyObject* fields = nullptr;
  if (PyArg_ParseTupleAndKeywords(args, names, "O|O", const_cast<char**>(kNames), &message, &fields) == 0)
    return nullptr;
  const Ref text(PyObject_Str(message));
  if (!text) return nullptr;
  JsonWriter json({.bytes = 64 * 1024, .depth = 32});
  if (fields != nullptr && fields != Py_None) {
    if (!PyDict_Check(fields)) return raise("log: the fields must be a dict");
    if (const std::string why = write_any(fields, "fields", json, json.error()); !why.empty())
      return raise("log: " + why);
  }
  if (here().link == nullptr)
    return raise(
        "log: a thread that a script has started has no call to log for; leave the text where a hook finds it");
  log_line(level, cut_text(text.get(), kMessage), json.json());
  Py_RETURN_NONE;
}

bool fill_prelude(PyObject* names) {
  static PyMethodDef hook{"unraisable", unraisable, METH_O, nullptr};
  const Ref out(make_stream(false));
  const Ref err(make_stream(true));
  const Ref unraisable_hook(PyCFunction_New(&hook, nullptr));
  return out && err && unraisable_hook && PyDict_SetItemString(names, "stdout", out.get()) == 0 &&
         PyDict_SetItemString(names, "stderr", err.get()) == 0 &&
         PyDict_SetItemString(names, "unraisable", unraisable_hook.get()) == 0;
}

PyTypeObject* make_stream_type() {
  static PyMethodDef methods[] = {
      {"write", write, METH_O, nullptr},       {"flush", nothing, METH_NOARGS, nullptr},
      {"isatty", no, METH_NOARGS, nullptr},    {"readable", no, METH_NOARGS, nullptr},
      {"writable", yes, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr},
  };
  static PyGetSetDef attributes[] = {
      {"encoding", encoding, nullptr, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      {Py_tp_methods, methods},
      {Py_tp_getset, attributes},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Stream", sizeof(Stream), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

PyTypeObject* make_link_type() {
  static PyType_Slot slots[] = {slot(Py_tp_dealloc, link_dealloc), {0, nullptr}};
  static PyType_Spec spec{"lingate.Link", sizeof(Link), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
