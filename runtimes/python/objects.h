// The Python types of what a script is handed: req, res, their headers, session, client, params, the result of
// respond(), the awaitable of sleep(). Each binds CallView's functions and adds nothing; a write's refusal becomes
// lingate.Error.
//
// Thread: under the interpreter's lock.
#pragma once

#include "runtimes/attributes.h"
#include "runtimes/python/call.h"
#include "runtimes/python/engine.h"
#include "runtimes/python/interpreter.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {

bool make_types(Types& types);
// The parts of it, one file each.
PyTypeObject* make_request_type();
PyTypeObject* make_response_type();
PyTypeObject* make_headers_type();
PyTypeObject* make_session_type();
PyTypeObject* make_client_type();
PyTypeObject* make_params_type();
PyTypeObject* make_answer_type();
PyTypeObject* make_sleep_type();
PyTypeObject* make_link_type();
PyTypeObject* make_stream_type();

// What the prelude needs from here: stdout, stderr, unraisable.
bool fill_prelude(PyObject* names);

// The `lingate` module of one instance; new reference or nullptr.
PyObject* make_module(PyObject* config);

// The call behind an object, or nullptr with an error set: it is over, or not the one that runs.
inline Call* live(PyObject* self) {
  Call* call = reinterpret_cast<Bound*>(self)->call;
  if (call == here().call && call != nullptr) [[likely]]
    return call;
  raise(call == nullptr ? stale_object() : foreign_object());
  return nullptr;
}

inline HeadView& head_of(Call& call, Side side) {
  return side == Side::request ? call.view->request_head() : call.view->response_head();
}

// Shared by request and response.
PyObject* body_get(PyObject* self, void*);
int body_set(PyObject* self, PyObject* value, void*);
PyObject* body_text(PyObject* self, PyObject*);
PyObject* body_json(PyObject* self, PyObject*);
PyObject* headers_get(PyObject* self, void*);
void bound_dealloc(PyObject* self);

// Attribute access whose errors are the ones that every language has.
void explain_unknown(Object object, PyObject* name);
void explain_unwritable(Object object, PyObject* name);

template <Object kObject>
PyObject* get_attribute(PyObject* self, PyObject* name) {
  PyObject* value = PyObject_GenericGetAttr(self, name);
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_AttributeError) != 0) explain_unknown(kObject, name);
  return value;
}

template <Object kObject>
int set_attribute(PyObject* self, PyObject* name, PyObject* value) {
  const int done = PyObject_GenericSetAttr(self, name, value);
  if (done != 0 && PyErr_ExceptionMatches(PyExc_AttributeError) != 0) explain_unwritable(kObject, name);
  return done;
}

// The result of respond(): the arguments, to build the answer again if it is not the last that was built.
struct Answer {
  PyObject_HEAD const Call* owner;
  std::uint64_t serial;
  std::uint64_t number;
  PyObject* status;
  PyObject* body;
  PyObject* headers;
};

PyObject* respond(PyObject* self, PyObject* args, PyObject* names);
// Builds the call's answer from respond()'s arguments. False: an error is set.
bool build_answer(Call& call, PyObject* status, PyObject* body, PyObject* headers);

// The awaitable of sleep(): yields itself to the instance, which reads `seconds` and later leaves the result.
struct Sleep {
  PyObject_HEAD const Call* owner;
  double seconds;
  enum class State : std::uint8_t { fresh, waiting, done } state;
  PyObject* error;  // text of the error to raise at the await, or nullptr
};

PyObject* sleep_for(PyObject* self, PyObject* seconds);

// The instance's and the thread's line to the log.
void log_line(LogLevel level, std::string_view message, std::string_view fields = {});
void flush_lines(Link& link);
PyObject* log_at(LogLevel level, PyObject* args, PyObject* names);

template <class Function>
PyType_Slot slot(int which, Function* what) {
  return {which, reinterpret_cast<void*>(what)};
}

}  // namespace lingate::runtimes::python
