// Sample: records such as `lingate bench` makes, without measuring. The same on every call.
#pragma once

#include "gateway/bench/record.h"

namespace lingate::bench {

// All jobs, runtimes and placements, with histograms, parts and curves. `lua_header` stretches the Lua header job's
// cost; `seed` gives other noise.
Record sample_runtimes(double lua_header = 1, unsigned seed = 1);

Record sample_http();  // no parts, no curves, a rate

Record sample_peers();  // targets, and rows that have no figure in common

Record sample_hostile();  // every text tries to be markup; numbers are zero, huge or lacking

}  // namespace lingate::bench
