// The jobs without a script: the same work as a step in C++, which is what a script's cost is held against.
//
// Thread: as Middleware says. Lifetime: the arm's.
#pragma once

#include <memory>
#include <string_view>

#include "middleware/middleware.h"

namespace lingate::bench {

// Null where a job makes no sense without a language (`live`, `marks`).
std::unique_ptr<const middleware::Middleware> native_step(std::string_view job);

}  // namespace lingate::bench
