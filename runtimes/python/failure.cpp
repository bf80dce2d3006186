#include "runtimes/python/failure.h"

#include <algorithm>
#include <string_view>

#include "runtimes/python/interpreter.h"
#include "runtimes/python/text.h"

namespace lingate::runtimes::python {
namespace {

constexpr std::size_t kMessage = 2048;
constexpr std::size_t kName = 200;
constexpr std::size_t kFrames = 20;

struct Frame {
  std::string file;
  std::string function;
  std::uint32_t line;
};

bool of_the_library(std::string_view file) {
  return file.starts_with("/usr/lib/python3") || file.starts_with('<');
}

// The innermost frames, innermost first; those of the import machinery and of the prelude say nothing.
std::vector<Frame> frames_of(PyObject* traceback) {
  std::vector<Frame> frames;
  for (auto* entry = reinterpret_cast<PyTracebackObject*>(traceback); entry != nullptr; entry = entry->tb_next) {
    PyCodeObject* code = PyFrame_GetCode(entry->tb_frame);
    Frame frame{cut_text(code->co_filename, kName), cut_text(code->co_qualname, kName),
                static_cast<std::uint32_t>(std::max(entry->tb_lineno, 0))};
    Py_DECREF(code);
    if (frame.file == "<lingate>" || frame.file.starts_with("<frozen importlib")) continue;
    if (frames.size() == 2 * kFrames) frames.erase(frames.begin(), frames.begin() + kFrames);
    frames.push_back(std::move(frame));
  }
  std::reverse(frames.begin(), frames.end());
  if (frames.size() > kFrames) frames.resize(kFrames);
  return frames;
}

void place(Fault& fault, PyObject* traceback) {
  for (const Frame& frame : frames_of(traceback)) {
    if (fault.line == 0 && !of_the_library(frame.file)) {
      fault.file = frame.file;
      fault.line = frame.line;
    }
    fault.stack.push_back(frame.file + ":" + std::to_string(frame.line) + ": in " + frame.function);
  }
}

// A syntax error's place is in the exception, not in the traceback.
void place_syntax_error(Fault& fault, PyObject* value) {
  const Ref file(PyObject_GetAttrString(value, "filename"));
  const Ref line(PyObject_GetAttrString(value, "lineno"));
  const Ref message(PyObject_GetAttrString(value, "msg"));
  if (line && PyLong_Check(line.get())) fault.line = static_cast<std::uint32_t>(PyLong_AsUnsignedLongMask(line.get()));
  if (file) fault.file = cut_text(file.get(), kName);
  if (message) fault.message = std::string(Py_TYPE(value)->tp_name) + ": " + cut_text(message.get(), kMessage);
  PyErr_Clear();
}

}  // namespace

std::string describe(PyObject* type, PyObject* value) {
  std::string text;
  if (value != nullptr && value != Py_None) {
    const Ref shown(PyObject_Str(value));
    if (shown) {
      text = cut_text(shown.get(), kMessage);
    } else {
      PyErr_Clear();
      text = "(its text cannot be had: __str__ fails)";
    }
  }
  if (type == interpreter().types.error) return text;
  std::string name = PyType_Check(type) != 0 ? reinterpret_cast<PyTypeObject*>(type)->tp_name : "exception";
  name = name.substr(0, kName);
  return text.empty() ? name : name + ": " + text;
}

Fault take_fault() {
  Fault fault;
  PyObject* raw_type = nullptr;
  PyObject* raw_value = nullptr;
  PyObject* raw_traceback = nullptr;
  PyErr_Fetch(&raw_type, &raw_value, &raw_traceback);
  PyErr_NormalizeException(&raw_type, &raw_value, &raw_traceback);
  const Ref type(raw_type);
  const Ref value(raw_value);
  const Ref traceback(raw_traceback);
  if (!type) {
    fault.message = "failed without an exception";
    return fault;
  }
  place(fault, traceback.get());
  fault.message = describe(type.get(), value.get());
  if (value && PyErr_GivenExceptionMatches(type.get(), PyExc_SyntaxError) != 0) place_syntax_error(fault, value.get());
  if (PyErr_GivenExceptionMatches(type.get(), PyExc_MemoryError) != 0) fault.kind = FailureKind::memory;
  return fault;
}

}  // namespace lingate::runtimes::python
