// The objects of a call: req, res, their headers, params, client and session. Each is a handle: a light userdata that
// names its kind, a slot and the slot's generation. So making one costs nothing and leaves no garbage; and one that
// outlives its call answers with an error, not with another request, since no slot has a generation twice.
//
// All handles share one metatable, as all light userdata of a VM do (lingate.null is the handle of kind null). What a
// script does in every call goes through direct.h first; the functions of Behaviour are asked for the rest.
//
// Thread: the instance's. Lifetime: a handle belongs to the script, its slot to the instance.
#pragma once

#include <cstdint>

#include "runtimes/lua/environment.h"

namespace lingate::runtimes::lua {

// The slot that a handle names, if that call is the one that runs; else nullptr.
inline CallSlot* running(const Environment& environment, const Handle& handle) noexcept {
  CallSlot* const slot = environment.current;
  return slot && slot->index == handle.slot && slot->generation == handle.generation ? slot : nullptr;
}

void push_object(lua_State* state, const CallSlot& slot, Kind kind);
// The same, remembering that this hook asks for it: the next calls have it in the registry before it is asked for.
void push_usual(lua_State* state, CallSlot& slot, Kept place, Kind kind);
void keep_usual(lua_State* state, CallSlot& slot);
void keep_top(lua_State* state, CallSlot& slot, Kept place);  // pops

// The slot of the object at 1, in a function of its kind. Raises for one of another call.
CallSlot& live(lua_State* state);
// The same where a script may call with anything (`req.text(5)`): checks that it is one of the two kinds.
CallSlot& live_self(lua_State* state, Kind one, Kind other, const char* method, Side& side);

void add_method(Environment& environment, Field field, lua_CFunction function);
// Answers a field that is a method.
int push_method(lua_State* state, Field field);

// Makes the metatable of handles, and keeps it in the registry.
void register_objects(Environment& environment);

extern const Behaviour kRequestBehaviour, kResponseBehaviour, kRequestHeadersBehaviour, kResponseHeadersBehaviour,
    kParamsBehaviour, kClientBehaviour, kSessionBehaviour;
void add_request_methods(Environment& environment);
void add_headers_methods(Environment& environment);

}  // namespace lingate::runtimes::lua
