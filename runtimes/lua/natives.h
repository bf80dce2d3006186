// The native functions that the prelude builds the `lingate` module and the sandbox from. Each group adds its functions
// to the table on top of the stack.
//
// Thread: the instance's.
#pragma once

#include "runtimes/lua/environment.h"

namespace lingate::runtimes::lua {

inline void add_native(lua_State* state, const char* name, lua_CFunction function) {
  lua_pushcfunction(state, function);
  lua_setfield(state, -2, name);
}

void add_respond(Environment& environment);
void add_module(Environment& environment);  // json, base64, crypto, query, now, log, sleep
void add_loader(Environment& environment);  // load, require

// What the hook returned, from the top `count` values of its coroutine. Empty, or why that is no return value.
std::string take_answer(lua_State* coroutine, CallSlot& slot, int count);

// Opens the libraries that scripts may have and runs the prelude. False with a message on top of the stack.
bool furnish(Environment& environment);

// Compiles text, never bytecode; as luaL_loadbuffer() otherwise. `path` goes into messages.
int compile(Environment& environment, lua_State* state, std::string_view source, const std::string& path);

// Remembers where the script is, once for each stop; in the hook that stops it, since the place is lost afterwards.
void note_stop(Environment& environment, lua_State* state);

// Everything that a call needs to be told about its failure.
LoadError describe_failure(Environment& environment, lua_State* coroutine);

}  // namespace lingate::runtimes::lua
