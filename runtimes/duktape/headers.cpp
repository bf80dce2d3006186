// headers objects, and the methods that live on host objects: headers.values/add/lines, text() and json() of req and
// res.
#include "runtimes/duktape/host_object.h"

namespace lingate::runtimes::duktape {
namespace {

HeadView& head_of(Slot& slot, Side side) {
  return side == Side::request ? slot.view->request_head() : slot.view->response_head();
}

// A header's name at `index`; false where it can be none (a symbol, a char above U+00FF).
bool name_at(duk_context* ctx, Vm& vm, duk_idx_t index, std::string_view& name) {
  std::string_view units;
  return get_string(ctx, index, units) && to_latin1(units, vm.second_scratch, name);
}

std::string_view writable_name(duk_context* ctx, Vm& vm, duk_idx_t index) {
  std::string_view name;
  if (!name_at(ctx, vm, index, name)) raise(ctx, "a header's name is text of ASCII characters");
  return name;
}

void* method(const Vm& vm, std::string_view name) {
  if (name == "values") return vm.natives.values;
  if (name == "add") return vm.natives.add;
  return name == "lines" ? vm.natives.lines : nullptr;
}

void get(duk_context* ctx, void* host, Side side) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  if (!name_at(ctx, *slot.vm, -1, name)) {
    duk_push_undefined(ctx);
  } else if (void* const function = method(*slot.vm, name)) {
    duk_push_heapptr(ctx, function);
  } else if (const std::string_view* const value = head_of(slot, side).get(name)) {
    push_latin1(ctx, *value);
  } else if (name == "toString" || name == "valueOf") {
    get_inherited(ctx, name);
    return;
  } else {
    duk_push_undefined(ctx);
  }
  duk_replace(ctx, -2);
}

void put(duk_context* ctx, void* host, Side side) {
  Slot& slot = slot_of(ctx, host);
  Vm& vm = *slot.vm;
  const std::string_view name = writable_name(ctx, vm, -2);
  if (duk_is_null_or_undefined(ctx, -1)) {
    if (refused(vm, head_of(slot, side).remove(name))) raise_kept(ctx);
    return;
  }
  get_header_values(ctx, -1, name);
  if (refused(vm, vm.list.empty() ? head_of(slot, side).remove(name) : head_of(slot, side).set(name, vm.list)))
    raise_kept(ctx);
}

int has(duk_context* ctx, void* host, Side side) {
  Slot& slot = slot_of(ctx, host);
  std::string_view name;
  return name_at(ctx, *slot.vm, -1, name) && head_of(slot, side).get(name) != nullptr ? 1 : 0;
}

void del(duk_context* ctx, void* host, Side side) {
  Slot& slot = slot_of(ctx, host);
  const std::string_view name = writable_name(ctx, *slot.vm, -1);
  if (refused(*slot.vm, head_of(slot, side).remove(name))) raise_kept(ctx);
}

void keys(duk_context* ctx, void* host, Side side) {
  Slot& slot = slot_of(ctx, host);
  std::vector<std::string_view>& names = slot.vm->list;
  head_of(slot, side).names(names);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const std::string_view name : names) {
    push_latin1(ctx, name);
    duk_put_prop_index(ctx, -2, at++);
  }
}

template <Side side>
constexpr lingate_duk_ops make_ops() {
  return {[](duk_context* ctx, void* host) { get(ctx, host, side); },
          [](duk_context* ctx, void* host) { put(ctx, host, side); },
          [](duk_context* ctx, void* host) { return has(ctx, host, side); },
          [](duk_context* ctx, void* host) { del(ctx, host, side); },
          [](duk_context* ctx, void* host) { keys(ctx, host, side); }};
}

// `this` of a method of headers.
HeadView& this_head(duk_context* ctx, Slot*& slot) {
  duk_push_this(ctx);
  if (void* const request = lingate_duk_get_host(ctx, -1, &kReqHeadersOps)) {
    slot = &slot_of(ctx, request);
    return slot->view->request_head();
  }
  if (void* const response = lingate_duk_get_host(ctx, -1, &kResHeadersOps)) {
    slot = &slot_of(ctx, response);
    return slot->view->response_head();
  }
  if (lingate_duk_is_host(ctx, -1)) raise_over(ctx);
  raise(ctx, "call it as a method of headers: req.headers.values(name)");
}

duk_ret_t values(duk_context* ctx) {
  Slot* slot = nullptr;
  HeadView& head = this_head(ctx, slot);
  std::string_view name;
  std::vector<std::string_view>& found = slot->vm->list;
  found.clear();
  if (name_at(ctx, *slot->vm, 0, name)) head.values(name, found);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const std::string_view value : found) {
    push_latin1(ctx, value);
    duk_put_prop_index(ctx, -2, at++);
  }
  return 1;
}

