// What limiting costs: the table alone, by one thread and by two; the step in a chain against the same chain without
// it. Every arm checks that it did its work.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/bench/rooms/stage.h"
#include "middleware/builtin.h"
#include "middleware/limits/limits.h"
#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::middleware {
namespace {

using limits::Gcra;
using limits::Limits;

constexpr std::uint64_t kMany = Gcra::kMost;

// The hash of a session's id, and one request counted: of a key of each thread's own, or of one that all share.
void count(benchmark::State& state, const std::string& key) {
  static Limits limits;
  const Gcra rate({kMany, std::chrono::milliseconds(1), kMany});
  limits::Moment now = limits::moment(Clock::now());
  std::uint64_t allowed = 0;
  for (auto _ : state)
    allowed += limits.rates().take(limits.hash()(1, 's', key), rate, ++now).allowed ? 1U : 0U;
  if (allowed != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("requests were refused");
}

void own_key(benchmark::State& state) {
  count(state, "0190a3f2-7c1e-7f60-8a43-9d1f6b3c2e0" + std::to_string(state.thread_index()));
}
void one_key(benchmark::State& state) {
  count(state, "0190a3f2-7c1e-7f60-8a43-9d1f6b3c2e0f");
}

void unknown_keys(benchmark::State& state) {
  static Limits limits;
  const Gcra rate({1, std::chrono::minutes(1), 1});
  std::uint64_t key = static_cast<std::uint64_t>(state.thread_index()) << 48U;
  for (auto _ : state)
    benchmark::DoNotOptimize(limits.rates().take(limits.hash()(1, ++key, {}), rate, 1).allowed);
}

Settings rate_of(std::int64_t count, std::chrono::nanoseconds per) {
  return Settings(Settings::Map{
      {"rate", Settings(Settings::Map{{"count", Settings(count)}, {"per", Settings(Settings::Duration(per))}})}});
}

Session session_of(std::string_view id, bool with_rate) {
  std::string wire(256, '\0');
  char* end = proto::put_bytes_field(wire.data(), proto::session::kId, id);
  if (with_rate) {
    end = proto::put_double_field(end, proto::session::kRate, 1e9);
    end = proto::put_double_field(end, proto::session::kPer, 0.001);
  }
  wire.resize(static_cast<std::size_t>(end - wire.data()));
  return *Session::from_wire(std::move(wire));
}

// Puts a session there, as an authenticating step would.
class SetSession final : public Middleware {
 public:
  explicit SetSession(Session session) : session_(std::move(session)) {}
  std::string_view kind() const noexcept override { return "set-session"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }
  Flow on_request(Exchange& exchange, StepRecord&) const override {
    exchange.set_session(session_);
    return Flow::next;
  }

 private:
  Session session_;
};

// A chain that knows its caller, and `kind` behind it; empty: nothing.
void chain(benchmark::State& state, std::string_view kind, const Settings& settings, bool with_rate,
           std::uint16_t status = 200) {
  static Limits limits;
  const SetSession session(session_of("0190a3f2-7c1e-7f60-8a43-9d1f6b3c2e00", with_rate));
  std::vector<const Middleware*> steps{&session};
  std::unique_ptr<const Middleware> step;
  if (!kind.empty()) {
    step = std::move(*find_step(kind)->make(settings, {.limits = &limits, .name = "bench"}));
    steps.push_back(step.get());
  }
  const Chain chain(steps);
  const bench::Traffic traffic = bench::usual_traffic();
  bench::Stage stage;
  stage.serve(chain, traffic);
  for (auto _ : state)
    stage.serve(chain, traffic);
  if (stage.exchange().response.status != status) state.SkipWithError("the chain did not do its work");
  stage.leave();
}

void without_a_limit(benchmark::State& state) {
  chain(state, "", {}, false);
}
void rate_limit(benchmark::State& state) {
  chain(state, "rate-limit", rate_of(Gcra::kMost, std::chrono::milliseconds(1)), false);
}
void rate_limit_of_the_session(benchmark::State& state) {
  chain(state, "rate-limit", Settings(Settings::Map{}), true);
}
void rate_limit_refused(benchmark::State& state) {
  chain(state, "rate-limit", rate_of(1, std::chrono::hours(1)), false, 429);
}
void concurrency_limit(benchmark::State& state) {
  chain(state, "concurrency-limit", Settings(Settings::Map{{"max", Settings(std::int64_t{1000})}}), false);
}
void quota(benchmark::State& state) {
  chain(state, "quota",
        Settings(Settings::Map{{"max", Settings(std::int64_t{1} << 52)},
                               {"every", Settings(Settings::Duration(std::chrono::hours(24)))}}),
        false);
}

BENCHMARK(own_key)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(one_key)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(unknown_keys)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(without_a_limit)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(rate_limit)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(rate_limit_of_the_session)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(rate_limit_refused);
BENCHMARK(concurrency_limit)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(quota)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace lingate::middleware
