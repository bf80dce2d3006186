// The `lingate` module of one instance: respond, log, config, now, json, base64, crypto, query, null, array, sleep.
#include "runtimes/module.h"

#include <string>

#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

template <class Function>
PyCFunction function(Function* what) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(what));
}

bool arguments(const char* name, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most) {
  if (count >= least && count <= most) return true;
  PyErr_Format(PyExc_TypeError, "lingate.%s() takes %zd to %zd arguments, not %zd", name, least, most, count);
  return false;
}

// The argument at `index`, or nothing where it is absent or None.
bool optional_text(PyObject* const* args, Py_ssize_t count, Py_ssize_t index, std::string_view& text, Ref& keep) {
  text = {};
  if (index >= count || args[index] == Py_None) return true;
  return bytes_of(args[index], "the last argument", text, keep);
}

PyObject* now(PyObject*, PyObject*) {
  return PyFloat_FromDouble(module::now());
}

PyObject* json_encode(PyObject*, PyObject* value) {
  JsonWriter writer(json_limits());
  if (const std::string why = write_any(value, "", writer, writer.error()); !why.empty())
    return raise("json.encode(): " + why);
  return text_from(writer.json());
}

PyObject* json_decode(PyObject*, PyObject* text) {
  std::string_view bytes;
  Ref keep;
  if (!payload_of(text, "json.decode(): the text", bytes, keep)) return nullptr;
  ValueReader reader;
  const auto parsed = parse_json(bytes, reader);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (!parsed) return raise("json.decode(): " + parsed.error().message);
  return reader.take().release();
}

bool alphabet_of(PyObject* const* args, Py_ssize_t count, module::Base64& alphabet) {
  std::string_view name;
  Ref keep;
  if (!optional_text(args, count, 1, name, keep)) return false;
  if (name.empty()) return true;
  const auto parsed = module::parse_alphabet(name);
  if (!parsed) {
    raise(parsed.error().message);
    return false;
  }
  alphabet = *parsed;
  return true;
}

// What the library is about to make outside of Python counts, too: as a block that nobody touches, so it takes no
// pages.
class Outside {
 public:
  explicit Outside(std::size_t size)
      : block_(size > kLarge ? PyMem_RawMalloc(size) : nullptr), fits_(size <= kLarge || block_) {}
  ~Outside() { PyMem_RawFree(block_); }
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  bool fits() const noexcept { return fits_; }

 private:
  static constexpr std::size_t kLarge = 64 * 1024;
  void* const block_;
  const bool fits_;
};

PyObject* base64_encode(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string_view bytes;
  Ref keep;
  module::Base64 alphabet = module::Base64::standard;
  if (!arguments("base64.encode", count, 1, 2) || !payload_of(args[0], "base64.encode(): the data", bytes, keep) ||
      !alphabet_of(args, count, alphabet))
    return nullptr;
  const Outside outside(bytes.size() / 3 * 4);
  return outside.fits() ? text_from(module::base64_encode(bytes, alphabet)) : PyErr_NoMemory();
}

PyObject* base64_decode(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string_view text;
  Ref keep;
  module::Base64 alphabet = module::Base64::standard;
  if (!arguments("base64.decode", count, 1, 2) || !payload_of(args[0], "base64.decode(): the text", text, keep) ||
      !alphabet_of(args, count, alphabet))
    return nullptr;
  const Outside outside(text.size() / 4 * 3);
  if (!outside.fits()) return PyErr_NoMemory();
  const auto bytes = module::base64_decode(text, alphabet);
  return bytes ? bytes_from(*bytes) : raise(bytes.error().message);
}

bool encoding_of(PyObject* const* args, Py_ssize_t count, Py_ssize_t index, module::Encoding& encoding) {
  std::string_view name;
  Ref keep;
  if (!optional_text(args, count, index, name, keep)) return false;
  if (name.empty()) return true;
  const auto parsed = module::parse_encoding(name);
  if (!parsed) {
    raise(parsed.error().message);
    return false;
  }
  encoding = *parsed;
  return true;
}

PyObject* digest(const std::string& encoded, module::Encoding encoding) {
  return encoding == module::Encoding::raw ? bytes_from(encoded) : text_from(encoded);
}

PyObject* sha256(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string_view bytes;
  Ref keep;
  module::Encoding encoding = module::Encoding::hex;
  if (!arguments("crypto.sha256", count, 1, 2) || !payload_of(args[0], "crypto.sha256(): the data", bytes, keep) ||
      !encoding_of(args, count, 1, encoding))
    return nullptr;
  return digest(module::sha256(bytes, encoding), encoding);
}

PyObject* hmac(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string_view key;
  std::string_view bytes;
  Ref keep_key;
  Ref keep;
  module::Encoding encoding = module::Encoding::hex;
  if (!arguments("crypto.hmac", count, 2, 3) || !payload_of(args[0], "crypto.hmac(): the key", key, keep_key) ||
      !payload_of(args[1], "crypto.hmac(): the data", bytes, keep) || !encoding_of(args, count, 2, encoding))
    return nullptr;
  return digest(module::hmac_sha256(key, bytes, encoding), encoding);
}

