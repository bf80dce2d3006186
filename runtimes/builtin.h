// The one list of compiled-in rooms. Adding a runtime is a new room and one line in builtin.cpp.
//
// Thread: any; constant. Lifetime: static. Target lingate_rooms.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes {

struct Room {
  std::string_view name;  // as in the configuration: "lua", "python", "js", "echo"
  std::unique_ptr<Runtime> (*make)(Watchdog&);
};

std::span<const Room> builtin_rooms() noexcept;

}  // namespace lingate::runtimes
