// req, res and client.
#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

using Text = CallView::RequestText;

void* which(Text text) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(text));
}

PyObject* text_get(PyObject* self, void* closure) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  return text_from(call->view->request_text(static_cast<Text>(reinterpret_cast<std::uintptr_t>(closure))));
}

int text_set(PyObject* self, PyObject* value, void* closure) {
  Call* call = live(self);
  if (call == nullptr) return -1;
  const auto field = static_cast<Text>(reinterpret_cast<std::uintptr_t>(closure));
  const char* name = field == Text::method ? "req.method" : field == Text::path ? "req.path" : "req.query";
  std::string_view bytes;
  Ref keep;
  if (!bytes_of(value != nullptr ? value : Py_None, name, bytes, keep)) return -1;
  const Refusal no = field == Text::method ? call->view->set_method(bytes)
                     : field == Text::path ? call->view->set_path(bytes)
                                           : call->view->set_query(bytes);
  if (no) raise(*no);
  return no ? -1 : 0;
}

PyObject* params_get(PyObject* self, void*) {
  Call* call = live(self);
  return call != nullptr ? Py_XNewRef(call->part(Part::params)) : nullptr;
}

PyObject* client_get(PyObject* self, void*) {
  Call* call = live(self);
  return call != nullptr ? Py_XNewRef(call->part(Part::client)) : nullptr;
}

PyObject* session_get(PyObject* self, void*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  if (!call->view->has_session()) Py_RETURN_NONE;
  return Py_XNewRef(call->part(Part::session));
}

// Whether it is the session that the call has.
bool is_session_of(const Call& call, PyObject* value) {
  return value != nullptr && value == reinterpret_cast<PyObject*>(call.bound[static_cast<std::size_t>(Part::session)]);
}

int session_set(PyObject* self, PyObject* value, void*) {
  Call* call = live(self);
  if (call == nullptr) return -1;
  if (call->view->has_session() && is_session_of(*call, value)) return 0;  // req.session = req.session
  Refusal no;
  if (value == nullptr || value == Py_None) {
    no = call->view->clear_session();
  } else if (!PyDict_Check(value)) {
    no = "req.session must be a dict or None, not " + std::string(Py_TYPE(value)->tp_name);
  } else {
    WireWriter& writer = call->view->begin_session();
    if (std::string why = write_any(value, "session", writer, writer.error()); !why.empty()) {
      no = std::move(why);
    } else {
      no = call->view->end_session();
    }
  }
  if (no) {
    raise(*no);
    return -1;
  }
  call->forget_session();
  return 0;
}

PyObject* status_get(PyObject* self, void*) {
  Call* call = live(self);
  return call != nullptr ? PyLong_FromUnsignedLong(call->view->status()) : nullptr;
}

int status_set(PyObject* self, PyObject* value, void*) {
  Call* call = live(self);
  if (call == nullptr) return -1;
  if (value == nullptr || PyBool_Check(value) || !(PyLong_Check(value) || PyFloat_Check(value))) {
    raise("res.status must be a number, not " + std::string(value != nullptr ? Py_TYPE(value)->tp_name : "nothing"));
    return -1;
  }
  const double status = PyFloat_AsDouble(value);
  if (status == -1 && PyErr_Occurred() != nullptr) return -1;
  const Refusal no = call->view->set_status(status);
  if (no) raise(*no);
  return no ? -1 : 0;
}

PyObject* port_get(PyObject* self, void*) {
  Call* call = live(self);
  return call != nullptr ? PyLong_FromUnsignedLong(call->view->client_port()) : nullptr;
}

// A dict of the script's own: what it does to it nobody sees.
PyObject* tls_get(PyObject* self, void*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  const std::string_view encoded = call->view->client_tls();
  if (encoded.empty()) Py_RETURN_NONE;
  return read_map(encoded).release();
}

