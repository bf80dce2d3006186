// The JavaScript room alone, from start() to the verdict: an empty hook, the header job of targets.md, its 401, a JSON
// body rewrite, and one suspension. The control is the encoded call going in and out of a CallView.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "plugin.pb.h"
#include "runtimes/call_view.h"
#include "runtimes/duktape/duktape.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes {
namespace {

class Silent final : public Host {
 public:
  void log(LogLevel, std::string_view, std::string_view, void*) noexcept override {}
};

std::string encoded_call(bool key) {
  plugin::Call call;
  auto& request = *call.mutable_request();
  request.set_id("0190b2c4-7b1e-7c3a-9d55-6f1f2c0a8e11");
  request.set_method("GET");
  request.set_scheme("http");
  request.set_host("bench.example.com");
  request.set_path("/api/v1/users/42");
  request.set_version("1.1");
  request.set_route("bench");
  request.mutable_client()->set_ip("192.0.2.1");
  request.mutable_client()->set_port(40000);
  const auto add = [&request](const char* name, const char* value) {
    auto& header = *request.add_headers();
    header.set_name(name);
    header.set_value(value);
  };
  add("Host", "bench.example.com");
  add("User-Agent", "load/1.0");
  add("Accept", "*/*");
  add("Accept-Encoding", "gzip, deflate");
  add("Authorization", "Bearer 0123456789abcdef");
  if (key) add("X-Api-Key", "key-500");
  add("X-Request-Id", "abc");
  add("Cookie", "a=b; c=d");
  request.set_body("{\"user\":{\"name\":\"ann\",\"card\":\"4111111111111111\"},\"items\":[1,2,3,4,5,6,7,8]}");
  return call.SerializeAsString();
}

constexpr const char* kEmpty = "exports.request = function (req) {};";

// Read an API key, look one of 1,000 sessions up, set two headers, remove one; 401 without a key.
constexpr const char* kHeaderJob = R"(
  var lingate = require("lingate"), sessions = {};
  for (var i = 0; i < 1000; i++) sessions["key-" + i] = {user: "user-" + i, org: "org-" + i % 10};
  exports.request = function (req) {
    var headers = req.headers, key = headers["X-Api-Key"], session = key && sessions[key];
    if (!session) return lingate.respond(401, "key required");
    headers["X-User"] = session.user;
    headers["X-Org"] = session.org;
    delete headers["Authorization"];
  };)";

constexpr const char* kContext =
    "exports.request = function (req, ctx) { ctx.user = 'ann'; ctx.n = (ctx.n || 0) + 1; };";

constexpr const char* kJson =
    "exports.request = function (req) { var b = JSON.parse(req.text()); b.user.card = '****'; req.body = "
    "JSON.stringify(b); };";

constexpr const char* kSleep =
    "var lingate = require('lingate'); exports.request = function (req) { lingate.sleep(0); };";

struct Room {
  explicit Room(const char* source) {
    Script script;
    script.path = "bench.js";
    script.source = source;
    script.memory = 64 * 1024 * 1024;
    script.limits.request_body = true;
    auto loaded = runtime->load(script, host);
    if (!loaded) std::abort();
    instance = std::move(*loaded);
  }
  Watchdog watchdog;
  Silent host;
  std::unique_ptr<Runtime> runtime = duktape::make_duktape(watchdog);
  std::unique_ptr<Instance> instance;
};

// Each arm proves that its script ran and raised nothing.
void check(benchmark::State& state, std::string_view verdict, bool edits) {
  plugin::Verdict it;
  if (!it.ParseFromArray(verdict.data(), static_cast<int>(verdict.size())) || it.has_failure() ||
      (verdict.empty() == edits))
    state.SkipWithError("the script failed");
}

void run(benchmark::State& state, const char* source, bool key, bool edits) {
  Room room(source);
  const std::string call = encoded_call(key);
  Watch watch(room.watchdog, *room.instance);
  const ScriptLimits limits{.request_body = true};
  CallView view;
  const auto start = [&] {
    view.begin(Hook::request, call, limits);
    room.instance->start(1, view, nullptr);
    benchmark::DoNotOptimize(&view.verdict());
  };
  start();
  check(state, view.finish(), edits);
  for (auto _ : state) {
    watch.arm(Clock::now() + std::chrono::seconds(1));
    start();
    if (watch.disarm()) state.SkipWithError("the budget was spent");
  }
  check(state, view.finish(), edits);
}

void BM_Control(benchmark::State& state) {
  const std::string call = encoded_call(true);
  const ScriptLimits limits;
  CallView view;
  for (auto _ : state) {
    view.begin(Hook::request, call, limits);
    benchmark::DoNotOptimize(view.request_head().get("X-Api-Key"));
    benchmark::DoNotOptimize(view.finish().data());
  }
}
BENCHMARK(BM_Control);

void BM_Empty(benchmark::State& state) {
  run(state, kEmpty, true, false);
}
BENCHMARK(BM_Empty);

void BM_HeaderJob(benchmark::State& state) {
  run(state, kHeaderJob, true, true);
}
BENCHMARK(BM_HeaderJob);

void BM_Answer401(benchmark::State& state) {
  run(state, kHeaderJob, false, true);
}
BENCHMARK(BM_Answer401);

void BM_Context(benchmark::State& state) {
  run(state, kContext, true, true);
}
BENCHMARK(BM_Context);

void BM_JsonBody(benchmark::State& state) {
  run(state, kJson, true, true);
}
BENCHMARK(BM_JsonBody);

void BM_Suspension(benchmark::State& state) {
  Room room(kSleep);
  const std::string call = encoded_call(true);
  const ScriptLimits limits;
  CallView view;
  for (auto _ : state) {
    view.begin(Hook::request, call, limits);
    if (room.instance->start(1, view, nullptr).state != Progress::State::suspended)
      state.SkipWithError("it did not suspend");
    room.instance->resume(1, {});
    benchmark::DoNotOptimize(&view.verdict());
  }
}
BENCHMARK(BM_Suspension);

void BM_Load(benchmark::State& state) {
  for (auto _ : state) {
    Room room(kEmpty);
    benchmark::DoNotOptimize(room.instance.get());
  }
}
BENCHMARK(BM_Load)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lingate::runtimes
