// The functions of the `lingate` module that belong to no request.
#include "runtimes/module.h"

#include <cmath>

#include "base/utf8.h"
#include "runtimes/attributes.h"
#include "runtimes/lua/natives.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

// Nothing can stop a digest on the way: this much takes some ten milliseconds.
constexpr std::size_t kDigestLimit = 16 * 1024 * 1024;

template <class T>
[[noreturn]] void raise_error(lua_State* state, const char* function, Result<T, ValueError>& result) {
  std::string text = std::string(function) + ": " + result.error().message;
  std::string().swap(result.error().message);
  raise_and_drop(state, text);
}

int push_and_drop(lua_State* state, std::string& text) {
  push(state, text);
  std::string().swap(text);
  return 1;
}

int push_result(lua_State* state, const char* function, Result<std::string, ValueError> result) {
  if (!result) raise_error(state, function, result);
  return push_and_drop(state, *result);
}

// What the library is about to make outside of the VM counts, too: as a block that nobody touches, so it takes no
// pages.
void count_outside(lua_State* state, std::size_t size) {
  constexpr std::size_t kLarge = 64 * 1024;
  if (size > kLarge) lua_newuserdata(state, size);
}

// ---- json ----

int json_encode(lua_State* state) {
  Environment& environment = Environment::of(state);
  luaL_checkany(state, 1);
  JsonWriter& json = environment.json;
  json.reset({.bytes = environment.script.memory / 4, .depth = 128});  // a text that grows takes up to twice its size
  if (lua_isnil(state, 1)) {
    lua_pushliteral(state, "null");
    return 1;
  }
  std::string error;
  if (!walk(state, 1, json, "value", error)) {
    json.reset({});
    error.insert(0, "json.encode: ");
    raise_and_drop(state, error);
  }
  count_outside(state, json.json().size());
  push(state, json.json());
  json.reset({});
  return 1;
}

int json_decode(lua_State* state) {
  const std::string_view text = check_text(state, 1, "json.decode: the text");
  TableBuilder builder(state);
  Result<void, ValueError> parsed = parse_json(text, builder);
  if (!parsed) raise_error(state, "json.decode", parsed);
  return 1;
}

// ---- base64, crypto ----

module::Base64 alphabet_at(lua_State* state, int index) {
  if (lua_isnoneornil(state, index)) return module::Base64::standard;
  if (check_text(state, index, "base64: the alphabet") == "url") return module::Base64::url;
  raise(state, "base64: the alphabet is \"url\" or nothing");
}

int base64_encode(lua_State* state) {
  const std::string_view bytes = check_text(state, 1, "base64.encode: the data");
  const module::Base64 alphabet = alphabet_at(state, 2);
  count_outside(state, bytes.size() / 3 * 4);
  std::string text = module::base64_encode(bytes, alphabet);
  return push_and_drop(state, text);
}

int base64_decode(lua_State* state) {
  const std::string_view text = check_text(state, 1, "base64.decode: the text");
  const module::Base64 alphabet = alphabet_at(state, 2);
  count_outside(state, text.size() / 4 * 3);
  return push_result(state, "base64.decode", module::base64_decode(text, alphabet));
}

module::Encoding encoding_at(lua_State* state, int index, const char* function) {
  if (lua_isnoneornil(state, index)) return module::Encoding::hex;
  Result<module::Encoding, ValueError> encoding = module::parse_encoding(check_text(state, index, "the encoding"));
  if (!encoding) raise_error(state, function, encoding);
  return *encoding;
}

std::string_view digestible(lua_State* state, int index, const char* what) {
  const std::string_view data = check_text(state, index, what);
  if (data.size() > kDigestLimit) raise(state, "crypto: at most 16 MiB at once");
  return data;
}

int sha256(lua_State* state) {
  const std::string_view data = digestible(state, 1, "crypto.sha256: the data");
  std::string digest = module::sha256(data, encoding_at(state, 2, "crypto.sha256"));
  return push_and_drop(state, digest);
}

int hmac(lua_State* state) {
  const std::string_view key = digestible(state, 1, "crypto.hmac: the key");
  const std::string_view data = digestible(state, 2, "crypto.hmac: the data");
  std::string digest = module::hmac_sha256(key, data, encoding_at(state, 3, "crypto.hmac"));
  return push_and_drop(state, digest);
}