PyMethodDef kBodyMethods[] = {
    {"text", body_text, METH_NOARGS, "text(): the body as UTF-8 text"},
    {"json", body_json, METH_NOARGS, "json(): the value that the body's JSON holds"},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyObject* headers_get(PyObject* self, void*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  const Side side = reinterpret_cast<Bound*>(self)->side;
  return Py_XNewRef(call->part(side == Side::request ? Part::request_headers : Part::response_headers));
}

PyObject* body_get(PyObject* self, void*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  const CallView::BodyRead body = call->view->body(reinterpret_cast<Bound*>(self)->side);
  return body.refusal ? raise(*body.refusal) : bytes_from(body.bytes);
}

int body_set(PyObject* self, PyObject* value, void*) {
  Call* call = live(self);
  if (call == nullptr) return -1;
  const Side side = reinterpret_cast<Bound*>(self)->side;
  std::string_view bytes;
  Ref keep;
  const bool none = value == nullptr || value == Py_None;  // an empty body
  if (!none && !payload_of(value, side == Side::request ? "req.body" : "res.body", bytes, keep)) return -1;
  const Refusal no = call->view->set_body(side, bytes);
  if (no) raise(*no);
  return no ? -1 : 0;
}

PyObject* body_text(PyObject* self, PyObject*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  const CallView::BodyRead body = call->view->body(reinterpret_cast<Bound*>(self)->side);
  if (body.refusal) return raise(*body.refusal);
  if (!is_utf8(body.bytes)) return raise("text(): the body is not UTF-8");
  return text_from(body.bytes);
}

PyObject* body_json(PyObject* self, PyObject*) {
  Call* call = live(self);
  if (call == nullptr) return nullptr;
  const CallView::BodyRead body = call->view->body(reinterpret_cast<Bound*>(self)->side);
  if (body.refusal) return raise(*body.refusal);
  ValueReader reader;
  const auto parsed = parse_json(body.bytes, reader);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (!parsed) return raise("json(): " + parsed.error().message);
  return reader.take().release();
}

PyTypeObject* make_request_type() {
  static PyGetSetDef attributes[] = {
      {"id", text_get, nullptr, nullptr, which(Text::id)},
      {"method", text_get, text_set, nullptr, which(Text::method)},
      {"scheme", text_get, nullptr, nullptr, which(Text::scheme)},
      {"host", text_get, nullptr, nullptr, which(Text::host)},
      {"path", text_get, text_set, nullptr, which(Text::path)},
      {"query", text_get, text_set, nullptr, which(Text::query)},
      {"version", text_get, nullptr, nullptr, which(Text::version)},
      {"route", text_get, nullptr, nullptr, which(Text::route)},
      {"params", params_get, nullptr, nullptr, nullptr},
      {"headers", headers_get, nullptr, nullptr, nullptr},
      {"body", body_get, body_set, nullptr, nullptr},
      {"client", client_get, nullptr, nullptr, nullptr},
      {"session", session_get, session_set, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      slot(Py_tp_getattro, get_attribute<Object::req>),
      slot(Py_tp_setattro, set_attribute<Object::req>),
      {Py_tp_getset, attributes},
      {Py_tp_methods, kBodyMethods},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Request", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

PyTypeObject* make_response_type() {
  static PyGetSetDef attributes[] = {
      {"status", status_get, status_set, nullptr, nullptr},
      {"headers", headers_get, nullptr, nullptr, nullptr},
      {"body", body_get, body_set, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      slot(Py_tp_getattro, get_attribute<Object::res>),
      slot(Py_tp_setattro, set_attribute<Object::res>),
      {Py_tp_getset, attributes},
      {Py_tp_methods, kBodyMethods},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Response", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

PyTypeObject* make_client_type() {
  static PyGetSetDef attributes[] = {
      {"ip", text_get, nullptr, nullptr, which(Text::client_ip)},
      {"port", port_get, nullptr, nullptr, nullptr},
      {"tls", tls_get, nullptr, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      slot(Py_tp_getattro, get_attribute<Object::client>),
      slot(Py_tp_setattro, set_attribute<Object::client>),
      {Py_tp_getset, attributes},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Client", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
