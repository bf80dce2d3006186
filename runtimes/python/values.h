// Values between Python and the neutral form of runtimes/value.h: ValueReader builds Python objects from events, the
// writers walk a Python object into a sink. dict, list, tuple (as a list), str, int within ±2^53, float, bool and None
// are values; nothing else is, and the text that says so names the place: "ctx.user.fn: a function is no value".
//
// Thread: under the interpreter's lock. No script code runs in here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtimes/python/engine.h"
#include "runtimes/value.h"

namespace lingate::runtimes::python {

class ValueReader final : public ValueSink {
 public:
  bool null() override { return put(Py_NewRef(Py_None)); }
  bool boolean(bool value) override { return put(PyBool_FromLong(value ? 1 : 0)); }
  bool number(double value) override;
  bool text(std::string_view utf8) override;
  bool begin_list() override { return open(PyList_New(0)); }
  bool end_list() override { return close(); }
  bool begin_map() override { return open(PyDict_New()); }
  bool key(std::string_view utf8) override;
  bool end_map() override { return close(); }

  // What was read; empty, with an error set, if an object could not be made.
  Ref take() { return std::move(result_); }

 private:
  struct Level {
    Ref container;
    Ref key;
  };
  bool put(PyObject* owned);
  bool open(PyObject* owned);
  bool close();

  const Uncollected uncollected_;  // what is read may be the script's to change
  std::vector<Level> levels_;
  Ref result_;
};

// An encoded Value (empty: null) or Members as Python objects; empty Ref with an error set.
Ref read_any(std::string_view encoded);
Ref read_map(std::string_view members);

// For JSON text of the script that runs: the text is outside of Python until it is whole.
ValueLimits json_limits();
// Walks `value` into `sink`. Empty, or why it is no value, beginning with the place under `root`. `reason` is where the
// sink keeps its own error.
std::string write_any(PyObject* value, std::string_view root, ValueSink& sink, const ValueError& reason);
// A dict into a fresh Members.
std::string write_map(PyObject* dict, std::string_view root, WireWriter& writer);

}  // namespace lingate::runtimes::python
