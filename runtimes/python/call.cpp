#include "runtimes/python/call.h"

#include "runtimes/python/interpreter.h"
#include "runtimes/python/text.h"
#include "runtimes/python/thread.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

PyTypeObject* type_of(Part part) {
  const Types& types = interpreter().types;
  switch (part) {
    case Part::request: return types.request;
    case Part::response: return types.response;
    case Part::session: return types.session;
    case Part::client: return types.client;
    case Part::params: return types.params;
    default: return types.headers;
  }
}

// Tags are a list of text; what else the script made of it is its error.
std::string keep_tags(Call& call, PyObject* tags) {
  if (!PyList_Check(tags)) return "session.tags: must be a list";
  if (Refusal no = CallView::check_tag_count(static_cast<std::size_t>(PyList_GET_SIZE(tags)))) return *std::move(no);
  call.values.clear();
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(tags); ++i) {
    if (!utf8_of(PyList_GET_ITEM(tags, i), call.values.emplace_back()))
      return "session.tags[" + std::to_string(i) + "]: a tag must be UTF-8 text";
  }
  return call.view->keep_tags(call.values).value_or(std::string());
}

}  // namespace

PyObject* Call::part(Part which) {
  Bound*& slot = bound[static_cast<std::size_t>(which)];
  if (slot == nullptr) {
    slot = PyObject_New(Bound, type_of(which));
    if (slot == nullptr) return nullptr;
    slot->side = which == Part::response || which == Part::response_headers ? Side::response : Side::request;
  }
  slot->call = this;
  return reinterpret_cast<PyObject*>(slot);
}

PyObject* Call::make_context() {
  const std::string_view encoded = view->context();
  context = encoded.empty() ? Ref(PyDict_New()) : read_map(encoded);
  return context.get();
}

std::string Call::keep_containers(WireWriter& writer) {
  if (hook == Hook::log) return {};  // nothing of it is kept
  if (context && (PyDict_Size(context.get()) != 0 || !view->context().empty())) {
    if (std::string why = write_map(context.get(), "ctx", writer); !why.empty()) return why;
    view->keep_context(writer.members());
  }
  if (metadata) {
    if (std::string why = write_map(metadata.get(), "session.metadata", writer); !why.empty()) return why;
    if (Refusal no = view->keep_metadata(writer.members())) return *std::move(no);
  }
  return tags ? keep_tags(*this, tags.get()) : std::string();
}

void Call::forget_session() noexcept {
  tags.reset();
  metadata.reset();
}

void Call::release() noexcept {
  // Finalisers find the call over: nothing of it is theirs to change, and nothing that they do reaches the next.
  here().call = nullptr;
  for (Bound* const slot : bound)
    if (slot != nullptr) slot->call = nullptr;
  const std::array gone{std::move(awaiting), std::move(coroutine), std::move(context),
                        std::move(params),   std::move(tags),      std::move(metadata)};
  kept.clear();
  for (Bound*& slot : bound) {
    if (slot == nullptr) continue;
    if (Py_REFCNT(slot) == 1) continue;  // ours alone: the next call's
    Py_DECREF(slot);
    slot = nullptr;
  }
}

PyObject* raise(std::string_view text) {
  const Ref message(text_from(text));
  if (message) PyErr_SetObject(interpreter().types.error, message.get());
  return nullptr;
}

}  // namespace lingate::runtimes::python
