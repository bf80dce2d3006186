// req, res, req.client, req.params and the answer of lingate.respond() as host objects.
#include <algorithm>
#include <array>
#include <span>

#include "runtimes/attributes.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {
namespace {

using RequestText = CallView::RequestText;

enum class Req : std::uint8_t {
  id, method, scheme, host, path, query, version, route, params, headers, client, session, body, text, json
};

template <class Key>
struct Name {
  std::string_view text;
  Key key;
};

constexpr std::array<Name<Req>, 15> kReqNames{{
    {"headers", Req::headers}, {"session", Req::session}, {"method", Req::method}, {"path", Req::path},
    {"query", Req::query},     {"host", Req::host},       {"body", Req::body},     {"params", Req::params},
    {"id", Req::id},           {"scheme", Req::scheme},   {"version", Req::version}, {"route", Req::route},
    {"client", Req::client},   {"text", Req::text},       {"json", Req::json},
}};
// What enumerating shows: reading these cannot fail.
constexpr std::array<std::string_view, 12> kReqKeys{"id",    "method",  "scheme", "host",    "path",   "query",
                                                    "version", "route", "params", "headers", "client", "session"};

enum class Res : std::uint8_t { status, headers, body, text, json };
constexpr std::array<Name<Res>, 5> kResNames{{
    {"status", Res::status}, {"headers", Res::headers}, {"body", Res::body}, {"text", Res::text}, {"json", Res::json},
}};
constexpr std::array<std::string_view, 2> kResKeys{"status", "headers"};
constexpr std::array<std::string_view, 2> kClientKeys{"ip", "port"};

template <class Key, std::size_t N>
const Key* find(const std::array<Name<Key>, N>& names, std::string_view name) {
  for (const Name<Key>& known : names)
    if (known.text == name) return &known.key;
  return nullptr;
}

Slot& slot_of(duk_context* ctx, void* host) {
  if (host == nullptr) raise_over(ctx);
  return *static_cast<Slot*>(host);
}

// [ key ] -> the key's text; a symbol has none and no property either.
bool key_text(duk_context* ctx, duk_idx_t index, std::string_view& name) { return get_string(ctx, index, name); }

// [ key value ] -> [ value ]
void answer_with_top(duk_context* ctx) { duk_replace(ctx, -2); }

void answer_undefined(duk_context* ctx) {
  duk_push_undefined(ctx);
  answer_with_top(ctx);
}

[[noreturn]] void raise_unknown(duk_context* ctx, Object object, std::string_view name) {
  Vm& vm = Vm::of(ctx);
  vm.error_text = unknown_attribute(object, name);
  raise_kept(ctx);
}

[[noreturn]] void raise_unwritable(duk_context* ctx, Object object, duk_idx_t key) {
  Vm& vm = Vm::of(ctx);
  std::string_view name = "[symbol]";
  get_string(ctx, key, name);
  vm.error_text = unwritable_attribute(object, name);
  raise_kept(ctx);
}

// A key that is no attribute: a symbol is undefined, Object.prototype's own is that, all else an error.
void get_other(duk_context* ctx, Object object, bool symbol, std::string_view name) {
  if (symbol) return answer_undefined(ctx);
  if (!get_inherited(ctx, name)) raise_unknown(ctx, object, name);
}

void push_keys(duk_context* ctx, std::span<const std::string_view> keys) {
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const std::string_view key : keys) {
    duk_push_lstring(ctx, key.data(), key.size());
    duk_put_prop_index(ctx, -2, at++);
  }
}

