#include "middleware/script.h"

#include <utility>

#include <fmt/format.h>

#include "base/fields.h"
#include "middleware/error.h"
#include "middleware/script_flight.h"

namespace lingate::middleware {

using runtimes::Hook;

ScriptStep::ScriptStep(runtimes::RuntimePool& pool, std::shared_ptr<ScriptLog> log, ScriptStepOptions options)
    : pool_(pool),
      log_(std::move(log)),
      options_(std::move(options)),
      shapes_{shape_for(Hook::request), shape_for(Hook::response), shape_for(Hook::log)},
      lanes_(std::make_unique<Lane[]>(options_.workers)) {
  for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
    lanes_[worker].step = this;
  if (!options_.cache) return;
  const auto hash = limits::KeyedHash::of_this_process();
  for (std::uint32_t worker = 0; worker < options_.workers; ++worker) {
    lanes_[worker].cache.emplace(*options_.cache, hash);
    lanes_[worker].known_reader.emplace(origin_of(pool_.options().placement));
  }
}

ScriptStep::~ScriptStep() {
  for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
    for (const auto& flight : lanes_[worker].all)
      log_->give_back(flight->mark);
}

StepNeeds ScriptStep::needs() const noexcept {
  const runtimes::HookSet& hooks = pool_.hooks();
  const bool request = hooks.has(Hook::request);
  const bool response = hooks.has(Hook::response);
  const bool log = hooks.has(Hook::log);
  return {.request = request || (options_.request_body && (response || log)),
          .response = response || (options_.response_body && log),
          .log = log,
          .request_body = options_.request_body,
          .response_body = options_.response_body && (response || log),
          .stream_when_too_large = options_.on_error == OnError::go_on,
          .max_body = options_.max_body};
}

Flow ScriptStep::on_request(Exchange& exchange, StepRecord& record) const {
  if (!pool_.hooks().has(Hook::request)) return Flow::next;  // here for the body, which another hook reads
  return call(exchange, record, Hook::request);
}

Flow ScriptStep::on_response(Exchange& exchange, StepRecord& record) const {
  if (!pool_.hooks().has(Hook::response)) return Flow::next;  // here for the body, which `log` reads
  const Response& response = exchange.response;
  if (options_.response_body && response.body.kind == Body::Kind::bytes && !response.body.bytes.empty()) {
    const Field* coding = response.headers.find(FieldId::content_encoding);
    if (coding && !fields::same_name(coding->value, "identity"))
      return failed(exchange, record,
                    {.kind = runtimes::FailureKind::invalid,
                     .message = fmt::format("the response body is coded ({}) although `identity` was asked for",
                                            coding->value.substr(0, 64))});
  }
  return call(exchange, record, Hook::response);
}

CallShape ScriptStep::shape_for(Hook hook) const noexcept {
  CallShape shape = shape_of(hook, pool_.hooks().arity(hook));
  shape.request_body = options_.request_body;
  shape.response_body = options_.response_body;
  shape.timeout = pool_.options().timeout;
  return shape;
}

Flow ScriptStep::call(Exchange& exchange, StepRecord& record, Hook hook) const {
  Loop& loop = exchange.host().loop();
  if (pool_.options().placement == runtimes::Placement::inline_ &&
      lanes_[loop.index()].put_off(loop, {&exchange, &record, hook}))
    return Flow::wait;
  return call_now(exchange, record, hook);
}

Flow ScriptStep::call_now(Exchange& exchange, StepRecord& record, Hook hook) const {
  Loop& loop = exchange.host().loop();
  std::optional<std::string_view> cache_key;
  if (options_.cache && hook == Hook::request) {
    Lane& lane = lanes_[loop.index()];
    cache_key = lane.cache->key_of(exchange);
    if (const auto verdict = cache_key ? lane.cache->find(*cache_key, exchange) : std::nullopt) {
      VerdictReader& reader = *lane.known_reader;
      return settle(exchange, record, reader, reader.apply(exchange, hook, *verdict, pool_.script().limits));
    }
  }
  ScriptFlight& flight = take(loop.index());
  flight.hook = hook;
  flight.exchange = &exchange;
  flight.record = &record;
  if (options_.cache) flight.cache_key = cache_key.value_or(std::string_view());
  flight.context_before =
      exchange.context().empty() ? ScriptCache::ContextBefore::empty : ScriptCache::ContextBefore::filled;
  record.state = &flight;
  if (pool_.options().placement == runtimes::Placement::inline_)
    flight.read_from(exchange, shape(hook));
  else
    flight.encode();
  if (pool_.call(loop, flight) == runtimes::RuntimePool::Started::pending) return Flow::wait;
  return conclude(flight);
}

Flow ScriptStep::conclude(ScriptFlight& flight) const {
  Exchange& exchange = *flight.exchange;
  StepRecord& record = *flight.record;
  const Flow flow = settle(exchange, record, flight.verdict_reader, flight.apply_verdict(pool_.script().limits));
  if (!flight.cache_key.empty() && (flow == Flow::next || flow == Flow::respond)) keep_answer(flight);
  record.state = nullptr;
  give_back(flight);
  return flow;
}

void ScriptStep::keep_answer(ScriptFlight& flight) const {
  std::string bytes;
  if (const runtimes::Verdict* const verdict = flight.verdict()) runtimes::write_verdict(bytes, *verdict);
  lanes_[flight.worker].cache->keep(flight.cache_key, flight.verdict() ? bytes : flight.foreign_verdict(),
                                    flight.verdict_reader, flight.context_before, *flight.exchange);
}

Flow ScriptStep::settle(Exchange& exchange, StepRecord& record, VerdictReader& reader,
                        VerdictReader::Outcome outcome) const {
  switch (outcome) {
    case VerdictReader::Outcome::next: return Flow::next;
    case VerdictReader::Outcome::answered: return Flow::respond;
    case VerdictReader::Outcome::failed: break;
  }
  return failed(exchange, record, reader.failure());
}

Flow ScriptStep::failed(Exchange& exchange, StepRecord& record, const ScriptFailure& failure) const {
  const Fault fault{.code = code_of(failure.kind),
                    .detail = failure.message,
                    .step = label(),
                    .file = failure.file,
                    .line = failure.line,
                    .stack = failure.stack};
  record.fault = fault.code;
  if (options_.on_error == OnError::go_on) {
    log_fault(exchange, fault);
    return Flow::skip;
  }
  exchange.fail(fault);
  return Flow::fail;
}

// Fire and forget: everything that the call needs is in its flight before the exchange goes on.
void ScriptStep::on_log(Exchange& exchange, const StepRecord&) const {
  Loop& loop = exchange.host().loop();
  ScriptFlight& flight = take(loop.index());
  flight.hook = Hook::log;
  flight.exchange = nullptr;
  flight.record = nullptr;
  flight.log = &exchange.host().log();
  flight.request_id.assign(exchange.id());
  flight.log_route = exchange.route();
  flight.tag = flight.mark.begin(exchange.id(), exchange.route());
  flight.source = nullptr;
  encode_call(exchange, shape(Hook::log), flight.buffers, flight.input);
  if (pool_.call(loop, flight) == runtimes::RuntimePool::Started::finished) conclude_log(flight);
}

void ScriptStep::conclude_log(ScriptFlight& flight) const noexcept {
  const runtimes::Verdict* const verdict = flight.verdict();
  const VerdictReader::Outcome outcome = verdict ? flight.verdict_reader.read_failure(*verdict)
                                                 : flight.verdict_reader.read_failure(flight.foreign_verdict());
  if (outcome == VerdictReader::Outcome::failed) {
    const ScriptFailure& failure = flight.verdict_reader.failure();
    flight.log->write({.level = LogLevel::error,
                       .message = failure.message,
                       .code = code_of(failure.kind),
                       .request_id = flight.request_id,
                       .route = flight.log_route,
                       .step = label(),
                       .file = failure.file,
                       .line = failure.line,
                       .stack = failure.stack});
  }
  give_back(flight);
}

void ScriptStep::release(Exchange& exchange, StepRecord& record) const noexcept {
  Loop& loop = exchange.host().loop();
  void* const state = std::exchange(record.state, nullptr);
  Lane& lane = lanes_[loop.index()];
  if (state == &lane) return lane.drop(exchange);
  if (!state) return;
  auto& flight = *static_cast<ScriptFlight*>(state);
  pool_.cancel(loop, flight);
  give_back(flight);
}

// A `log` hook outlives its exchange.
bool ScriptStep::is_quiet(std::uint32_t worker) const noexcept {
  return lanes_[worker].is_quiet();
}

ScriptFlight& ScriptStep::take(std::uint32_t worker) const {
  Lane& lane = lanes_[worker];
  if (lane.free.empty()) {
    lane.all.push_back(std::make_unique<ScriptFlight>(*this, worker, log_->take_tag()));
    lane.free.reserve(lane.all.size());
    return *lane.all.back();
  }
  ScriptFlight& flight = *lane.free.back();
  lane.free.pop_back();
  return flight;
}

void ScriptStep::give_back(ScriptFlight& flight) const noexcept {
  flight.mark.end();
  flight.exchange = nullptr;
  flight.record = nullptr;
  flight.source = nullptr;
  flight.tidy();
  lanes_[flight.worker].free.push_back(&flight);
}

}  // namespace lingate::middleware
