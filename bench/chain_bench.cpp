// What a chain costs: ten native steps against none, an access log line, and a script step without a language (the echo
// room), which is the boundary alone. Every arm checks that it did its work; the differences are the figures.
#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/wall_clock.h"
#include "middleware/access_log.h"
#include "middleware/builtin.h"
#include "middleware/script_pools.h"
#include "runtimes/echo/echo.h"

namespace lingate::middleware {
namespace {

class BenchLoop final : public Loop {
 public:
  std::uint32_t index() const noexcept override { return 0; }
  Clock::time_point now() const noexcept override { return now_; }
  Clock::time_point refresh() noexcept override { return now_ = Clock::now(); }
  std::chrono::system_clock::time_point wall() noexcept override { return wall_.at(now_); }
  void arm(Timer&, Clock::duration) noexcept override {}
  void disarm(Timer&) noexcept override {}
  void post(Task&) noexcept override {}

 private:
  Clock::time_point now_ = Clock::now();
  WallClock wall_;
};

class NoLog final : public AppLog {
 public:
  bool wants(LogLevel) const noexcept override { return false; }
  void write(const AppEvent& event) noexcept override {
    std::fprintf(stderr, "unexpected log line: %.*s\n", static_cast<int>(event.message.size()), event.message.data());
    std::abort();
  }
};

class BenchHost final : public ExchangeHost {
 public:
  Loop& loop() noexcept override { return loop_; }
  AppLog& log() noexcept override { return log_; }
  IdSource& ids() noexcept override { return ids_; }
  Buffering buffer_request_body(std::size_t) override { return Buffering::failed; }
  Buffering buffer_response_body(std::size_t) override { return Buffering::failed; }
  void request_side_over() noexcept override {}
  void response_side_over() noexcept override {}

 private:
  BenchLoop loop_;
  NoLog log_;
  IdSource ids_;
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRequestHead{
    {{"Host", "api.example.com"},
     {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) bench"},
     {"Accept", "application/json, text/plain, */*"},
     {"Accept-Encoding", "gzip, deflate, br"},
     {"Accept-Language", "en-GB,en;q=0.9"},
     {"X-Api-Key", "0123456789abcdef0123456789abcdef"},
     {"Cookie", "session=abcdef0123456789; theme=dark"},
     {"Cache-Control", "no-cache"},
     {"Connection", "keep-alive"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kResponseHead{
    {{"Content-Type", "application/json"}, {"Content-Length", "128"}, {"Server", "up"}, {"ETag", "\"x\""}}};

template <std::size_t N>
void receive(Headers& headers, const std::array<std::pair<std::string_view, std::string_view>, N>& lines) {
  for (const auto& [name, value] : lines) {
    Field field;
    field.name = name;
    field.value = value;
    field.line = name;
    field.id = field_id(name);
    headers.receive(field);
  }
}

// One request through a chain, as a connection drives it.
void serve(Exchange& exchange, const Chain& chain) {
  exchange.begin(chain, "users");
  Request& request = exchange.request;
  request.method = "GET";
  request.target = "/users/7?x=1";
  request.path = "/users/7";
  request.query = "x=1";
  request.has_query = true;
  request.host = "api.example.com";
  request.scheme = "http";
  request.client_ip = "192.0.2.1";
  request.client_port = 4711;
  receive(request.headers, kRequestHead);
  if (exchange.run.request() != ChainRun::Answer::over) std::abort();
  if (exchange.response.source == Response::Source::none) {
    exchange.response.source = Response::Source::upstream;
    exchange.response.status = 200;
    receive(exchange.response.headers, kResponseHead);
  }
  if (exchange.run.response() != ChainRun::Answer::over) std::abort();
  exchange.run.log();
}

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
    Exchange exchange(host);
    serve(exchange, chain);
    if (!works(exchange)) state.SkipWithError("the chain did not do its work");
    exchange.end();
    for (auto _ : state) {
      serve(exchange, chain);
      benchmark::DoNotOptimize(exchange.response.status);
      exchange.end();
    }
  }

  BenchHost host;
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
  Exchange exchange(bench.host);
  serve(exchange, chain);
  std::string line;
  for (auto _ : state) {
    line.clear();
    append_access_line(line, exchange, Clock::now());
    benchmark::DoNotOptimize(line.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
  exchange.end();
}

void script(benchmark::State& state, const char* source, std::string_view works_by) {
  std::string file = "/tmp/lingate-bench-XXXXXX";
  const int descriptor = ::mkstemp(file.data());
  if (descriptor < 0) std::abort();
  std::ofstream(file) << source;
  ::close(descriptor);
  runtimes::Watchdog watchdog;
  const auto echo = runtimes::echo::make_echo(watchdog);
  NoLog log;
  Bench bench;
  ScriptPools pools({.runtimes = {echo.get()}, .watchdog = &watchdog, .log = &log, .workers = 1, .limits = {}});
  bench.add("script",
            Settings(Settings::Map{{"file", Settings(file)},
                                   {"runtime", Settings(std::string("echo"))},
                                   {"budget", Settings(Settings::Duration(std::chrono::seconds(10)))}}),
            {.workers = 1, .scripts = &pools});
  ::unlink(file.c_str());
  bench.run(state, [&](Exchange& exchange) {
    return exchange.steps[0].began && (works_by.empty() || exchange.request.headers.find(works_by));
  });
}

void script_empty(benchmark::State& state) {
  script(state, "", "");
}
void script_request_only(benchmark::State& state) {
  script(state, "on request\nread-all\n", "");
}
void script_header_job(benchmark::State& state) {
  script(state,
         "set-header X-User ada\nset-header X-Tenant acme\nremove-header X-Api-Key\n"
         "on response\nset-header X-Served-By lingate\n",
         "x-tenant");
}

BENCHMARK(no_steps);
BENCHMARK(ten_passive_steps);
BENCHMARK(ten_native_steps);
BENCHMARK(request_id);
BENCHMARK(request_id_and_access_log);
BENCHMARK(access_line);
BENCHMARK(script_empty);
BENCHMARK(script_request_only);
BENCHMARK(script_header_job);

}  // namespace
}  // namespace lingate::middleware
