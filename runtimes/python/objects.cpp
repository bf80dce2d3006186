#include "runtimes/python/objects.h"

#include <string>

#include "runtimes/python/text.h"

namespace lingate::runtimes::python {

void bound_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

void explain_unknown(Object object, PyObject* name) {
  PyErr_Clear();
  PyErr_SetString(PyExc_AttributeError, unknown_attribute(object, cut_text(name, 100)).c_str());
}

void explain_unwritable(Object object, PyObject* name) {
  PyErr_Clear();
  PyErr_SetString(PyExc_AttributeError, unwritable_attribute(object, cut_text(name, 100)).c_str());
}

bool make_types(Types& types) {
  types.error =
      PyErr_NewExceptionWithDoc("lingate.Error", "What req, res, session or the module refused.", nullptr, nullptr);
  types.interrupted = PyErr_NewExceptionWithDoc("lingate.Interrupted", "The call is over its budget or memory.",
                                                PyExc_BaseException, nullptr);
  types.request = make_request_type();
  types.response = make_response_type();
  types.headers = make_headers_type();
  types.session = make_session_type();
  types.client = make_client_type();
  types.params = make_params_type();
  types.answer = make_answer_type();
  types.sleep = make_sleep_type();
  types.link = make_link_type();
  types.stream = make_stream_type();
  return types.error != nullptr && types.interrupted != nullptr && types.request != nullptr &&
         types.response != nullptr && types.headers != nullptr && types.session != nullptr && types.client != nullptr &&
         types.params != nullptr && types.answer != nullptr && types.sleep != nullptr && types.link != nullptr &&
         types.stream != nullptr;
}

}  // namespace lingate::runtimes::python
