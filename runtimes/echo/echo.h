// The echo room: no language. A "script" is a list of commands, enough to be the control in tests and benchmarks: what
// the boundary costs, and that calls are suspended, resumed and stopped as every room must do it.
#pragma once

#include <memory>

#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::echo {

std::unique_ptr<Runtime> make_echo(Watchdog& watchdog);

}  // namespace lingate::runtimes::echo