void push_body(duk_context* ctx, Slot& slot, Side side) {
  std::string_view bytes;
  bool bad;
  {
    CallView::BodyRead read = slot.view.body(side);
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
  if (refused(*slot.vm, slot.view.set_body(side, bytes))) raise_kept(ctx);
}

// ---- req ----

void push_request_text(duk_context* ctx, Slot& slot, RequestText which) {
  push_latin1(ctx, slot.view.request_text(which));
}

void req_get(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const bool symbol = !key_text(ctx, -1, name);
  const Req* const known = symbol ? nullptr : find(kReqNames, name);
  if (known == nullptr) return get_other(ctx, Object::req, symbol, name);
  switch (*known) {
    case Req::id: push_utf8(ctx, slot.view.request_text(RequestText::id)); break;
    case Req::method: push_request_text(ctx, slot, RequestText::method); break;
    case Req::scheme: push_request_text(ctx, slot, RequestText::scheme); break;
    case Req::host: push_request_text(ctx, slot, RequestText::host); break;
    case Req::path: push_request_text(ctx, slot, RequestText::path); break;
    case Req::query: push_request_text(ctx, slot, RequestText::query); break;
    case Req::version: push_request_text(ctx, slot, RequestText::version); break;
    case Req::route: push_utf8(ctx, slot.view.request_text(RequestText::route)); break;
    case Req::params: push_thing(ctx, slot, Thing::params); break;
    case Req::headers: push_thing(ctx, slot, Thing::req_headers); break;
    case Req::client: push_thing(ctx, slot, Thing::client); break;
    case Req::session:
      if (slot.view.has_session()) {
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
  if (refused(vm, (slot.view.*setter)(bytes))) raise_kept(ctx);
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
  if (refused(*slot.vm, slot.view.clear_session())) raise_kept(ctx);
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
    case Res::status: duk_push_uint(ctx, slot.view.status()); break;
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
  if (refused(*slot.vm, slot.view.set_status(duk_get_number(ctx, -1)))) raise_kept(ctx);
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

// ---- req.client ----

void client_get(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const bool symbol = !key_text(ctx, -1, name);
  if (!symbol && name == "ip") {
    push_utf8(ctx, slot.view.request_text(RequestText::client_ip));
  } else if (!symbol && name == "port") {
    duk_push_uint(ctx, slot.view.client_port());
  } else {
    return get_other(ctx, Object::client, symbol, name);
  }
  answer_with_top(ctx);
}

void client_put(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  raise_unwritable(ctx, Object::client, -2);
}

int client_has(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  std::string_view name;
  return key_text(ctx, -1, name) && (name == "ip" || name == "port") ? 1 : 0;
}

void client_del(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  raise_unwritable(ctx, Object::client, -1);
}

void client_keys(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  push_keys(ctx, kClientKeys);
}

// ---- req.params: text where it is UTF-8, else one char per byte ----

// A name is looked for as UTF-8, as it comes out of keys().
const std::string_view* find_param(duk_context* ctx, Slot& slot, duk_idx_t key) {
  std::string_view units;
  std::string_view name;
  if (!key_text(ctx, key, units) || !to_utf8(units, Lone::refuse, slot.vm->scratch, name)) return nullptr;
  return slot.view.param(name);
}

void push_param(duk_context* ctx, std::string_view bytes) {
  if (is_utf8(bytes)) {
    push_utf8(ctx, bytes);
  } else {
    push_latin1(ctx, bytes);
  }
}

void params_get(duk_context* ctx, void* host) {
  const std::string_view* const value = find_param(ctx, slot_of(ctx, host), -1);
  if (value == nullptr) return answer_undefined(ctx);
  push_param(ctx, *value);
  answer_with_top(ctx);
}

void params_put(duk_context* ctx, void* host) {
  slot_of(ctx, host);
  raise(ctx, "req.params is read-only");
}

int params_has(duk_context* ctx, void* host) { return find_param(ctx, slot_of(ctx, host), -1) != nullptr ? 1 : 0; }

void params_keys(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const HeadView::Line& param : slot.view.params()) {
    push_param(ctx, param.name);
    duk_put_prop_index(ctx, -2, at++);
  }
}

// ---- the answer: opaque ----

void answer_get(duk_context* ctx, void*) {
  std::string_view name;
  if (!key_text(ctx, -1, name) || !get_inherited(ctx, name)) answer_undefined(ctx);
}

void answer_put(duk_context* ctx, void*) {
  raise(ctx, "what lingate.respond() made cannot be changed: give it the headers as its third argument");
}

int answer_has(duk_context*, void*) { return 0; }

void answer_keys(duk_context* ctx, void*) { duk_push_array(ctx); }

struct Kind {
  const lingate_duk_ops* ops;
};
constexpr std::array<Kind, kThings> kKinds{{{&kReqOps},
                                            {&kResOps},
                                            {&kReqHeadersOps},
                                            {&kResHeadersOps},
                                            {&kSessionOps},
                                            {&kClientOps},
                                            {&kParamsOps},
                                            {&kAnswerOps}}};

}  // namespace

const lingate_duk_ops kReqOps{req_get, req_put, req_has, req_del, req_keys};
const lingate_duk_ops kResOps{res_get, res_put, res_has, res_del, res_keys};
const lingate_duk_ops kClientOps{client_get, client_put, client_has, client_del, client_keys};
const lingate_duk_ops kParamsOps{params_get, params_put, params_has, params_put, params_keys};
const lingate_duk_ops kAnswerOps{answer_get, answer_put, answer_has, answer_put, answer_keys};

void push_thing(duk_context* ctx, Slot& slot, Thing which) {
  void*& made = slot.things[static_cast<std::size_t>(which)];
  if (made != nullptr) {
    duk_push_heapptr(ctx, made);
    return;
  }
  duk_require_stack(ctx, 8);
  duk_push_heapptr(ctx, slot.cells);
  lingate_duk_push_object(ctx, kKinds[static_cast<std::size_t>(which)].ops, &slot);
  void* const object = duk_get_heapptr(ctx, -1);
  duk_dup(ctx, -1);
  duk_put_prop_index(ctx, -3, Slot::cell(which));
  duk_remove(ctx, -2);
  made = object;
}

void drop_thing(Slot& slot, Thing which) noexcept {
  void*& made = slot.things[static_cast<std::size_t>(which)];
  // One reference is the cell's own.
  if (made == nullptr || lingate_duk_refcount(made) <= 1) return;
  lingate_duk_set_host(made, nullptr);
  made = nullptr;
}

bool is_answer_of(duk_context* ctx, duk_idx_t index, const Slot& slot) {
  return lingate_duk_get_host(ctx, index, &kAnswerOps) == &slot;
}

bool get_inherited(duk_context* ctx, std::string_view name) {
  constexpr std::array<std::string_view, 8> kInherited{"toString",       "valueOf",       "constructor",
                                                       "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
                                                       "toLocaleString", "__proto__"};
  if (name == "toJSON") {
    answer_undefined(ctx);
    return true;
  }
  if (std::find(kInherited.begin(), kInherited.end(), name) == kInherited.end()) return false;
  duk_push_heapptr(ctx, Vm::of(ctx).natives.object_prototype);
  duk_dup(ctx, -2);
  duk_get_prop(ctx, -2);
  duk_remove(ctx, -2);
  answer_with_top(ctx);
  return true;
}

bool get_body_bytes(duk_context* ctx, duk_idx_t index, std::string_view& bytes) {
  Vm& vm = Vm::of(ctx);
  std::string_view units;
  if (get_string(ctx, index, units)) {
    if (!to_utf8(units, Lone::refuse, vm.scratch, bytes))
      raise(ctx, "text with half a surrogate pair cannot be written as UTF-8");
    return true;
  }
  if (!duk_is_buffer_data(ctx, index)) return false;
  duk_size_t size = 0;
  const void* const data = duk_get_buffer_data(ctx, index, &size);
  bytes = {static_cast<const char*>(data), data == nullptr ? 0 : size};
  return true;
}

}  // namespace lingate::runtimes::duktape
