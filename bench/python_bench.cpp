// The Python room alone: from the encoded Call to the Verdict. `EmptyHook` is the boundary's share; `HeaderJob` is the
// job of the gateway's comparison: read a key, look one of 1,000 sessions up, set two headers, remove one; the response
// side adds one.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "proto/plugin.pb.h"
#include "runtimes/call_view.h"
#include "runtimes/python/python.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::python {
namespace {

class SilentHost final : public Host {
 public:
  void log(LogLevel, std::string_view, std::string_view, void*) noexcept override {}
};

constexpr const char* kHeaderJob = R"(
import lingate
sessions = {"key-%04d" % i: ("user-%d" % i, "tenant-%d" % (i % 10)) for i in range(1000)}
def request(req):
    headers = req.headers
    session = sessions.get(headers.get("X-Api-Key"))
    if session is None:
        return lingate.respond(401, "key required")
    headers["X-User"], headers["X-Tenant"] = session
    del headers["X-Api-Key"]
def response(res):
    res.headers["X-Served-By"] = "lingate"
)";

constexpr const char* kEmpty = "def request(): pass\ndef response(): pass\n";
constexpr const char* kContext = "def request(req, ctx):\n    ctx['started'] = 5\n    ctx['user'] = 'u'\n";
constexpr const char* kJson = R"(
import lingate
def request(req):
    value = req.json()
    value["seen"] = True
    req.body = lingate.json.encode(value)
)";

class Arm {
 public:
  explicit Arm(const char* source) : runtime_(make_python(watchdog_)) {
    Script script;
    script.path = "bench.py";
    script.source = source;
    script.memory = 256 << 20;
    script.limits.request_body = true;
    limits_ = script.limits;
    auto loaded = runtime_->load(script, host_);
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      std::abort();
    }
    instance_ = std::move(*loaded);
  }

  // Every call is checked to have done its work: an arm that fails is not measured.
  void run(benchmark::State& state, Hook hook, const plugin::Call& call) {
    const std::string input = call.SerializeAsString();
    CallView view;
    const auto run_once = [&] {
      view.begin(hook, input, limits_);
      instance_->start(1, view, nullptr);
      return &view.verdict();
    };
    for (auto _ : state)
      benchmark::DoNotOptimize(run_once());
    run_once();
    const std::string_view last = view.finish();
    plugin::Verdict verdict;
    verdict.ParseFromArray(last.data(), static_cast<int>(last.size()));
    if (verdict.has_failure()) state.SkipWithError(verdict.failure().message().c_str());
    state.counters["headers"] = verdict.request().headers_size() + verdict.response().headers_size();
    state.counters["status"] = verdict.answer().status();
  }

 private:
  Watchdog watchdog_;
  SilentHost host_;
  std::unique_ptr<Runtime> runtime_;
  ScriptLimits limits_;
  std::unique_ptr<Instance> instance_;
};

void add(plugin::Request& request, const char* name, const char* value) {
  plugin::Header& header = *request.add_headers();
  header.set_name(name);
  header.set_value(value);
}

plugin::Call call_of(plugin::Hook hook, const char* key) {
  plugin::Call call;
  call.set_hook(hook);
  plugin::Request& request = *call.mutable_request();
  request.set_id("018f2e9a-7b5c-7000-8000-0123456789ab");
  request.set_method("GET");
  request.set_scheme("http");
  request.set_host("api.example.com");
  request.set_path("/users/42");
  request.set_version("1.1");
  request.set_route("users");
  request.mutable_client()->set_ip("127.0.0.1");
  request.mutable_client()->set_port(40000);
  add(request, "Host", "api.example.com");
  add(request, "User-Agent", "bench/1.0 (X11; Linux x86_64)");
  add(request, "Accept", "*/*");
  add(request, "Accept-Encoding", "gzip, deflate, br");
  add(request, "Accept-Language", "en-GB,en;q=0.7");
  if (*key) add(request, "X-Api-Key", key);
  add(request, "X-Trace", "4bf92f3577b34da6a3ce929d0e0e4736");
  add(request, "Cookie", "session=abcdef0123456789; theme=dark");
  if (hook == plugin::HOOK_RESPONSE) {
    call.mutable_response()->set_status(200);
    plugin::Header& header = *call.mutable_response()->add_headers();
    header.set_name("Content-Type");
    header.set_value("application/json");
  }
  return call;
}

void empty_hook(benchmark::State& state) {
  Arm(kEmpty).run(state, Hook::request, call_of(plugin::HOOK_REQUEST, "key-0500"));
}
void header_job(benchmark::State& state) {
  Arm(kHeaderJob).run(state, Hook::request, call_of(plugin::HOOK_REQUEST, "key-0500"));
}
void header_job_refused(benchmark::State& state) {
  Arm(kHeaderJob).run(state, Hook::request, call_of(plugin::HOOK_REQUEST, ""));
}
void header_job_response(benchmark::State& state) {
  Arm(kHeaderJob).run(state, Hook::response, call_of(plugin::HOOK_RESPONSE, "key-0500"));
}
void context_write(benchmark::State& state) {
  Arm(kContext).run(state, Hook::request, call_of(plugin::HOOK_REQUEST, "key-0500"));
}

void json_body(benchmark::State& state) {
  plugin::Call call = call_of(plugin::HOOK_REQUEST, "key-0500");
  std::string body = "{\"items\":[";
  for (int i = 0; i < 20; ++i)
    body += (i ? "," : "") + std::string("{\"id\":") + std::to_string(i) + ",\"name\":\"item number " +
            std::to_string(i) + "\",\"price\":9.5}";
  call.mutable_request()->set_body(body + "]}");
  Arm(kJson).run(state, Hook::request, call);
}

BENCHMARK(empty_hook)->Name("python/EmptyHook");
BENCHMARK(header_job)->Name("python/HeaderJob/request");
BENCHMARK(header_job_response)->Name("python/HeaderJob/response");
BENCHMARK(header_job_refused)->Name("python/HeaderJob/401");
BENCHMARK(context_write)->Name("python/ContextWrite");
BENCHMARK(json_body)->Name("python/JsonBody/1KiB");

}  // namespace
}  // namespace lingate::runtimes::python
