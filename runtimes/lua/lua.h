// The Lua room: scripts on LuaJIT, one VM for each instance.
#pragma once

#include <memory>

#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::lua {

std::unique_ptr<Runtime> make_lua(Watchdog& watchdog);

}  // namespace lingate::runtimes::lua
