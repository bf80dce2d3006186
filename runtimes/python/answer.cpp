// lingate.respond(status, body, headers): checked where it is called, kept if the hook returns it.
#include <string>
#include <vector>

#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"
#include "runtimes/python/thread.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

// The body as bytes with its kind. `json` and `keep` hold them.
bool answer_body(PyObject* body, AnswerParts& parts, JsonWriter& json, Ref& keep) {
  if (body == nullptr || body == Py_None) return true;
  if (PyUnicode_Check(body)) {
    parts.kind = AnswerParts::Body::text;
    return bytes_of(body, "respond(): the body", parts.body, keep);
  }
  if (PyDict_Check(body) || PyList_Check(body)) {
    parts.kind = AnswerParts::Body::json;
    if (std::string why = write_any(body, "body", json, json.error()); !why.empty()) {
      raise("respond(): " + why);
      return false;
    }
    parts.body = json.json();
    return true;
  }
  if (PyObject_CheckBuffer(body) != 0) {
    parts.kind = AnswerParts::Body::bytes;
    return payload_of(body, "respond(): the body", parts.body, keep);
  }
  raise("respond(): the body must be text, bytes, a dict or a list, not " + std::string(Py_TYPE(body)->tp_name));
  return false;
}

bool answer_line(std::string_view name, PyObject* value, std::vector<AnswerParts::Line>& lines,
                 std::vector<Ref>& keep) {
  std::string_view text;
  Ref bytes;
  if (!bytes_of(value, "respond(): a header's value", text, bytes)) return false;
  if (bytes) keep.push_back(std::move(bytes));
  lines.push_back({name, text});
  return true;
}

bool answer_headers(PyObject* headers, std::vector<AnswerParts::Line>& lines, std::vector<Ref>& keep) {
  if (headers == nullptr || headers == Py_None) return true;
  if (!PyDict_Check(headers)) {
    raise("respond(): headers must be a dict, not " + std::string(Py_TYPE(headers)->tp_name));
    return false;
  }
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t position = 0; PyDict_Next(headers, &position, &key, &value) != 0;) {
    std::string_view name;
    Ref bytes;
    if (!bytes_of(key, "respond(): a header's name", name, bytes)) return false;
    if (bytes) keep.push_back(std::move(bytes));
    if (!PyList_Check(value) && !PyTuple_Check(value)) {
      if (!answer_line(name, value, lines, keep)) return false;
      continue;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); ++i)
      if (!answer_line(name, PySequence_Fast_GET_ITEM(value, i), lines, keep)) return false;
  }
  return true;
}

void answer_dealloc(PyObject* self) {
  auto* answer = reinterpret_cast<Answer*>(self);
  Py_XDECREF(answer->status);
  Py_XDECREF(answer->body);
  Py_XDECREF(answer->headers);
  bound_dealloc(self);
}

}  // namespace

bool build_answer(Call& call, PyObject* status, PyObject* body, PyObject* headers) {
  if (PyBool_Check(status) || !(PyLong_Check(status) || PyFloat_Check(status))) {
    raise("respond(): the status must be a number, not " + std::string(Py_TYPE(status)->tp_name));
    return false;
  }
  AnswerParts parts;
  parts.status = PyFloat_AsDouble(status);
  if (parts.status == -1 && PyErr_Occurred() != nullptr) return false;
  JsonWriter json(json_limits());
  Ref keep_body;
  std::vector<AnswerParts::Line> lines;
  std::vector<Ref> keep;
  if (!answer_body(body, parts, json, keep_body) || !answer_headers(headers, lines, keep)) return false;
  parts.headers = lines;
  const Refusal no = call.view->answer(parts);
  if (no) raise(*no);
  return !no;
}

PyObject* respond(PyObject*, PyObject* args, PyObject* names) {
  static const char* const kNames[] = {"status", "body", "headers", nullptr};
  PyObject* status = nullptr;
  PyObject* body = nullptr;
  PyObject* headers = nullptr;
  if (PyArg_ParseTupleAndKeywords(args, names, "O|OO:respond", const_cast<char**>(kNames), &status, &body, &headers) ==
      0)
    return nullptr;
  Call* call = here().call;
  if (call == nullptr) return raise("respond() works in a hook only");
  if (!build_answer(*call, status, body, headers)) return nullptr;
  auto* answer = PyObject_New(Answer, interpreter().types.answer);
  if (answer == nullptr) return nullptr;
  answer->owner = call;
  answer->serial = call->serial;
  answer->number = ++call->answers;
  answer->status = Py_NewRef(status);
  answer->body = Py_XNewRef(body);
  answer->headers = Py_XNewRef(headers);
  return reinterpret_cast<PyObject*>(answer);
}

PyTypeObject* make_answer_type() {
  static PyType_Slot slots[] = {slot(Py_tp_dealloc, answer_dealloc), {0, nullptr}};
  static PyType_Spec spec{"lingate.Answer", sizeof(Answer), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
