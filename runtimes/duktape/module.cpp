// The native half of the `lingate` module: everything that the prelude puts behind a name.
#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "runtimes/attributes.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {
namespace {

constexpr std::size_t kLongestLog = 4096;
constexpr double kLongestSleep = 1e9;

// Text as UTF-8 or a buffer's bytes, from an argument.
std::string_view data_at(duk_context* ctx, duk_idx_t index, std::string& scratch, std::string_view what) {
  std::string_view units;
  std::string_view bytes;
  if (get_string(ctx, index, units)) {
    if (to_utf8(units, Lone::refuse, scratch, bytes)) return bytes;
  } else if (duk_is_buffer_data(ctx, index)) {
    duk_size_t size = 0;
    const void* const data = duk_get_buffer_data(ctx, index, &size);
    return {static_cast<const char*>(data), data == nullptr ? 0 : size};
  }
  Vm& vm = Vm::of(ctx);
  vm.error_text.assign(what).append(" is text (without half surrogate pairs) or bytes");
  raise_kept(ctx);
}

std::string_view text_at(duk_context* ctx, duk_idx_t index, std::string_view what) {
  Vm& vm = Vm::of(ctx);
  std::string_view units;
  std::string_view utf8;
  if (get_string(ctx, index, units) && to_utf8(units, Lone::refuse, vm.scratch, utf8)) return utf8;
  vm.error_text.assign(what).append(" is text");
  raise_kept(ctx);
}

template <class T>
T option_at(duk_context* ctx, duk_idx_t index, T otherwise, Result<T, ValueError> (*parse)(std::string_view),
            std::string_view what) {
  if (duk_is_null_or_undefined(ctx, index)) return otherwise;
  const std::string_view name = text_at(ctx, index, what);
  bool bad = false;
  {
    auto parsed = parse(name);
    if (parsed) {
      otherwise = *parsed;
    } else {
      Vm::of(ctx).error_text = std::move(parsed.error().message);
      bad = true;
    }
  }
  if (bad) raise_kept(ctx);
  return otherwise;
}

// ---- respond ----

void read_answer_headers(duk_context* ctx, Vm& vm, duk_idx_t index) {
  vm.answer_lines.clear();
  vm.list.clear();
  vm.converted_used = 0;
  if (duk_is_null_or_undefined(ctx, index)) return;
  int is_list = 0;
  unsigned long length = 0;
  if (lingate_duk_plain_object(ctx, index, &is_list, &length) == 0 || is_list != 0)
    raise(ctx, "lingate.respond takes its headers as a map of name to text or list of texts");
  for (unsigned long i = 0;; ++i) {
    const int found = lingate_duk_entry(ctx, index, i);
    if (found == LINGATE_DUK_END) return;
    if (found == LINGATE_DUK_NOTHING) continue;
    if (found == LINGATE_DUK_ACCESSOR) raise(ctx, "lingate.respond: a getter is no header");
    if (!duk_is_undefined(ctx, -1)) {
      std::string_view units;
      std::string_view name;
      get_string(ctx, -2, units);
      if (!to_latin1(units, vm.second_scratch, name)) raise(ctx, "a header's name is text of ASCII characters");
      // A converted name is no token and will be refused by it; any bytes beyond ASCII in it will do.
      if (name.data() == vm.second_scratch.data()) name = units;
      const std::size_t first = vm.list.size();
      append_header_values(ctx, -1, name);
      for (std::size_t at = first; at < vm.list.size(); ++at)
        vm.answer_lines.push_back({name, vm.list[at]});
    }
    duk_pop_2(ctx);
  }
}

void read_answer_body(duk_context* ctx, Vm& vm, AnswerParts& parts) {
  constexpr duk_idx_t kBody = 1;
  if (duk_is_null_or_undefined(ctx, kBody)) return;
  if (duk_is_string(ctx, kBody) || duk_is_buffer_data(ctx, kBody)) {
    parts.kind = duk_is_string(ctx, kBody) ? AnswerParts::Body::text : AnswerParts::Body::bytes;
    parts.body = data_at(ctx, kBody, vm.scratch, "lingate.respond's body");
    return;
  }
  if (!duk_is_object(ctx, kBody)) raise(ctx, "lingate.respond takes as its body nothing, text, bytes, a map or a list");
  parts.kind = AnswerParts::Body::json;
  vm.json.reset({.bytes = vm.script.limits.body, .depth = 128});
  if (!vm.walker.walk(ctx, kBody, vm.json, "body")) {
    vm.error_text = vm.walker.error(vm.json.error());
    raise_kept(ctx);
  }
  parts.body = vm.json.json();
}

duk_ret_t respond(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  if (vm.current == nullptr) raise(ctx, "lingate.respond has no request to answer while the script is loaded");
  Slot& slot = *vm.current;
  AnswerParts parts;
  parts.status = duk_is_number(ctx, 0) ? duk_get_number(ctx, 0) : std::numeric_limits<double>::quiet_NaN();
  read_answer_headers(ctx, vm, 2);
  read_answer_body(ctx, vm, parts);
  parts.headers = vm.answer_lines;
  if (refused(vm, slot.view->answer(parts))) raise_kept(ctx);
  // An answer made before is not the one that counts any more.
  drop_thing(slot, Thing::answer);
  push_thing(ctx, slot, Thing::answer);
  return 1;
}

// ---- log ----

duk_ret_t log(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const auto level = static_cast<LogLevel>(duk_get_current_magic(ctx));
  std::string_view fields;
  if (!duk_is_null_or_undefined(ctx, 1)) {
    vm.json.reset({.bytes = 64 * 1024, .depth = 32});
    int is_list = 0;
    unsigned long length = 0;
    if (lingate_duk_plain_object(ctx, 1, &is_list, &length) == 0 || is_list != 0)
      raise(ctx, "lingate.log takes its fields as a map");
    if (!vm.walker.walk(ctx, 1, vm.json, "fields")) {
      vm.error_text = vm.walker.error(vm.json.error());
      raise_kept(ctx);
    }
    fields = vm.json.json();
  }
  std::string_view units;
  std::string_view message;
  if (!get_string(ctx, 0, units)) {
    if (duk_is_symbol(ctx, 0)) raise(ctx, "lingate.log takes text, not a symbol");
    duk_to_string(ctx, 0);
    get_string(ctx, 0, units);
  }
  to_utf8(units.substr(0, kLongestLog * 2), Lone::replace, vm.scratch, message);
  vm.host.log(level, utf8::cut(message, kLongestLog), fields, vm.current == nullptr ? nullptr : vm.current->tag);
  return 0;
}

// ---- json, base64, crypto, query ----

duk_ret_t json_encode(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  vm.json.reset({.bytes = vm.heap.limit() / 2, .depth = 128});
  if (!vm.walker.walk(ctx, 0, vm.json, "value")) {
    vm.error_text = vm.walker.error(vm.json.error());
    raise_kept(ctx);
  }
  push_utf8(ctx, vm.json.json());
  return 1;
}

duk_ret_t json_decode(duk_context* ctx) {
  push_json(ctx, data_at(ctx, 0, Vm::of(ctx).scratch, "lingate.json.decode's argument"), "the text");
  return 1;
}

// What the library is about to make outside of the heap counts, too: as a block that nobody touches, so it takes no
// pages. It goes with the native function's frame.
void count_outside(duk_context* ctx, std::size_t size) {
  constexpr std::size_t kLarge = 64 * 1024;
  if (size > kLarge) duk_push_buffer_raw(ctx, size, DUK_BUF_FLAG_NOZERO);
}

duk_ret_t base64_encode(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const auto alphabet = option_at(ctx, 1, module::Base64::standard, module::parse_alphabet, "the alphabet");
  const std::string_view data = data_at(ctx, 0, vm.scratch, "what lingate.base64.encode takes");
  count_outside(ctx, data.size() / 3 * 4);
  vm.second_scratch = module::base64_encode(data, alphabet);
  push_utf8(ctx, vm.second_scratch);
  return 1;
}

duk_ret_t base64_decode(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const auto alphabet = option_at(ctx, 1, module::Base64::standard, module::parse_alphabet, "the alphabet");
  const std::string_view text = data_at(ctx, 0, vm.scratch, "what lingate.base64.decode takes");
  count_outside(ctx, text.size() / 4 * 3);
  bool bad;
  {
    auto decoded = module::base64_decode(text, alphabet);
    bad = !decoded;
    (bad ? vm.error_text : vm.second_scratch) = std::move(bad ? decoded.error().message : *decoded);
  }
  if (bad) raise_kept(ctx);
  push_bytes(ctx, vm.second_scratch);
  return 1;
}

duk_ret_t push_digest(duk_context* ctx, Vm& vm, module::Encoding encoding) {
  if (encoding == module::Encoding::raw) {
    push_bytes(ctx, vm.second_scratch);
  } else {
    push_utf8(ctx, vm.second_scratch);
  }
  return 1;
}

duk_ret_t sha256(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const auto encoding = option_at(ctx, 1, module::Encoding::hex, module::parse_encoding, "the encoding");
  const std::string_view data = data_at(ctx, 0, vm.scratch, "what lingate.crypto.sha256 takes");
  vm.second_scratch = module::sha256(data, encoding);
  return push_digest(ctx, vm, encoding);
}

duk_ret_t hmac(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const auto encoding = option_at(ctx, 2, module::Encoding::hex, module::parse_encoding, "the encoding");
  const std::string_view key = data_at(ctx, 0, vm.second_scratch, "lingate.crypto.hmac's key");
  const std::string_view data = data_at(ctx, 1, vm.scratch, "what lingate.crypto.hmac takes");
  vm.second_scratch = module::hmac_sha256(key, data, encoding);
  return push_digest(ctx, vm, encoding);
}

duk_ret_t equal(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const std::string_view one = data_at(ctx, 0, vm.scratch, "what lingate.crypto.equal takes");
  const std::string_view other = data_at(ctx, 1, vm.second_scratch, "what lingate.crypto.equal takes");
  duk_push_boolean(ctx, module::equal(one, other) ? 1 : 0);
  return 1;
}

duk_ret_t random(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const double count = duk_is_number(ctx, 0) ? duk_get_number(ctx, 0) : std::numeric_limits<double>::quiet_NaN();
  bool bad;
  {
    auto made = module::random(count);
    bad = !made;
    (bad ? vm.error_text : vm.second_scratch) = std::move(bad ? made.error().message : *made);
  }
  if (bad) raise_kept(ctx);
  push_bytes(ctx, vm.second_scratch);
  return 1;
}

duk_ret_t query_parse(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const std::string_view text = text_at(ctx, 0, "what lingate.query.parse takes");
  vm.tape.reset();
  bool bad;
  {
    auto parsed = module::parse_query(text, vm.tape);
    bad = !parsed;
    if (bad) vm.error_text = std::move(parsed.error().message);
  }
  if (bad) raise_kept(ctx);
  Builder builder(ctx);
  vm.tape.play(builder);
  return 1;
}

duk_ret_t query_build(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  vm.query.reset();
  if (!vm.walker.walk(ctx, 0, vm.query, "query")) {
    vm.error_text = vm.walker.error(vm.query.error());
    raise_kept(ctx);
  }
  push_utf8(ctx, vm.query.query());
  return 1;
}

duk_ret_t now(duk_context* ctx) {
  duk_push_number(ctx, module::now());
  return 1;
}

// lingate.array(list): an ordinary array with the same elements.
duk_ret_t array(duk_context* ctx) {
  int is_list = 0;
  unsigned long length = 0;
  duk_push_array(ctx);
  if (duk_is_null_or_undefined(ctx, 0)) return 1;
  if (lingate_duk_plain_object(ctx, 0, &is_list, &length) == 0 || is_list == 0)
    raise(ctx, "lingate.array takes a list or nothing");
  for (unsigned long i = 0; i < length; ++i) {
    if (lingate_duk_element(ctx, 0, i) != LINGATE_DUK_VALUE) raise(ctx, "lingate.array: a hole in a list is no value");
    duk_put_prop_index(ctx, -2, static_cast<duk_uarridx_t>(i));
  }
  return 1;
}

// ---- waiting: the prelude calls wait(), yields its coroutine, and calls woken() when it is resumed ----

duk_ret_t wait(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  const double seconds = duk_is_number(ctx, 0) ? duk_get_number(ctx, 0) : -1;
  if (!(seconds >= 0) || seconds > kLongestSleep) raise(ctx, "lingate.sleep takes a number of seconds, 0 or more");
  if (vm.current == nullptr) raise(ctx, "lingate.sleep cannot wait while the script is loaded");
  if (lingate_duk_waits_allowed(ctx) == 0)
    raise(ctx, "lingate.sleep cannot wait inside a library's callback (such as sort, replace or forEach) or a getter");
  vm.current->waiting = true;
  vm.current->operation = {HostOperation::Kind::sleep, seconds};
  return 0;
}

duk_ret_t woken(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  if (vm.current == nullptr || vm.current->host_error.empty()) return 0;
  vm.error_text = vm.current->host_error;
  raise_kept(ctx);
}

// ---- the module as the script sees it: a host object over the prelude's plain one, so that a misspelling is an error
// ----

void module_get(duk_context* ctx, void* plain) {
  std::string_view name;
  const bool symbol = !get_string(ctx, -1, name);
  duk_push_heapptr(ctx, plain);
  duk_dup(ctx, -2);
  const bool found = duk_get_prop(ctx, -2) != 0;
  duk_remove(ctx, -2);
  if (!found && !symbol && name != "toJSON" && name != "then") {
    Vm& vm = Vm::of(ctx);
    vm.error_text = unknown_attribute(Object::lingate, name);
    raise_kept(ctx);
  }
  duk_replace(ctx, -2);
}

void module_put(duk_context* ctx, void*) {
  raise(ctx, "the module lingate is read-only");
}

int module_has(duk_context* ctx, void* plain) {
  duk_push_heapptr(ctx, plain);
  duk_dup(ctx, -2);
  const bool found = duk_has_prop(ctx, -2) != 0;
  duk_pop(ctx);
  return found ? 1 : 0;
}

void module_keys(duk_context* ctx, void* plain) {
  duk_push_array(ctx);
  duk_push_heapptr(ctx, plain);
  duk_uarridx_t at = 0;
  for (unsigned long i = 0;; ++i) {
    const int found = lingate_duk_entry(ctx, -1, i);
    if (found == LINGATE_DUK_END) break;
    if (found == LINGATE_DUK_NOTHING) continue;
    if (found == LINGATE_DUK_VALUE) duk_pop(ctx);
    duk_put_prop_index(ctx, -3, at++);
  }
  duk_pop(ctx);
}

// seal(plain): the module's object. The stash keeps the plain one.
duk_ret_t seal(duk_context* ctx) {
  duk_require_object(ctx, 0);
  duk_push_global_stash(ctx);
  duk_dup(ctx, 0);
  duk_put_prop_string(ctx, -2, "module");
  lingate_duk_push_object(ctx, &kModuleOps, duk_get_heapptr(ctx, 0));
  return 1;
}

struct Native {
  const char* name;
  duk_c_function function;
  duk_idx_t arguments;
  duk_int_t magic;
};

constexpr Native kNatives[] = {
    {"respond", respond, 3, 0},
    {"debug", log, 2, static_cast<duk_int_t>(LogLevel::debug)},
    {"info", log, 2, static_cast<duk_int_t>(LogLevel::info)},
    {"warn", log, 2, static_cast<duk_int_t>(LogLevel::warn)},
    {"error", log, 2, static_cast<duk_int_t>(LogLevel::error)},
    {"jsonEncode", json_encode, 1, 0},
    {"jsonDecode", json_decode, 1, 0},
    {"base64Encode", base64_encode, 2, 0},
    {"base64Decode", base64_decode, 2, 0},
    {"sha256", sha256, 2, 0},
    {"hmac", hmac, 3, 0},
    {"equal", equal, 2, 0},
    {"random", random, 1, 0},
    {"queryParse", query_parse, 1, 0},
    {"queryBuild", query_build, 1, 0},
    {"now", now, 0, 0},
    {"array", array, 1, 0},
    {"wait", wait, 1, 0},
    {"woken", woken, 0, 0},
    {"seal", seal, 1, 0},
};

}  // namespace

const lingate_duk_ops kModuleOps{module_get, module_put, module_has, module_put, module_keys};

void push_natives(duk_context* ctx) {
  duk_push_object(ctx);
  for (const Native& native : kNatives) {
    duk_push_c_function(ctx, native.function, native.arguments);
    duk_set_magic(ctx, -1, native.magic);
    duk_put_prop_string(ctx, -2, native.name);
  }
  push_object_natives(ctx);
  push_loader_natives(ctx);
}

void push_json(duk_context* ctx, std::string_view json, std::string_view what) {
  Vm& vm = Vm::of(ctx);
  vm.tape.reset();
  bool bad;
  {
    auto parsed = parse_json(json, vm.tape);
    bad = !parsed;
    if (bad) vm.error_text.assign(what).append(" is no JSON: ").append(parsed.error().message);
  }
  if (bad) raise_kept(ctx);
  Builder builder(ctx);
  vm.tape.play(builder);
}

}  // namespace lingate::runtimes::duktape
