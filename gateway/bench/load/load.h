// Load: a server under HTTP requests, as `lingate bench http` measures it. Two loops, one after the other: a closed
// one, in which each connection sends its next request when the answer is there, says what the server can do; an open
// one, in which requests are due at fixed times, says what those see who come by themselves and do not wait for one
// another. In the open loop a latency counts from when its request was due, so a server that stalls cannot hide it.
//
// One failed request fails the measurement: numbers of a server that errs say nothing.
//
// Thread: the caller's, for as long as it takes; it starts none. Lifetime: the record owns what it holds.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "gateway/bench/progress.h"
#include "gateway/bench/record.h"

namespace lingate::bench {

struct LoadOptions {
  std::string url;  // http://host[:port]/path?query
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  double rate = 0;                    // of the open loop, per second; 0: half of what the closed loop reached
  std::chrono::seconds duration{10};  // of each loop
  std::chrono::milliseconds warmup{1000};
  unsigned connections = 64;
  std::chrono::milliseconds timeout{5000};  // of one request, once it is sent
};

// A record of kind "http" with two rows, "closed/64" and "open/5000" ("open/half" if no rate was asked for, so that two
// runs have rows of the same names). Machine, time and command are the caller's to add. The error says how many
// requests failed, how, and what to do.
Result<Record> measure_http(const LoadOptions& options, Progress& progress);

}  // namespace lingate::bench
