// The objects of a call: req, res, their headers, params, client, session and what respond() gives are userdata that
// name a slot and its generation. They are made when the script first asks for one and are never used again: an object
// that outlives its call answers with an error, not with another request.
//
// Thread: the instance's. Lifetime: an object belongs to the script, its slot to the instance.
#pragma once

#include <cstdint>

#include "runtimes/lua/environment.h"

namespace lingate::runtimes::lua {

struct Object {
  CallSlot* slot;
  std::uint32_t generation;
  std::uint32_t serial;  // of an answer
};

// What a kind of object does; nullptr: an error that names the attribute.
struct Behaviour {
  const char* name;
  lua_CFunction index;
  lua_CFunction new_index;
  lua_CFunction pairs;
};

void make_metatable(Environment& environment, Kind kind, const Behaviour& behaviour);
void add_method(Environment& environment, Field field, lua_CFunction function);

Object& push_object(lua_State* state, CallSlot& slot, Kind kind);
// The same object again for the same call.
void push_kept(lua_State* state, CallSlot& slot, Kept place, Kind kind);
void keep_top(lua_State* state, CallSlot& slot, Kept place);  // pops

// The slot of the object at 1, in a metamethod of its kind: nothing else reaches it. Raises for one of another call.
CallSlot& live(lua_State* state);
// The same where a script may call with anything (`req.text(5)`): checks that it is one of the two kinds.
CallSlot& live_self(lua_State* state, Kind one, Kind other, const char* method, Side& side);

// Answers a field that is a method.
int push_method(lua_State* state, Field field);

void register_request(Environment& environment);
void register_headers(Environment& environment);
void register_session(Environment& environment);

}  // namespace lingate::runtimes::lua
