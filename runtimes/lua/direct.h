// Direct: what scripts do in every call, as plain functions that LuaJIT's compiled code calls without leaving its trace
// (a lua_CFunction ends one). The prelude calls them first; what they cannot answer (a stale object, a refused write, a
// method, an object that is made when it is first asked for) they leave to the metamethod of objects.h, which raises
// the script's errors. So they see no VM, raise nothing and allocate nothing in it.
//
// Thread: the instance's. Lifetime: what they leave in DirectAnswer lives until the next call of one.
#pragma once

#include "runtimes/lua/environment.h"

namespace lingate::runtimes::lua {

// Adds to the table on top what the prelude needs for that: `ffi`, `registry`, `objects` (the metatable of handles) and
// `direct` (the functions, and the addresses that they take or fill).
void add_direct(Environment& environment);

}  // namespace lingate::runtimes::lua
