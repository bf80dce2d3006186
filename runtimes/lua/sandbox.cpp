// Opens the libraries that a script may have and runs the prelude, which takes away what is too much.
#include <random>

#include "lingate_build/lua_prelude.h"
#include "runtimes/lua/direct.h"
#include "runtimes/lua/natives.h"
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

void open(lua_State* state, const char* name, lua_CFunction library) {
  lua_pushcfunction(state, library);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

void make_array(Environment& environment) {
  lua_State* state = environment.vm.state();
  lua_createtable(state, 0, 1);
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  environment.array_metatable = luaL_ref(state, LUA_REGISTRYINDEX);
}

// Nil where the table has a metatable of the script's.
int mark_array(lua_State* state) {
  lua_settop(state, 1);
  lua_rawgeti(state, LUA_REGISTRYINDEX, Environment::of(state).array_metatable);
  if (lua_getmetatable(state, 1)) return lua_rawequal(state, -1, -2) ? (lua_settop(state, 1), 1) : 0;
  lua_setmetatable(state, 1);
  return 1;
}

// debug.getinfo, for the room alone: it knows how many parameters a function takes.
void keep_getinfo(Environment& environment) {
  lua_State* state = environment.vm.state();
  open(state, "debug", &luaopen_debug);
  lua_getglobal(state, "debug");
  lua_getfield(state, -1, "getinfo");
  environment.arity_of = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_pop(state, 1);
}

void push_config(Environment& environment) {
  lua_State* state = environment.vm.state();
  if (environment.script.config.empty()) {
    push_null(state);
    return;
  }
  TableBuilder builder(state);
  if (!read_value(environment.script.config, builder)) luaL_error(state, "the script's configuration is malformed");
}

int build(lua_State* state) {
  Environment& environment = Environment::of(state);
  open(state, "", &luaopen_base);
  open(state, "table", &luaopen_table);
  open(state, "string", &luaopen_string);
  open(state, "math", &luaopen_math);
  open(state, "bit", &luaopen_bit);
  open(state, "os", &luaopen_os);
  open(state, "jit", &luaopen_jit);  // turns the compiler on
  keep_getinfo(environment);
  environment.fields.learn(state);
  make_array(environment);
  register_objects(environment);

  const int status = luaL_loadbufferx(state, kPrelude, sizeof(kPrelude) - 1, kPreludeName, "t");
  if (status != 0) return lua_error(state);
  lua_newtable(state);
  add_respond(environment);
  add_module(environment);
  add_loader(environment);
  add_direct(environment);
  add_native(state, "mark_array", &mark_array);
  push_config(environment);
  lua_pushvalue(state, -1);
  environment.config = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_setfield(state, -2, "config");
  lua_getglobal(state, "next");
  environment.next = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_pushnumber(state, static_cast<lua_Number>(std::random_device()()));
  lua_setfield(state, -2, "seed");
  lua_pushlightuserdata(state, &environment);
  lua_setfield(state, -2, "wait_mark");
  lua_createtable(state, 1, 0);
  lua_pushinteger(state, 0);
  lua_rawseti(state, -2, 1);
  lua_pushvalue(state, -1);
  environment.nesting = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_setfield(state, -2, "nesting");
  lua_call(state, 1, 1);
  environment.freeze_globals = luaL_ref(state, LUA_REGISTRYINDEX);
  return 0;
}

}  // namespace

bool furnish(Environment& environment) {
  lua_State* state = environment.vm.state();
  lua_pushcfunction(state, &build);
  return lua_pcall(state, 0, 0, 0) == 0;
}

}  // namespace lingate::runtimes::lua
