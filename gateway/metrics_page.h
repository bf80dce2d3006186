// The page /metrics: what the workers counted and what the script pools hold, in Prometheus' text format 0.0.4. Labels
// are bounded: routes, steps and runtimes, never paths.
//
// Thread: any; every figure is whole, together they are not one instant.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "gateway/http/worker.h"
#include "middleware/script_pools.h"
#include "middleware/tracing/exporter.h"
#include "store/store.h"

namespace lingate {

struct MetricsSources {
  std::span<const http::Worker* const> workers;
  const middleware::ScriptPools& scripts;  // of the configuration that runs
  std::uint64_t dropped_lines = 0;
  std::uint64_t generation = 1;
  std::chrono::system_clock::time_point generation_since;
  bool last_reload_good = true;
  std::uint64_t failed_upgrades = 0;
  const middleware::tracing::Exporter* exporter = nullptr;  // nullptr: nothing is traced
  const store::Store* store = nullptr;                      // nullptr: there is none
};

std::string metrics_page(const MetricsSources& sources);

}  // namespace lingate
