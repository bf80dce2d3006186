// What a chain costs: ten native steps against none, an access log line. Every arm checks that it did its work; the
// differences are the figures. What a script costs beside them, `lingate bench runtimes` measures.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/bench/rooms/stage.h"
#include "middleware/access_log.h"
#include "middleware/builtin.h"

namespace lingate::middleware {
namespace {

struct Bench {
  void add(std::string_view kind, Settings settings, const StepSurroundings& surroundings = {}) {
    auto made = find_step(kind)->make(settings, surroundings);
    if (!made) std::abort();
    steps.push_back(std::move(*made));
  }
  // `works` is asked once, after a warm-up request.
  template <class Works>
  void run(benchmark::State& state, Works works) {
    std::vector<const Middleware*> raw;
    for (const auto& step : steps)
      raw.push_back(step.get());
    const Chain chain(raw);
    stage.serve(chain, traffic);
    if (!works(stage.exchange())) state.SkipWithError("the chain did not do its work");
    for (auto _ : state) {
      stage.serve(chain, traffic);
      benchmark::DoNotOptimize(stage.exchange().response.status);
    }
    stage.leave();
  }

  const bench::Traffic traffic = bench::usual_traffic();
  bench::Stage stage;
  std::vector<std::unique_ptr<const Middleware>> steps;
};

Settings edits(const std::string& name) {
  Settings::Map set{{name, Settings(std::string("value"))}};
  Settings::Map side{{"set", Settings(std::move(set))}};
  return Settings(Settings::Map{{"request", Settings(side)}, {"response", Settings(side)}});
}

void no_steps(benchmark::State& state) {
  Bench bench;
  bench.run(state, [](Exchange& exchange) { return exchange.response.status == 200; });
}

// Ten steps that do something on both sides.
void ten_native_steps(benchmark::State& state) {
  Bench bench;
  for (int k = 0; k < 10; ++k)
    bench.add("headers", edits("X-Step-" + std::to_string(k)));
  bench.run(state, [](Exchange& exchange) {
    return exchange.request.headers.find("x-step-9") && exchange.response.headers.find("x-step-0");
  });
}

// Ten steps that have nothing to do with this request: what the onion itself costs.
void ten_passive_steps(benchmark::State& state) {
  Bench bench;
  for (int k = 0; k < 10; ++k)
    bench.add("body-limit", Settings(Settings::Map{{"size", Settings(ByteSize{1000})}}));
  bench.run(state, [](Exchange& exchange) { return exchange.body_limit == 1000; });
}

void request_id(benchmark::State& state) {
  Bench bench;
  bench.add("request-id", Settings(Settings::Map{}));
  bench.run(state, [](Exchange& exchange) { return exchange.response.headers.find(FieldId::x_request_id) != nullptr; });
}

void request_id_and_access_log(benchmark::State& state) {
  LogFiles files(1);
  Bench bench;
  bench.add("request-id", Settings(Settings::Map{}));
  bench.add("access-log", Settings(Settings::Map{{"file", Settings(std::string("/dev/null"))}}), {.logs = &files});
  bench.run(state, [](Exchange& exchange) { return exchange.response.headers.find(FieldId::x_request_id) != nullptr; });
}

void access_line(benchmark::State& state) {
  Bench bench;
  const Chain chain;
  bench.stage.serve(chain, bench.traffic);
  std::string line;
  for (auto _ : state) {
    line.clear();
    append_access_line(line, bench.stage.exchange(), Clock::now());
    benchmark::DoNotOptimize(line.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
  bench.stage.leave();
}

BENCHMARK(no_steps);
BENCHMARK(ten_passive_steps);
BENCHMARK(ten_native_steps);
BENCHMARK(request_id);
BENCHMARK(request_id_and_access_log);
BENCHMARK(access_line);

}  // namespace
}  // namespace lingate::middleware
