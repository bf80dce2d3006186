#include "runtimes/lua/objects.h"

#include "runtimes/attributes.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

int show_name(lua_State* state) {
  lua_pushvalue(state, lua_upvalueindex(1));
  return 1;
}

bool is_kind(lua_State* state, int index, Kind kind) {
  if (lua_type(state, index) != LUA_TUSERDATA || !lua_getmetatable(state, index)) return false;
  const Environment& environment = Environment::of(state);
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.metatables[static_cast<std::size_t>(kind)]);
  const bool same = lua_rawequal(state, -1, -2) != 0;
  lua_pop(state, 2);
  return same;
}

CallSlot& checked(lua_State* state, const Object& object) {
  CallSlot& slot = *object.slot;
  if (object.generation != slot.generation) raise(state, stale_object());
  if (&slot != Environment::of(state).current) raise(state, "this object belongs to another call");
  return slot;
}

}  // namespace

void make_metatable(Environment& environment, Kind kind, const Behaviour& behaviour) {
  lua_State* state = environment.vm.state();
  lua_createtable(state, 0, 6);
  const auto set = [state](const char* name, lua_CFunction function) {
    if (!function) return;
    lua_pushcfunction(state, function);
    lua_setfield(state, -2, name);
  };
  set("__index", behaviour.index);
  set("__newindex", behaviour.new_index);
  set("__pairs", behaviour.pairs);
  lua_pushstring(state, behaviour.name);
  lua_pushcclosure(state, &show_name, 1);
  lua_setfield(state, -2, "__tostring");
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  environment.metatables[static_cast<std::size_t>(kind)] = luaL_ref(state, LUA_REGISTRYINDEX);
}

void add_method(Environment& environment, Field field, lua_CFunction function) {
  lua_pushcfunction(environment.vm.state(), function);
  environment.methods[static_cast<std::size_t>(field)] = luaL_ref(environment.vm.state(), LUA_REGISTRYINDEX);
}

int push_method(lua_State* state, Field field) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, Environment::of(state).methods[static_cast<std::size_t>(field)]);
  return 1;
}

Object& push_object(lua_State* state, CallSlot& slot, Kind kind) {
  auto* object = static_cast<Object*>(lua_newuserdata(state, sizeof(Object)));
  *object = {&slot, slot.generation, 0};
  lua_rawgeti(state, LUA_REGISTRYINDEX, Environment::of(state).metatables[static_cast<std::size_t>(kind)]);
  lua_setmetatable(state, -2);
  return *object;
}

void push_kept(lua_State* state, CallSlot& slot, Kept place, Kind kind) {
  if (slot.has(place)) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, slot.ref(place));
    return;
  }
  push_object(state, slot, kind);
  lua_pushvalue(state, -1);
  keep_top(state, slot, place);
}

void keep_top(lua_State* state, CallSlot& slot, Kept place) {
  lua_rawseti(state, LUA_REGISTRYINDEX, slot.ref(place));
  slot.kept |= 1U << static_cast<unsigned>(place);
}

CallSlot& live(lua_State* state) {
  return checked(state, *static_cast<const Object*>(lua_touserdata(state, 1)));
}

CallSlot& live_self(lua_State* state, Kind one, Kind other, const char* method, Side& side) {
  if (is_kind(state, 1, one)) {
    side = Side::request;
  } else if (is_kind(state, 1, other)) {
    side = Side::response;
  } else {
    lua_pushfstring(state, "%s is called with a colon, on the object that it belongs to", method);
    raise(state, view_at(state, -1));
  }
  return live(state);
}

}  // namespace lingate::runtimes::lua
