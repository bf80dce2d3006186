// Curves: how a cost grows with what there is of something: steps in a chain, header lines, routes, scripts loaded,
// live objects. Each point is an arm of its own, measured in the same process.
//
// Thread: the measuring thread's.
#pragma once

#include <functional>
#include <vector>

#include "gateway/bench/record.h"
#include "gateway/bench/rooms/measure.h"

namespace lingate::bench {

Result<std::vector<Curve>> measure_curves(Workshop& workshop, const MeasureOptions& options,
                                          const std::function<void(double)>& progress);

}  // namespace lingate::bench
