// Measure: figures of several arms within this process. Arms take turns in short slices, in an order that changes from
// sweep to sweep, so that whatever disturbs the machine disturbs all of them. Each arm is warmed up until its slices
// agree, and proves after every slice that it still does its work.
//
// Processor time is that of the whole process, so threads that a placement uses count. Latency and the parts have
// slices of their own: reading a clock for each request would stand in the processor time.
//
// Thread: the measuring thread's. Units: nanoseconds per request.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/bench/rooms/arm.h"
#include "gateway/bench/stats.h"

namespace lingate::bench {

struct MeasureOptions {
  std::chrono::milliseconds slice{8};
  unsigned sweeps = 3;        // at least so many,
  Clock::time_point until{};  // and as many as begin before this
  std::chrono::milliseconds longest_warmup{150};
  std::uint32_t seed = 0;              // of the order
  std::function<void()> await_turn{};  // before each warm-up and slice, where another process has its own in between
};

struct ArmFigures {
  std::string arm;
  std::uint64_t calls = 0;
  double cpu = 0;  // median of the slices
  Histogram latency;
};

// `progress` is told the part that is done, 0 … 1. The error names the arm and what was wrong with its work.
Result<std::vector<ArmFigures>> measure(Workshop& workshop, const std::vector<std::unique_ptr<Arm>>& arms,
                                        const MeasureOptions& options, const std::function<void(double)>& progress);

// Of the whole process, since it began.
double processor_time() noexcept;

// One slice's processor time per request; for curves, whose points are arms that come and go.
Result<double> measure_cpu(Workshop& workshop, Arm& arm, const MeasureOptions& options);

}  // namespace lingate::bench
