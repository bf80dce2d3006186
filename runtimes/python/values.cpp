#include "runtimes/python/values.h"

#include <cmath>
#include <cstdint>

#include "runtimes/python/account.h"
#include "runtimes/python/text.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr std::size_t kPathShown = 200;

// One walk. On failure the place is put together on the way out, innermost part first.
class Walk {
 public:
  explicit Walk(ValueSink& sink) : sink_(sink) {}

  bool value(PyObject* value);
  std::string reason;
  std::string path;

 private:
  bool list(PyObject* const* items, Py_ssize_t count);
  bool map(PyObject* dict);
  bool integer(PyObject* value);
  bool no(std::string why) {
    reason = std::move(why);
    return false;
  }
  bool at(std::string part) {
    if (path.size() < kPathShown) path.insert(0, part);
    return false;
  }

  ValueSink& sink_;
};

std::string what_it_is(PyObject* value) {
  if (PyFunction_Check(value) || PyCFunction_Check(value) || PyMethod_Check(value)) return "a function is no value";
  if (PyBytes_Check(value) || PyByteArray_Check(value)) return "bytes are no value";
  if (PySet_Check(value) || PyFrozenSet_Check(value)) return "a set is no value";
  return "an object of type " + std::string(Py_TYPE(value)->tp_name).substr(0, 100) + " is no value";
}

bool Walk::value(PyObject* value) {
  if (PyUnicode_Check(value)) {
    std::string_view text;
    return utf8_of(value, text) ? sink_.text(text) : no("text that is not UTF-8 is no value");
  }
  if (value == Py_None) return sink_.null();
  if (PyBool_Check(value)) return sink_.boolean(value == Py_True);
  if (PyLong_Check(value)) return integer(value);
  if (PyFloat_Check(value)) return sink_.number(PyFloat_AS_DOUBLE(value));
  if (PyDict_Check(value)) return map(value);
  if (PyList_Check(value) || PyTuple_Check(value))
    return list(PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value));
  return no(what_it_is(value));
}

bool Walk::integer(PyObject* value) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow != 0 || number > INT64_C(1) << 53 || number < -(INT64_C(1) << 53))
    return no("an integer beyond 2^53 is no value, for it would lose digits; write it as text");
  return sink_.number(static_cast<double>(number));
}

bool Walk::list(PyObject* const* items, Py_ssize_t count) {
  if (!sink_.begin_list()) return false;
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!value(items[i])) return at("[" + std::to_string(i) + "]");
  return sink_.end_list();
}

bool Walk::map(PyObject* dict) {
  if (!sink_.begin_map()) return false;
  PyObject* key = nullptr;
  PyObject* member = nullptr;
  for (Py_ssize_t position = 0; PyDict_Next(dict, &position, &key, &member) != 0;) {
    std::string_view text;
    if (!utf8_of(key, text))
      return no(PyUnicode_Check(key) ? "a key that is not UTF-8 is no key"
                                     : "a key must be text, not " + std::string(Py_TYPE(key)->tp_name));
    if (!sink_.key(text) || !value(member)) return at("." + std::string(text.substr(0, 64)));
  }
  return sink_.end_map();
}

}  // namespace

bool ValueReader::number(double value) {
  const bool integral =
      value >= -kExact && value <= kExact && value == std::trunc(value) && !(value == 0 && std::signbit(value));
  return put(integral ? PyLong_FromLongLong(static_cast<long long>(value)) : PyFloat_FromDouble(value));
}

bool ValueReader::text(std::string_view utf8) {
  return put(PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), nullptr));
}

bool ValueReader::key(std::string_view utf8) {
  PyObject* name = PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), nullptr);
  if (name == nullptr) return false;
  PyUnicode_InternInPlace(&name);  // keys repeat from call to call
  levels_.back().key = Ref(name);
  return true;
}

bool ValueReader::put(PyObject* owned) {
  Ref value(owned);
  if (!value) return false;
  if (levels_.empty()) {
    result_ = std::move(value);
    return true;
  }
  Level& level = levels_.back();
  if (PyList_CheckExact(level.container.get())) return PyList_Append(level.container.get(), value.get()) == 0;
  return PyDict_SetItem(level.container.get(), level.key.get(), value.get()) == 0;
}

bool ValueReader::open(PyObject* owned) {
  if (owned == nullptr) return false;
  levels_.push_back({Ref(owned), Ref()});
  return true;
}

bool ValueReader::close() {
  PyObject* done = levels_.back().container.release();
  levels_.pop_back();
  return put(done);
}

namespace {

Ref taken(ValueReader& reader, bool whole) {
  Ref value = reader.take();
  if (whole && value) return value;
  if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_ValueError, "the encoded value is malformed");
  return Ref();
}

}  // namespace

Ref read_any(std::string_view encoded) {
  ValueReader reader;
  const bool whole = read_value(encoded, reader);
  return taken(reader, whole);
}

Ref read_map(std::string_view members) {
  ValueReader reader;
  const bool whole = read_members(members, reader);
  return taken(reader, whole);
}

std::string write_any(PyObject* value, std::string_view root, ValueSink& sink, const ValueError& reason) {
  Walk walk(sink);
  if (walk.value(value)) return {};
  std::string why(root);
  why += root.empty() && !walk.path.empty() && walk.path.front() == '.' ? walk.path.substr(1) : walk.path;
  if (!why.empty()) why += ": ";
  return why + (walk.reason.empty() ? reason.message : walk.reason);
}

std::string write_map(PyObject* dict, std::string_view root, WireWriter& writer) {
  writer.reset({});
  if (!PyDict_Check(dict)) return std::string(root) + ": must be a dict";
  return write_any(dict, root, writer, writer.error());
}

ValueLimits json_limits() {
  const Account* account = here().account;
  if (account == nullptr || account->limit() == 0) return {.bytes = 64 * 1024 * 1024, .depth = 128};
  return {.bytes = account->limit() / 4, .depth = 128};  // a text that grows takes up to twice its size
}

}  // namespace lingate::runtimes::python
