// others: the requests that a fault must not touch. They come at a fixed rate whatever the gateway does (open loop),
// and each latency counts from when its request was due.
//
//   others URL RATE CONNECTIONS SECONDS [GROWTH]   for SECONDS; RATE 0 is a closed loop: what the machine can hold.
//                                                  GROWTH (8): times as many connections at most, where none is idle
//
// Says "begun" when the time runs, and at the end one line of JSON: answers, errors, rate, p50_ms, p99_ms, p999_ms,
// max_ms, fault (the text of the first error).
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/bench/load/loop.h"

using namespace lingate::bench;

namespace {

int run(const std::string& url, double rate, unsigned connections, double seconds, unsigned growth) {
  LoadOptions options;
  options.url = url;
  auto target = find_target(options);
  if (!target) {
    std::cerr << "others: " << target.error().message << '\n';
    return 1;
  }
  const LoopPlan plan{
      .target = std::move(*target),
      .connections = connections,
      .most_connections = connections * growth,
      .warmup = std::chrono::milliseconds(0),
      .duration = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(seconds))};
  bool begun = false;
  const auto tell = [&begun](double) {
    if (!std::exchange(begun, true)) std::cout << "begun" << std::endl;
  };
  const LoopResult result = rate > 0 ? run_open(plan, rate, tell) : run_closed(plan, tell);
  const Tally& tally = result.tally;
  const auto milliseconds = [&tally](double quantile) { return tally.latency().quantile(quantile) / 1e6; };
  const nlohmann::json figures = {{"answers", tally.answers()},
                                  {"errors", tally.errors()},
                                  {"rate", static_cast<double>(tally.answers()) / seconds},
                                  {"p50_ms", milliseconds(0.5)},
                                  {"p99_ms", milliseconds(0.99)},
                                  {"p999_ms", milliseconds(0.999)},
                                  {"max_ms", tally.latency().max() / 1e6},
                                  {"fault", tally.errors() != 0 ? tally.first_fault().text : ""}};
  std::cout << figures << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5 || argc == 6)
    return run(argv[1], std::atof(argv[2]), static_cast<unsigned>(std::atoi(argv[3])), std::atof(argv[4]),
               argc == 6 ? static_cast<unsigned>(std::atoi(argv[5])) : 8);
  std::cerr << "usage: others URL RATE CONNECTIONS SECONDS [GROWTH]\n";
  return 2;
}
