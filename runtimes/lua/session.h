// req.session: fields that read through to the call, tags and metadata as native tables that are compared with what was
// there when the hook returns.
//
// Thread: the instance's.
#pragma once

#include <string>

#include "runtimes/lua/environment.h"

namespace lingate::runtimes::lua {

int assign_session(lua_State* state, CallSlot& slot);  // the value at 3

// After the hook: hands tags and metadata that the script had in hand to the view. Empty, or why they cannot be kept.
std::string keep_session(lua_State* state, CallSlot& slot);

}  // namespace lingate::runtimes::lua
