// What all host objects share, and the small ones: req.client, req.params and the answer of lingate.respond().
#include <algorithm>
#include <array>

#include "runtimes/duktape/host_object.h"

namespace lingate::runtimes::duktape {
namespace {

using RequestText = CallView::RequestText;

constexpr std::array<std::string_view, 3> kClientKeys{"ip", "port", "tls"};

// ---- req.client ----

// An object of the script's own: what it does to it nobody sees.
void push_tls(duk_context* ctx, Slot& slot) {
  const std::string_view encoded = slot.view->client_tls();
  if (encoded.empty()) return duk_push_undefined(ctx);
  duk_require_stack(ctx, 8);
  Builder builder(ctx);
  if (!read_members(encoded, builder)) raise(ctx, "req.client.tls cannot be read");
}

void client_get(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  const bool symbol = !key_text(ctx, -1, name);
  if (!symbol && name == "ip") {
    push_utf8(ctx, slot.view->request_text(RequestText::client_ip));
  } else if (!symbol && name == "port") {
    duk_push_uint(ctx, slot.view->client_port());
  } else if (!symbol && name == "tls") {
    push_tls(ctx, slot);
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
  return key_text(ctx, -1, name) && (name == "ip" || name == "port" || name == "tls") ? 1 : 0;
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
  return slot.view->param(name);
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

int params_has(duk_context* ctx, void* host) {
  return find_param(ctx, slot_of(ctx, host), -1) != nullptr ? 1 : 0;
}

void params_keys(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const HeadView::Line& param : slot.view->params()) {
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

int answer_has(duk_context*, void*) {
  return 0;
}

void answer_keys(duk_context* ctx, void*) {
  duk_push_array(ctx);
}

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
