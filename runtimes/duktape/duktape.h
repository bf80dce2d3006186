// The JavaScript room: Duktape behind the adapter interface. README.md says how the budget and the memory limit hold.
#pragma once

#include <memory>

#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::duktape {

std::unique_ptr<Runtime> make_duktape(Watchdog& watchdog);

}  // namespace lingate::runtimes::duktape
