// lingate.respond(status, body, headers) and the value that a hook returns.
#include <algorithm>

#include "runtimes/lua/natives.h"
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

// What respond() gives: good for being returned from the call that made it.
struct Answer {
  const CallSlot* slot;
  std::uint32_t generation;
  std::uint32_t serial;
};

constexpr const char* kHeadersUsage = "respond: headers is a map of names to strings or lists of strings";

void body_of(lua_State* state, Environment& environment, AnswerParts& parts) {
  using Body = AnswerParts::Body;
  switch (lua_type(state, 2)) {
    case LUA_TNONE:
    case LUA_TNIL: return;
    case LUA_TSTRING:
      parts.body = view_at(state, 2);
      parts.kind = is_utf8(parts.body) ? Body::text : Body::bytes;
      return;
    case LUA_TTABLE: break;
    default:
      lua_pushfstring(state, "respond: the body is a string, a map or a list, not %s",
                      is_null(state, 2) ? "null" : luaL_typename(state, 2));
      raise(state, view_at(state, -1));
  }
  JsonWriter& json = environment.json;
  json.reset({.bytes = environment.script.limits.body, .depth = 128});
  std::string error;
  if (!walk(state, 2, json, "respond: body", error)) raise_and_drop(state, error);
  parts.body = json.json();
  parts.kind = Body::json;
}

// Whether the table on top holds anything.
bool has_keys(lua_State* state) {
  lua_pushnil(state);
  if (lua_next(state, -2) == 0) return false;
  lua_pop(state, 2);
  return true;
}

// The strings stay in the tables that they came from while this is in use.
void headers_of(lua_State* state, Environment& environment, AnswerParts& parts) {
  std::vector<AnswerParts::Line>& lines = environment.lines;
  lines.clear();
  if (lua_isnoneornil(state, 3)) return;
  if (!lua_istable(state, 3)) raise(state, kHeadersUsage);
  const std::size_t most = environment.script.limits.fields + 1;  // one too many is refused by the view
  for (lua_pushnil(state); lua_next(state, 3) && lines.size() < most; lua_pop(state, 1)) {
    if (lua_type(state, -2) != LUA_TSTRING) raise(state, kHeadersUsage);
    const std::string_view name = view_at(state, -2);
    if (lua_type(state, -1) == LUA_TSTRING) {
      lines.push_back({name, view_at(state, -1)});
      continue;
    }
    if (!lua_istable(state, -1)) raise(state, kHeadersUsage);
    const auto size = static_cast<int>(std::min<std::size_t>(lua_objlen(state, -1), most));
    if (size == 0 && has_keys(state)) raise(state, kHeadersUsage);
    for (int i = 1; i <= size; ++i) {
      lua_rawgeti(state, -1, i);
      if (lua_type(state, -1) != LUA_TSTRING) raise(state, kHeadersUsage);
      lines.push_back({name, view_at(state, -1)});
      lua_pop(state, 1);
    }
  }
  // A Lua table has no order of its own: by name, so that the same script gives the same bytes.
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  parts.headers = lines;
}

int respond(lua_State* state) {
  Environment& environment = Environment::of(state);
  if (!environment.current) raise(state, "respond: there is no request while the script loads");
  CallSlot& slot = *environment.current;
  if (lua_type(state, 1) != LUA_TNUMBER) {
    lua_pushfstring(state, "respond: the status is a number, not %s",
                    lua_isnone(state, 1) ? "nothing" : luaL_typename(state, 1));
    raise(state, view_at(state, -1));
  }
  AnswerParts parts;
  parts.status = lua_tonumber(state, 1);
  body_of(state, environment, parts);
  headers_of(state, environment, parts);
  raise_if(state, slot.view->answer(parts));
  auto* answer = static_cast<Answer*>(lua_newuserdata(state, sizeof(Answer)));
  *answer = {&slot, slot.generation, ++slot.answers};
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.answer_metatable);
  lua_setmetatable(state, -2);
  return 1;
}

int answer_index(lua_State* state) {
  raise(state, "what respond() gives is only for returning it");
}

int answer_name(lua_State* state) {
  lua_pushliteral(state, "response");
  return 1;
}

// The answer object at `index`; nullptr: it is something else.
const Answer* answer_at(lua_State* state, const Environment& environment, int index) {
  if (lua_type(state, index) != LUA_TUSERDATA || !lua_getmetatable(state, index)) return nullptr;
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.answer_metatable);
  const bool same = lua_rawequal(state, -1, -2) != 0;
  lua_pop(state, 2);
  return same ? static_cast<const Answer*>(lua_touserdata(state, index)) : nullptr;
}

}  // namespace

std::string take_answer(lua_State* coroutine, CallSlot& slot, int count) {
  const int first = lua_gettop(coroutine) - count + 1;
  bool nothing = true;
  for (int i = first; i < first + count; ++i)
    nothing = nothing && lua_isnil(coroutine, i);
  if (nothing) {
    if (slot.answers > 0) slot.view->drop_answer();
    return {};
  }
  const Answer* answer = count == 1 ? answer_at(coroutine, Environment::of(coroutine), first) : nullptr;
  if (!answer)
    return std::string("the hook returned ") +
           (count > 1 ? "several values" : std::string("a ") + luaL_typename(coroutine, first)) +
           "; it returns nothing, or what lingate.respond() gave";
  if (answer->slot != &slot || answer->generation != slot.generation)
    return "the hook returned another call's response";
  if (answer->serial != slot.answers) return "the hook returned a response that a later respond() has replaced";
  return {};
}

void add_respond(Environment& environment) {
  lua_State* state = environment.vm.state();
  lua_createtable(state, 0, 4);
  add_native(state, "__index", &answer_index);
  add_native(state, "__newindex", &answer_index);
  add_native(state, "__tostring", &answer_name);
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  environment.answer_metatable = luaL_ref(state, LUA_REGISTRYINDEX);
  add_native(state, "respond", &respond);
}

}  // namespace lingate::runtimes::lua
