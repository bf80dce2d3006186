// The page /metrics: what the workers counted and what the script pools hold, in Prometheus' text format 0.0.4. Labels
// are bounded: routes, steps and runtimes, never paths.
//
// Thread: any; every figure is whole, together they are not one instant.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gateway/http/worker.h"
#include "middleware/script_pools.h"

namespace lingate {

std::string metrics_page(std::span<const http::Worker* const> workers, const middleware::ScriptPools& scripts,
                         std::uint64_t dropped_lines);

}  // namespace lingate
