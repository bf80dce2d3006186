// What the boundary costs: writing a Call, reading it lazily, writing and reading a Verdict, values and JSON, and a
// whole call through an inline pool with the echo room. Control arms stand beside: the official classes, and the empty
// call.
#include <benchmark/benchmark.h>
#include <plugin.pb.h>

#include <array>
#include <cstdlib>

#include "runtimes/call_view.h"
#include "runtimes/echo/echo.h"
#include "runtimes/pool.h"
#include "runtimes/wire_call.h"
#include "runtimes/wire_verdict.h"

namespace {

using namespace lingate;
using namespace lingate::runtimes;

struct Line {
  std::string_view name, value;
};

// A browser-like head of twelve lines.
constexpr std::array<Line, 12> kHeaders{{
    {"Host", "api.example.com"},
    {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"},
    {"Accept", "application/json, text/plain, */*"},
    {"Accept-Language", "en-US,en;q=0.5"},
    {"Accept-Encoding", "gzip, deflate, br"},
    {"X-Api-Key", "key-000123"},
    {"Content-Type", "application/json"},
    {"Origin", "https://app.example.com"},
    {"Referer", "https://app.example.com/orders"},
    {"Cookie", "session=2f1c1d0e8b7a4c55"},
    {"X-Request-Id", "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"},
    {"Cache-Control", "no-cache"},
}};

const RequestParts kRequest{.id = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                            .method = "GET",
                            .scheme = "http",
                            .host = "api.example.com",
                            .path = "/users/42",
                            .query = "verbose=1",
                            .version = "1.1",
                            .route = "users",
                            .client_ip = "127.0.0.1",
                            .client_port = 40000};
constexpr std::array<Line, 1> kParams{{{"id", "42"}}};

std::string encoded_session() {
  WireWriter metadata;
  if (!parse_json(R"({"user":"u42","tenant":"acme"})", metadata)) std::abort();
  std::string session;
  write_session(session, {.id = "key-000123", .alias = "test", .metadata = metadata.members(), .rate = 100.0});
  return session;
}

std::string encoded_call() {
  std::string room, call;
  const std::string_view head = write_request_head(room, kRequest, kParams, kHeaders);
  const std::string session = encoded_session();
  write_call(call, {.hook = Hook::request, .deadline = 1732147200000000, .request_head = head, .session = session});
  return call;
}

void WriteCall(benchmark::State& state) {
  const std::string session = encoded_session();
  std::string room, call;
  for (auto _ : state) {
    const std::string_view head = write_request_head(room, kRequest, kParams, kHeaders);
    write_call(call, {.hook = Hook::request, .deadline = 1732147200000000, .request_head = head, .session = session});
    benchmark::DoNotOptimize(call.data());
  }
}
BENCHMARK(WriteCall);

void WriteCallWithACachedHead(benchmark::State& state) {
  const std::string session = encoded_session();
  std::string room, call;
  const std::string_view head = write_request_head(room, kRequest, kParams, kHeaders);
  for (auto _ : state) {
    write_call(call, {.hook = Hook::request, .deadline = 1732147200000000, .request_head = head, .session = session});
    benchmark::DoNotOptimize(call.data());
  }
}
BENCHMARK(WriteCallWithACachedHead);

void OfficialParse(benchmark::State& state) {
  const std::string bytes = encoded_call();
  plugin::Call call;
  for (auto _ : state) {
    if (!call.ParseFromString(bytes)) std::abort();
    benchmark::DoNotOptimize(call.request().headers_size());
  }
}
BENCHMARK(OfficialParse);

void OfficialSerialise(benchmark::State& state) {
  plugin::Call call;
  if (!call.ParseFromString(encoded_call())) std::abort();
  std::string bytes;
  for (auto _ : state) {
    call.SerializeToString(&bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
}
BENCHMARK(OfficialSerialise);

void CallUntouched(benchmark::State& state) {
  const std::string bytes = encoded_call();
  const ScriptLimits limits;
  CallView view;
  for (auto _ : state) {
    view.begin(Hook::request, bytes, limits);
    benchmark::DoNotOptimize(&view.verdict());
  }
}
BENCHMARK(CallUntouched);

void CallReadsTwoHeaders(benchmark::State& state) {
  const std::string bytes = encoded_call();
  const ScriptLimits limits;
  CallView view;
  for (auto _ : state) {
    view.begin(Hook::request, bytes, limits);
    benchmark::DoNotOptimize(view.request_head().get("x-api-key"));
    benchmark::DoNotOptimize(view.request_head().get("accept"));
    benchmark::DoNotOptimize(view.finish().data());
  }
}
BENCHMARK(CallReadsTwoHeaders);

void header_job(CallView& view) {
  HeadView& head = view.request_head();
  if (!head.get("X-Api-Key")) std::abort();
  const std::string_view user = "u42";
  const std::string_view tenant = "acme";
  if (head.set("X-User", {&user, 1}) || head.set("X-Tenant", {&tenant, 1}) || head.remove("X-Api-Key")) std::abort();
}

void CallDoesTheHeaderJob(benchmark::State& state) {
  const std::string bytes = encoded_call();
  const ScriptLimits limits;
  CallView view;
  for (auto _ : state) {
    view.begin(Hook::request, bytes, limits);
    header_job(view);
    benchmark::DoNotOptimize(view.finish().data());
  }
}
BENCHMARK(CallDoesTheHeaderJob);

void ReadVerdictOfTheHeaderJob(benchmark::State& state) {
  const std::string bytes = encoded_call();
  const ScriptLimits limits;
  CallView view;
  view.begin(Hook::request, bytes, limits);
  header_job(view);
  const std::string verdict(view.finish());
  Verdict read;
  for (auto _ : state) {
    if (!read_verdict(verdict, read)) std::abort();
    for (std::size_t i = 0; i < read.headers.size(); ++i)
      benchmark::DoNotOptimize(read.headers[i].values.data());
  }
}
BENCHMARK(ReadVerdictOfTheHeaderJob);

std::string json_body() {
  std::string json = R"({"items":[)";
  for (int i = 0; i < 10; ++i)
    json += std::string(i == 0 ? "" : ",") + R"({"id":)" + std::to_string(i) +
            R"(,"name":"customer number","card":"4111111111111111","amount":12.5,"note":"caf)" + "\xc3\xa9" +
            R"( \"x\""})";
  return json + "]}";
}

void JsonToJson(benchmark::State& state) {
  const std::string json = json_body();
  JsonWriter writer;
  for (auto _ : state) {
    writer.reset({.bytes = 1 << 20, .depth = 128});
    if (!parse_json(json, writer)) std::abort();
    benchmark::DoNotOptimize(writer.json().data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}
BENCHMARK(JsonToJson);

void JsonToWireAndBack(benchmark::State& state) {
  const std::string json = json_body();
  WireWriter wire;
  JsonWriter text;
  for (auto _ : state) {
    wire.reset({});
    text.reset({.bytes = 1 << 20, .depth = 128});
    if (!parse_json(json, wire) || !read_value(wire.value(), text)) std::abort();
    benchmark::DoNotOptimize(text.json().data());
  }
}
BENCHMARK(JsonToWireAndBack);

class OneLoop final : public Loop {
 public:
  std::uint32_t index() const noexcept override { return 0; }
  Clock::time_point now() const noexcept override { return Clock::now(); }
  Clock::time_point refresh() noexcept override { return Clock::now(); }
  std::chrono::system_clock::time_point wall() noexcept override { return std::chrono::system_clock::now(); }
  void arm(Timer&, Clock::duration) noexcept override {}
  void disarm(Timer&) noexcept override {}
  void post(Task& task) noexcept override { task.run(); }
  bool put_off(TurnEnd&) noexcept override { return false; }
  void forget(TurnEnd&) noexcept override {}
  bool listen(int, std::shared_ptr<Bell>) noexcept override { return false; }
};

class Quiet final : public Host {
 public:
  void log(LogLevel, std::string_view, std::string_view, void*) noexcept override {}
};

class OneCall final : public ScriptCall {
 public:
  void completed() noexcept override {}
};

void echo_pool(benchmark::State& state, const char* source) {
  Watchdog watchdog;
  const auto runtime = echo::make_echo(watchdog);
  Quiet host;
  OneLoop loop;
  auto pool = RuntimePool::make(*runtime, Script{.path = "b.echo", .source = source, .config = {}, .limits = {}}, {},
                                host, watchdog);
  if (!pool) std::abort();
  OneCall call;
  call.input = encoded_call();
  for (auto _ : state) {
    if ((*pool)->call(loop, call) != RuntimePool::Started::finished) std::abort();
    benchmark::DoNotOptimize(call.verdict());
  }
  if ((*pool)->counters().failures != std::array<std::uint64_t, 6>{}) std::abort();
}

void EchoInlineEmpty(benchmark::State& state) {
  echo_pool(state, "");
}
BENCHMARK(EchoInlineEmpty);

void EchoInlineHeaderJob(benchmark::State& state) {
  echo_pool(state, "set-header X-User u42\nset-header X-Tenant acme\nremove-header X-Api-Key\n");
}
BENCHMARK(EchoInlineHeaderJob);

}  // namespace
