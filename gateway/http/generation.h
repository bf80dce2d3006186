// Generation: one snapshot as one worker serves it: the worker's own upstreams for it and its rows of counters. An
// upstream whose options did not change is handed from generation to generation with its connections and its health.
//
// Thread: the worker's. Lifetime: until it is no longer current, the last exchange that began on it is over, and its
// steps are quiet (what a `log` hook does goes on beyond its exchange).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/loop.h"
#include "gateway/http/metrics.h"
#include "gateway/http/snapshot.h"
#include "gateway/http/upstream.h"

namespace lingate::http {

struct WorkerParts;

struct Generation {
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<Upstream*> upstreams;              // as Snapshot::upstreams
  std::vector<RouteMetrics*> routes;             // as Snapshot::routes
  std::vector<std::vector<StepMetrics*>> steps;  // as those, by step; empty where nothing is timed
  RouteMetrics* unrouted = nullptr;
  std::uint32_t exchanges = 0;  // in flight
};

class Generations final : private Timer {
 public:
  Generations(WorkerParts& parts, std::shared_ptr<const Snapshot> first);
  ~Generations();

  Generation& current() noexcept { return *all_.back(); }
  void adopt(std::shared_ptr<const Snapshot> snapshot);
  void hold(Generation& generation) noexcept { ++generation.exchanges; }
  void release(Generation& generation) noexcept;
  void close_idle() noexcept;
  void close_drained() noexcept;

 private:
  std::vector<StepMetrics*> rows_of(const Route& route);
  Upstream* find_or_make(const UpstreamOptions& options);
  bool is_over(const Generation& generation) const noexcept;
  void expired() noexcept override;  // drops what is over

  WorkerParts& parts_;
  std::vector<std::unique_ptr<Upstream>> upstreams_;
  std::vector<std::unique_ptr<Generation>> all_;  // oldest first
};

}  // namespace lingate::http
