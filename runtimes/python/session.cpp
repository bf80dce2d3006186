// session: the caller's record. tags and metadata are a plain list and dict, written back when the hook returns.
#include <cmath>
#include <string>

#include "runtimes/python/objects.h"
#include "runtimes/python/text.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

using Text = CallView::SessionText;
using Number = CallView::SessionNumber;

template <class Field>
void* which(Field field) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(field));
}

// The call, if it still has a session.
Call* current(PyObject* self) {
  Call* call = live(self);
  if (call == nullptr || call->view->has_session()) return call;
  raise("the request is anonymous: req.session was set to None");
  return nullptr;
}

// A text that is absent is empty on the wire; the id never is.
PyObject* text_get(PyObject* self, void* closure) {
  Call* call = current(self);
  if (call == nullptr) return nullptr;
  const auto text = call->view->session_text(static_cast<Text>(reinterpret_cast<std::uintptr_t>(closure)));
  if (text.empty()) Py_RETURN_NONE;
  return text_from(text);
}

PyObject* number_get(PyObject* self, void* closure) {
  Call* call = current(self);
  if (call == nullptr) return nullptr;
  const auto value = call->view->session_number(static_cast<Number>(reinterpret_cast<std::uintptr_t>(closure)));
  if (!value) Py_RETURN_NONE;
  ValueReader reader;
  reader.number(*value);
  return reader.take().release();
}

// The call, if its session's tags and metadata can be assigned.
Call* writable(PyObject* self) {
  Call* call = current(self);
  if (call == nullptr || call->hook != Hook::log) return call;
  raise("everything is read-only in log");
  return nullptr;
}

PyObject* tags_get(PyObject* self, void*) {
  Call* call = current(self);
  if (call == nullptr) return nullptr;
  if (!call->tags) {
    const Uncollected here;
    call->view->session_tags(call->values);
    Ref list(PyList_New(0));
    for (const std::string_view tag : call->values) {
      const Ref text(text_from(tag));
      if (!list || !text || PyList_Append(list.get(), text.get()) != 0) return nullptr;
    }
    call->tags = std::move(list);
  }
  return Py_XNewRef(call->tags.get());
}

int tags_set(PyObject* self, PyObject* value, void*) {
  Call* call = writable(self);
  if (call == nullptr) return -1;
  if (value == Py_None) {
    call->tags = Ref(PyList_New(0));
    return call->tags ? 0 : -1;
  }
  if (value == nullptr || !PyList_Check(value)) {
    raise("session.tags must be a list of text, or None");
    return -1;
  }
  call->tags = Ref::shared(value);
  return 0;
}

PyObject* metadata_get(PyObject* self, void*) {
  Call* call = current(self);
  if (call == nullptr) return nullptr;
  if (!call->metadata) {
    const std::string_view encoded = call->view->session_metadata();
    call->metadata = encoded.empty() ? Ref(PyDict_New()) : read_map(encoded);
  }
  return Py_XNewRef(call->metadata.get());
}

int metadata_set(PyObject* self, PyObject* value, void*) {
  Call* call = writable(self);
  if (call == nullptr) return -1;
  if (value == Py_None) {
    call->metadata = Ref(PyDict_New());
    return call->metadata ? 0 : -1;
  }
  if (value == nullptr || !PyDict_Check(value)) {
    raise("session.metadata must be a dict, or None");
    return -1;
  }
  call->metadata = Ref::shared(value);
  return 0;
}

}  // namespace

PyTypeObject* make_session_type() {
  static PyGetSetDef attributes[] = {
      {"id", text_get, nullptr, nullptr, which(Text::id)},
      {"alias", text_get, nullptr, nullptr, which(Text::alias)},
      {"org", text_get, nullptr, nullptr, which(Text::org)},
      {"tags", tags_get, tags_set, nullptr, nullptr},
      {"metadata", metadata_get, metadata_set, nullptr, nullptr},
      {"rate", number_get, nullptr, nullptr, which(Number::rate)},
      {"per", number_get, nullptr, nullptr, which(Number::per)},
      {"burst", number_get, nullptr, nullptr, which(Number::burst)},
      {"quota_max", number_get, nullptr, nullptr, which(Number::quota_max)},
      {"quota_remaining", number_get, nullptr, nullptr, which(Number::quota_remaining)},
      {"quota_renews", number_get, nullptr, nullptr, which(Number::quota_renews)},
      {"expires", number_get, nullptr, nullptr, which(Number::expires)},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  static PyType_Slot slots[] = {
      slot(Py_tp_dealloc, bound_dealloc),
      slot(Py_tp_getattro, get_attribute<Object::session>),
      slot(Py_tp_setattro, set_attribute<Object::session>),
      {Py_tp_getset, attributes},
      {0, nullptr},
  };
  static PyType_Spec spec{"lingate.Session", sizeof(Bound), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace lingate::runtimes::python