int equal(lua_State* state) {
  const std::string_view a = check_text(state, 1, "crypto.equal: the first value");
  const std::string_view b = check_text(state, 2, "crypto.equal: the second value");
  lua_pushboolean(state, module::equal(a, b) ? 1 : 0);
  return 1;
}

int random(lua_State* state) {
  if (lua_type(state, 1) != LUA_TNUMBER) raise(state, "crypto.random: the number of bytes is a number");
  return push_result(state, "crypto.random", module::random(lua_tonumber(state, 1)));
}

// ---- query ----

int query_parse(lua_State* state) {
  const std::string_view query = check_text(state, 1, "query.parse: the query");
  TableBuilder builder(state);
  Result<void, ValueError> parsed = module::parse_query(query, builder);
  if (!parsed) raise_error(state, "query.parse", parsed);
  return 1;
}

// Empty, or what is wrong with the value at 1.
std::string build_query(lua_State* state, std::string& query) {
  module::QueryWriter writer;
  std::string error;
  if (walk(state, 1, writer, "query", error)) query = writer.query();
  return error;
}

int query_build(lua_State* state) {
  luaL_checkany(state, 1);
  std::string query;
  std::string error = build_query(state, query);
  if (error.empty()) return push_and_drop(state, query);
  error.insert(0, "query.build: ");
  raise_and_drop(state, error);
}

// ---- now, log, sleep ----

int now(lua_State* state) {
  lua_pushnumber(state, module::now());
  return 1;
}

// log.LEVEL(message, fields)
template <LogLevel level>
int log(lua_State* state) {
  constexpr std::size_t kMessage = 4096;
  Environment& environment = Environment::of(state);
  if (lua_type(state, 1) == LUA_TNUMBER) lua_tolstring(state, 1, nullptr);  // turns it into a string
  const std::string_view message = check_text(state, 1, "log: the message");
  std::string_view fields;
  if (!lua_isnoneornil(state, 2)) {
    if (!lua_istable(state, 2)) raise(state, "log: fields is a map");
    environment.json.reset({.bytes = 4 * kMessage, .depth = 32});
    std::string error;
    if (!walk(state, 2, environment.json, "log: fields", error)) raise_and_drop(state, error);
    fields = environment.json.json();
    if (!fields.starts_with('{')) raise(state, "log: fields is a map");
  }
  environment.host.log(level, utf8::cut(message, kMessage), fields,
                       environment.current ? environment.current->tag : nullptr);
  return 0;
}

// Names the operation; the prelude then yields to the host.
int sleep(lua_State* state) {
  Environment& environment = Environment::of(state);
  if (lua_type(state, 1) != LUA_TNUMBER) raise(state, "sleep: the time is a number of seconds");
  const double seconds = lua_tonumber(state, 1);
  if (!(seconds >= 0) || std::isinf(seconds)) raise(state, "sleep: the time is a number of seconds, 0 or more");
  if (!environment.current) raise(state, "sleep: a script cannot wait while it loads");
  environment.current->operation = {HostOperation::Kind::sleep, seconds};
  environment.current->waits = true;
  return 0;
}

int forget_wait(lua_State* state) {
  if (CallSlot* slot = Environment::of(state).current) slot->waits = false;
  return 0;
}

int no_attribute(lua_State* state) {
  std::string text = unknown_attribute(runtimes::Object::lingate, check_text(state, 2, "a name"));
  raise_and_drop(state, text);
}

}  // namespace

void add_module(Environment& environment) {
  lua_State* state = environment.vm.state();
  add_native(state, "json_encode", &json_encode);
  add_native(state, "json_decode", &json_decode);
  add_native(state, "base64_encode", &base64_encode);
  add_native(state, "base64_decode", &base64_decode);
  add_native(state, "sha256", &sha256);
  add_native(state, "hmac", &hmac);
  add_native(state, "equal", &equal);
  add_native(state, "random", &random);
  add_native(state, "query_parse", &query_parse);
  add_native(state, "query_build", &query_build);
  add_native(state, "now", &now);
  add_native(state, "log_debug", &log<LogLevel::debug>);
  add_native(state, "log_info", &log<LogLevel::info>);
  add_native(state, "log_warn", &log<LogLevel::warn>);
  add_native(state, "log_error", &log<LogLevel::error>);
  add_native(state, "sleep", &sleep);
  add_native(state, "forget_wait", &forget_wait);
  add_native(state, "no_attribute", &no_attribute);
  push_null(state);
  lua_setfield(state, -2, "null");
}

}  // namespace lingate::runtimes::lua