PyObject* equal(PyObject*, PyObject* const* args, Py_ssize_t count) {
  std::string_view a;
  std::string_view b;
  Ref keep_a;
  Ref keep_b;
  if (!arguments("crypto.equal", count, 2, 2) || !payload_of(args[0], "crypto.equal(): the first", a, keep_a) ||
      !payload_of(args[1], "crypto.equal(): the second", b, keep_b))
    return nullptr;
  return PyBool_FromLong(module::equal(a, b) ? 1 : 0);
}

PyObject* random(PyObject*, PyObject* count) {
  const double wanted = PyFloat_AsDouble(count);
  if (wanted == -1 && PyErr_Occurred() != nullptr) return nullptr;
  const auto bytes = module::random(wanted);
  return bytes ? bytes_from(*bytes) : raise(bytes.error().message);
}

PyObject* query_parse(PyObject*, PyObject* query) {
  std::string_view text;
  Ref keep;
  if (!payload_of(query, "query.parse(): the query", text, keep)) return nullptr;
  ValueReader reader;
  const auto parsed = module::parse_query(text, reader);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (!parsed) return raise(parsed.error().message);
  return reader.take().release();
}

PyObject* query_build(PyObject*, PyObject* map) {
  module::QueryWriter writer;
  if (const std::string why = write_any(map, "", writer, writer.error()); !why.empty())
    return raise("query.build(): " + why);
  return text_from(writer.query());
}

PyObject* array(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (!arguments("array", count, 0, 1)) return nullptr;
  return count == 0 ? PyList_New(0) : PySequence_List(args[0]);
}

template <LogLevel kLevel>
PyObject* log(PyObject*, PyObject* args, PyObject* names) {
  return log_at(kLevel, args, names);
}

// The module's __getattr__: what it has not.
PyObject* unknown(PyObject*, PyObject* name) {
  explain_unknown(Object::lingate, name);
  return nullptr;
}

PyMethodDef kModule[] = {
    {"respond", function(respond), METH_VARARGS | METH_KEYWORDS, "respond(status, body=None, headers=None): an answer"},
    {"now", now, METH_NOARGS, "now(): Unix seconds"},
    {"array", function(array), METH_FASTCALL, "array(items): a list"},
    {"sleep", sleep_for, METH_O, "await sleep(seconds)"},
    {"__getattr__", unknown, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef kLog[] = {
    {"debug", function(log<LogLevel::debug>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"info", function(log<LogLevel::info>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"warn", function(log<LogLevel::warn>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"error", function(log<LogLevel::error>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef kJson[] = {
    {"encode", json_encode, METH_O, "encode(value): JSON text"},
    {"decode", json_decode, METH_O, "decode(text): the value"},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef kBase64[] = {
    {"encode", function(base64_encode), METH_FASTCALL, "encode(data, alphabet='standard'): text"},
    {"decode", function(base64_decode), METH_FASTCALL, "decode(text, alphabet='standard'): bytes"},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef kCrypto[] = {
    {"sha256", function(sha256), METH_FASTCALL, "sha256(data, encoding='hex')"},
    {"hmac", function(hmac), METH_FASTCALL, "hmac(key, data, encoding='hex'): HMAC-SHA256"},
    {"equal", function(equal), METH_FASTCALL, "equal(a, b): in constant time"},
    {"random", random, METH_O, "random(count): bytes"},
    {nullptr, nullptr, 0, nullptr},
};
PyMethodDef kQuery[] = {
    {"parse", query_parse, METH_O, "parse(query): a dict"},
    {"build", query_build, METH_O, "build(dict): a query"},
    {nullptr, nullptr, 0, nullptr},
};

bool add_part(PyObject* parent, const char* name, const char* full_name, PyMethodDef* functions) {
  const Ref part(PyModule_New(full_name));
  return part && PyModule_AddFunctions(part.get(), functions) == 0 &&
         PyObject_SetAttrString(parent, name, part.get()) == 0;
}

}  // namespace

PyObject* make_module(PyObject* config) {
  Ref made(PyModule_New("lingate"));
  PyObject* it = made.get();
  if (!made || PyModule_AddFunctions(it, kModule) != 0 || PyObject_SetAttrString(it, "config", config) != 0 ||
      PyObject_SetAttrString(it, "null", Py_None) != 0 ||
      PyObject_SetAttrString(it, "Error", interpreter().types.error) != 0 ||
      !add_part(it, "log", "lingate.log", kLog) || !add_part(it, "json", "lingate.json", kJson) ||
      !add_part(it, "base64", "lingate.base64", kBase64) || !add_part(it, "crypto", "lingate.crypto", kCrypto) ||
      !add_part(it, "query", "lingate.query", kQuery))
    return nullptr;
  return made.release();
}

}  // namespace lingate::runtimes::python
