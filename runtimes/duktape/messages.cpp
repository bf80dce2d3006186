// req and res as host objects.
#include <array>

#include "runtimes/duktape/host_object.h"

namespace lingate::runtimes::duktape {
namespace {

using RequestText = CallView::RequestText;

enum class Req : std::uint8_t {
  id,
  method,
  scheme,
  host,
  path,
  query,
  version,
  route,
  params,
  headers,
  client,
  session,
  body,
  text,
  json
};

template <class Key>
struct Name {
  std::string_view text;
  Key key;
};

constexpr std::array<Name<Req>, 15> kReqNames{{
    {"headers", Req::headers},
    {"session", Req::session},
    {"method", Req::method},
    {"path", Req::path},
    {"query", Req::query},
    {"host", Req::host},
    {"body", Req::body},
    {"params", Req::params},
    {"id", Req::id},
    {"scheme", Req::scheme},
    {"version", Req::version},
    {"route", Req::route},
    {"client", Req::client},
    {"text", Req::text},
    {"json", Req::json},
}};
// What enumerating shows: reading these cannot fail.
constexpr std::array<std::string_view, 12> kReqKeys{"id",      "method", "scheme", "host",    "path",   "query",
                                                    "version", "route",  "params", "headers", "client", "session"};

enum class Res : std::uint8_t { status, headers, body, text, json };
constexpr std::array<Name<Res>, 5> kResNames{{
    {"status", Res::status},
    {"headers", Res::headers},
    {"body", Res::body},
    {"text", Res::text},
    {"json", Res::json},
}};
constexpr std::array<std::string_view, 2> kResKeys{"status", "headers"};

template <class Key, std::size_t N>
const Key* find(const std::array<Name<Key>, N>& names, std::string_view name) {
  for (const Name<Key>& known : names)
    if (known.text == name) return &known.key;
  return nullptr;
}

void push_body(duk_context* ctx, Slot& slot, Side side) {
  std::string_view bytes;
  bool bad;
  {
    CallView::BodyRead read = slot.view->body(side);
    bad = refused(*slot.vm, std::move(read.refusal));
    bytes = read.bytes;
  }
  if (bad) raise_kept(ctx);
  push_bytes(ctx, bytes);
}

void put_body(duk_context* ctx, Slot& slot, Side side) {
  std::string_view bytes;
  if (duk_is_null_or_undefined(ctx, -1)) {
    bytes = {};
  } else if (!get_body_bytes(ctx, -1, bytes)) {
    raise(ctx, "a body is text, a Uint8Array or null");
  }
  if (refused(*slot.vm, slot.view->set_body(side, bytes))) raise_kept(ctx);
}

// ---- req ----

void push_request_text(duk_context* ctx, Slot& slot, RequestText which) {
  push_latin1(ctx, slot.view->request_text(which));
}

void req_get(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const bool symbol = !key_text(ctx, -1, name);
  const Req* const known = symbol ? nullptr : find(kReqNames, name);
  if (known == nullptr) return get_other(ctx, Object::req, symbol, name);
  switch (*known) {
    case Req::id: push_utf8(ctx, slot.view->request_text(RequestText::id)); break;
    case Req::method: push_request_text(ctx, slot, RequestText::method); break;
    case Req::scheme: push_request_text(ctx, slot, RequestText::scheme); break;
    case Req::host: push_request_text(ctx, slot, RequestText::host); break;
    case Req::path: push_request_text(ctx, slot, RequestText::path); break;
    case Req::query: push_request_text(ctx, slot, RequestText::query); break;
    case Req::version: push_request_text(ctx, slot, RequestText::version); break;
    case Req::route: push_utf8(ctx, slot.view->request_text(RequestText::route)); break;
    case Req::params: push_thing(ctx, slot, Thing::params); break;
    case Req::headers: push_thing(ctx, slot, Thing::req_headers); break;
    case Req::client: push_thing(ctx, slot, Thing::client); break;
    case Req::session:
      if (slot.view->has_session()) {
        push_thing(ctx, slot, Thing::session);
      } else {
        duk_push_null(ctx);
      }
      break;
    case Req::body: push_body(ctx, slot, Side::request); break;
    case Req::text: duk_push_heapptr(ctx, slot.vm->natives.text); break;
    case Req::json: duk_push_heapptr(ctx, slot.vm->natives.json); break;
  }
  answer_with_top(ctx);
}

using TextSetter = Refusal (CallView::*)(std::string_view);

void put_text(duk_context* ctx, Slot& slot, TextSetter setter, std::string_view what) {
  Vm& vm = *slot.vm;
  std::string_view units;
  std::string_view bytes;
  if (!get_string(ctx, -1, units)) {
    vm.error_text.assign("req.").append(what).append(" takes text");
    raise_kept(ctx);
  }
  if (!to_latin1(units, vm.scratch, bytes)) {
    vm.error_text.assign("req.").append(what).append(" takes one char per byte: a char above U+00FF must be encoded");
    raise_kept(ctx);
  }
  if (refused(vm, (slot.view->*setter)(bytes))) raise_kept(ctx);
}

void req_put(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const Req* const known = key_text(ctx, -2, name) ? find(kReqNames, name) : nullptr;
  if (known == nullptr) raise_unwritable(ctx, Object::req, -2);
  switch (*known) {
    case Req::method: return put_text(ctx, slot, &CallView::set_method, "method");
    case Req::path: return put_text(ctx, slot, &CallView::set_path, "path");
    case Req::query: return put_text(ctx, slot, &CallView::set_query, "query");
    case Req::body: return put_body(ctx, slot, Side::request);
    case Req::session: return assign_session(ctx, slot);
    default: raise_unwritable(ctx, Object::req, -2);
  }
}

int req_has(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  std::string_view name;
  return key_text(ctx, -1, name) && find(kReqNames, name) != nullptr ? 1 : 0;
}

void req_del(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const Req* const known = key_text(ctx, -1, name) ? find(kReqNames, name) : nullptr;
  if (known == nullptr || *known != Req::session) raise_unwritable(ctx, Object::req, -1);
  if (refused(*slot.vm, slot.view->clear_session())) raise_kept(ctx);
}

void req_keys(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  push_keys(ctx, kReqKeys);
}

// ---- res ----

void res_get(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const bool symbol = !key_text(ctx, -1, name);
  const Res* const known = symbol ? nullptr : find(kResNames, name);
  if (known == nullptr) return get_other(ctx, Object::res, symbol, name);
  switch (*known) {
    case Res::status: duk_push_uint(ctx, slot.view->status()); break;
    case Res::headers: push_thing(ctx, slot, Thing::res_headers); break;
    case Res::body: push_body(ctx, slot, Side::response); break;
    case Res::text: duk_push_heapptr(ctx, slot.vm->natives.text); break;
    case Res::json: duk_push_heapptr(ctx, slot.vm->natives.json); break;
  }
  answer_with_top(ctx);
}

void res_put(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const Res* const known = key_text(ctx, -2, name) ? find(kResNames, name) : nullptr;
  if (known != nullptr && *known == Res::body) return put_body(ctx, slot, Side::response);
  if (known == nullptr || *known != Res::status) raise_unwritable(ctx, Object::res, -2);
  if (!duk_is_number(ctx, -1)) raise(ctx, "res.status takes a number");
  if (refused(*slot.vm, slot.view->set_status(duk_get_number(ctx, -1)))) raise_kept(ctx);
}

int res_has(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  std::string_view name;
  return key_text(ctx, -1, name) && find(kResNames, name) != nullptr ? 1 : 0;
}

void res_del(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  raise_unwritable(ctx, Object::res, -1);
}

void res_keys(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  push_keys(ctx, kResKeys);
}

}  // namespace

const lingate_duk_ops kReqOps{req_get, req_put, req_has, req_del, req_keys};
const lingate_duk_ops kResOps{res_get, res_put, res_has, res_del, res_keys};

}  // namespace lingate::runtimes::duktape
