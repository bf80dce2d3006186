// What a match costs with 10 and with 10,000 routes: it should depend on the path alone. Every iteration asserts that
// the right route was found.
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include "base/path.h"
#include "gateway/routing/router.h"

namespace lingate::routing {
namespace {

Match on(std::string path) {
  Match match;
  match.path = std::move(path);
  match.methods = {"GET"};
  return match;
}

// The route that is asked for stands in the middle of `count`.
std::vector<Match> table(std::size_t count) {
  std::vector<Match> matches;
  for (std::size_t i = 0; i < count; ++i)
    matches.push_back(on(fmt::format("/service-{}/v1/users/{{id}}", i)));
  return matches;
}

void match_one(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Router router(table(count));
  const std::string path = fmt::format("/service-{}/v1/users/12345", count / 2);
  const Request request{"GET", "api.example.com", path, "", nullptr};
  for (auto _ : state) {
    const Found found = router.match(request);
    if (found.route != count / 2) state.SkipWithError("wrong route");
    benchmark::DoNotOptimize(found.route);
  }
}
BENCHMARK(match_one)->Arg(10)->Arg(10'000);

// A different route every time: what caches add.
void match_all_in_turn(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Router router(table(count));
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i)
    paths.push_back(fmt::format("/service-{}/v1/users/12345", i * 7919 % count));
  std::size_t next = 0;
  for (auto _ : state) {
    const Found found = router.match({"GET", "api.example.com", paths[next], "", nullptr});
    if (found.route != next * 7919 % count) state.SkipWithError("wrong route");
    next = next + 1 == count ? 0 : next + 1;
  }
}
BENCHMARK(match_all_in_turn)->Arg(10)->Arg(10'000);

void no_route(benchmark::State& state) {
  const Router router(table(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    const Found found = router.match({"GET", "api.example.com", "/nothing/here/at/all", "", nullptr});
    if (found.outcome != Found::Outcome::no_route) state.SkipWithError("a route");
  }
}
BENCHMARK(no_route)->Arg(10)->Arg(10'000);

void normalise(benchmark::State& state, std::string_view raw) {
  std::array<char, 256> scratch;
  for (auto _ : state)
    benchmark::DoNotOptimize(normalise_path(raw, scratch));
}
BENCHMARK_CAPTURE(normalise, already_normal, "/service-5000/v1/users/12345");
BENCHMARK_CAPTURE(normalise, with_dots_and_triplets, "/service-5000/./v1/%75sers//12345");

}  // namespace
}  // namespace lingate::routing
