// Loop: connections that send requests for a while. It opens them all first; then warm-up and measured time begin, and
// what is under way at the end may still be answered. The closed one sends when an answer is there; the open one when a
// request is due.
//
// The open loop takes the connection that has been idle longest, so that all of them (and the server's workers behind
// them) have their share. If none is idle, a due request waits in a queue, keeps its due time, and another connection
// is opened, up to `most_connections`: users who come by themselves bring connections of their own, and without more of
// them the generator would be the queue that is measured. Beyond the cap a server that stalls would be flooded with
// connections until something else breaks; the queue then goes on counting the time for it.
//
// Thread: the caller's. Lifetime: a call.
#pragma once

#include <chrono>
#include <functional>

#include "gateway/bench/load/tally.h"
#include "gateway/bench/load/target.h"

namespace lingate::bench {

struct LoopPlan {
  Target target;
  unsigned connections = 64;
  unsigned most_connections = 64;  // of the open loop
  std::chrono::milliseconds warmup{1000};
  std::chrono::milliseconds duration{10000};
};

struct LoopResult {
  Tally tally;
  std::size_t connections = 0;  // at the end
  std::uint64_t reconnects = 0;
  double busy = 0;     // processor time of this thread as a part of the time
  Histogram lateness;  // ns that a due request waited although a connection was idle: the generator's own fault
};

using LoopProgress = std::function<void(double part)>;  // 0 … 1

LoopResult run_closed(const LoopPlan& plan, const LoopProgress& progress);
LoopResult run_open(const LoopPlan& plan, double rate, const LoopProgress& progress);

}  // namespace lingate::bench
