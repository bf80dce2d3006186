// Serve: what a worker process does: loads one script into one instance, runs its calls as they come over the link, and
// ends when the pool that started it has gone.
//
// Thread: the process's main thread; a Watchdog has its own. Lifetime: returns at the end of the process.
#pragma once

#include <span>

#include "runtimes/builtin.h"

namespace lingate::runtimes::process {

// With kMemoryFd and kBellFd open, as a Child starts it. The exit code of the process.
int serve(std::span<const Room> rooms);

}  // namespace lingate::runtimes::process
