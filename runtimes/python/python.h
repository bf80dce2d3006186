// The Python room: CPython in this process, one interpreter, one module per instance.
#pragma once

#include <memory>

#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::python {

std::unique_ptr<Runtime> make_python(Watchdog& watchdog);

}  // namespace lingate::runtimes::python