duk_ret_t add(duk_context* ctx) {
  Slot* slot = nullptr;
  HeadView& head = this_head(ctx, slot);
  Vm& vm = *slot->vm;
  const std::string_view name = writable_name(ctx, vm, 0);
  if (!duk_is_string(ctx, 1)) raise(ctx, "headers.add takes a name and one string");
  get_header_values(ctx, 1, name);
  for (const std::string_view value : vm.list)
    if (refused(vm, head.add(name, value))) raise_kept(ctx);
  return 0;
}

duk_ret_t lines(duk_context* ctx) {
  Slot* slot = nullptr;
  HeadView& head = this_head(ctx, slot);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const HeadView::Line& line : head.lines()) {
    duk_push_array(ctx);
    push_latin1(ctx, line.name);
    duk_put_prop_index(ctx, -2, 0);
    push_latin1(ctx, line.value);
    duk_put_prop_index(ctx, -2, 1);
    duk_put_prop_index(ctx, -2, at++);
  }
  return 1;
}

// The body that text() and json() of `this` read.
std::string_view this_body(duk_context* ctx, std::string_view method) {
  duk_push_this(ctx);
  Side side = Side::request;
  void* host = lingate_duk_get_host(ctx, -1, &kReqOps);
  if (host == nullptr) {
    side = Side::response;
    host = lingate_duk_get_host(ctx, -1, &kResOps);
  }
  if (host == nullptr && lingate_duk_is_host(ctx, -1)) raise_over(ctx);
  Vm& vm = Vm::of(ctx);
  if (host == nullptr) {
    vm.error_text.assign("call it as a method: req.").append(method).append("()");
    raise_kept(ctx);
  }
  Slot& slot = slot_of(ctx, host);
  std::string_view bytes;
  bool bad;
  {
    CallView::BodyRead read = slot.view->body(side);
    bad = refused(vm, std::move(read.refusal));
    bytes = read.bytes;
  }
  if (bad) raise_kept(ctx);
  return bytes;
}

duk_ret_t text(duk_context* ctx) {
  const std::string_view bytes = this_body(ctx, "text");
  if (!is_utf8(bytes)) raise(ctx, "the body is not UTF-8: read the bytes from body");
  push_utf8(ctx, bytes);
  return 1;
}

duk_ret_t json(duk_context* ctx) {
  const std::string_view bytes = this_body(ctx, "json");
  push_json(ctx, bytes, "the body");
  return 1;
}

void put_function(duk_context* ctx, const char* name, duk_c_function function, duk_idx_t arguments) {
  duk_push_c_function(ctx, function, arguments);
  duk_put_prop_string(ctx, -2, name);
}

}  // namespace

const lingate_duk_ops kReqHeadersOps = make_ops<Side::request>();
const lingate_duk_ops kResHeadersOps = make_ops<Side::response>();

void push_object_natives(duk_context* ctx) {
  put_function(ctx, "values", values, 1);
  put_function(ctx, "add", add, 2);
  put_function(ctx, "lines", lines, 0);
  put_function(ctx, "text", text, 0);
  put_function(ctx, "json", json, 0);
}

void get_header_values(duk_context* ctx, duk_idx_t index, std::string_view name) {
  Vm& vm = Vm::of(ctx);
  vm.list.clear();
  vm.converted_used = 0;
  append_header_values(ctx, index, name);
}

void append_header_values(duk_context* ctx, duk_idx_t index, std::string_view name) {
  Vm& vm = Vm::of(ctx);
  const ScriptLimits& limits = vm.script.limits;
  const auto append = [&vm, &limits, ctx](duk_idx_t at) {
    std::string_view units;
    std::string_view bytes;
    if (!get_string(ctx, at, units)) return 1;
    if (units.size() / 2 > limits.head) {  // too long whatever its bytes are: the write is refused
      vm.list.push_back(units);
      return 0;
    }
    if (vm.converted_used == vm.converted.size()) vm.converted.emplace_back();
    std::string& room = vm.converted[vm.converted_used];
    if (!to_latin1(units, room, bytes)) return 2;
    if (bytes.data() == room.data()) ++vm.converted_used;
    vm.list.push_back(bytes);
    return 0;
  };
  int bad = append(index);
  int is_list = 0;
  unsigned long length = 0;
  if (bad == 1 && lingate_duk_plain_object(ctx, index, &is_list, &length) != 0 && is_list != 0) {
    index = duk_normalize_index(ctx, index);
    bad = 0;
    for (unsigned long i = 0; i < length && bad == 0; ++i) {
      if (vm.list.size() > limits.fields) break;  // too many already: the same
      bad = lingate_duk_element(ctx, index, i) == LINGATE_DUK_VALUE ? append(-1) : 1;
      if (bad == 0) duk_pop(ctx);
    }
  }
  if (bad == 0) return;
  vm.error_text.assign("header '").append(name.substr(0, 64));
  vm.error_text.append(bad == 1 ? "' takes text or a list of texts"
                                : "' takes one char per byte: a char above U+00FF must be encoded");
  raise_kept(ctx);
}

}  // namespace lingate::runtimes::duktape
