#include "runtimes/lua/objects.h"

#include <utility>

#include "runtimes/attributes.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

static_assert(Handle::kKindBits + Handle::kSlotBits + Handle::kGenerationBits == 39);
static_assert(static_cast<unsigned>(Kind::count_) <= 1U << Handle::kKindBits);

int no_object(lua_State* state) {
  raise(state, "attempt to index lingate.null");
}

int no_pairs(lua_State* state) {
  raise(state, "bad argument #1 to 'pairs' (table expected, got userdata)");
}

constexpr Behaviour kNull{"null", &no_object, &no_object, &no_pairs};

const Behaviour& behaviour_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::null: return kNull;
    case Kind::request: return kRequestBehaviour;
    case Kind::response: return kResponseBehaviour;
    case Kind::request_headers: return kRequestHeadersBehaviour;
    case Kind::response_headers: return kResponseHeadersBehaviour;
    case Kind::params: return kParamsBehaviour;
    case Kind::client: return kClientBehaviour;
    case Kind::session: return kSessionBehaviour;
    case Kind::count_: break;
  }
  return kNull;
}

Handle handle_at(lua_State* state, int index) noexcept {
  return lua_islightuserdata(state, index) ? Handle::from(lua_touserdata(state, index)) : Handle{};
}

int object_index(lua_State* state) {
  return behaviour_of(handle_at(state, 1).kind).index(state);
}

int object_new_index(lua_State* state) {
  return behaviour_of(handle_at(state, 1).kind).new_index(state);
}

int object_pairs(lua_State* state) {
  const lua_CFunction pairs = behaviour_of(handle_at(state, 1).kind).pairs;
  return pairs ? pairs(state) : no_pairs(state);
}

int object_name(lua_State* state) {
  const Handle handle = handle_at(state, 1);
  if (handle.kind == Kind::null && lua_touserdata(state, 1))
    lua_pushfstring(state, "userdata: %p", lua_touserdata(state, 1));
  else
    lua_pushstring(state, behaviour_of(handle.kind).name);
  return 1;
}

CallSlot& checked(lua_State* state, const Handle& handle) {
  const Environment& environment = Environment::of(state);
  if (CallSlot* const slot = running(environment, handle)) return *slot;
  const CallSlot* const slot = environment.slot_at(handle.slot);
  if (!slot || slot->generation != handle.generation) raise(state, stale_object());
  raise(state, foreign_object());
}

}  // namespace

void push_object(lua_State* state, const CallSlot& slot, Kind kind) {
  lua_pushlightuserdata(state, Handle{kind, slot.index, slot.generation}.light());
}

void push_usual(lua_State* state, CallSlot& slot, Kept place, Kind kind) {
  Environment::of(state).usual[static_cast<std::size_t>(slot.hook) - 1] |= 1U << static_cast<unsigned>(place);
  push_object(state, slot, kind);
}

void keep_usual(lua_State* state, CallSlot& slot) {
  const std::uint32_t usual = Environment::of(state).usual[static_cast<std::size_t>(slot.hook) - 1];
  if (usual == 0) return;
  for (const auto& [place, kind] :
       {std::pair(Kept::request_headers, Kind::request_headers),
        std::pair(Kept::response_headers, Kind::response_headers), std::pair(Kept::session, Kind::session)}) {
    if (!(usual >> static_cast<unsigned>(place) & 1)) continue;
    push_object(state, slot, kind);
    keep_top(state, slot, place);
  }
}

void keep_top(lua_State* state, CallSlot& slot, Kept place) {
  lua_rawseti(state, LUA_REGISTRYINDEX, slot.ref(place));
  slot.kept |= 1U << static_cast<unsigned>(place);
}

CallSlot& live(lua_State* state) {
  return checked(state, handle_at(state, 1));
}

CallSlot& live_self(lua_State* state, Kind one, Kind other, const char* method, Side& side) {
  const Handle handle = handle_at(state, 1);
  if (handle.kind != one && handle.kind != other) {
    lua_pushfstring(state, "%s is called with a colon, on the object that it belongs to", method);
    raise(state, view_at(state, -1));
  }
  side = handle.kind == one ? Side::request : Side::response;
  return checked(state, handle);
}

void add_method(Environment& environment, Field field, lua_CFunction function) {
  lua_pushcfunction(environment.vm.state(), function);
  environment.methods[static_cast<std::size_t>(field)] = luaL_ref(environment.vm.state(), LUA_REGISTRYINDEX);
}

int push_method(lua_State* state, Field field) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, Environment::of(state).methods[static_cast<std::size_t>(field)]);
  return 1;
}

void register_objects(Environment& environment) {
  lua_State* state = environment.vm.state();
  lua_pushlightuserdata(state, nullptr);
  lua_createtable(state, 0, 5);
  const auto set = [state](const char* name, lua_CFunction function) {
    lua_pushcfunction(state, function);
    lua_setfield(state, -2, name);
  };
  set("__index", &object_index);
  set("__newindex", &object_new_index);
  set("__pairs", &object_pairs);
  set("__tostring", &object_name);
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_pushvalue(state, -1);
  environment.metatable = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_setmetatable(state, -2);
  lua_pop(state, 1);
  add_request_methods(environment);
  add_headers_methods(environment);
}

}  // namespace lingate::runtimes::lua
