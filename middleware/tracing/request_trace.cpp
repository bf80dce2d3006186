#include "middleware/tracing/request_trace.h"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "base/codes.h"
#include "middleware/access_log.h"
#include "middleware/middleware.h"
#include "middleware/tracing/exporter.h"
#include "middleware/tracing/span.h"

namespace lingate::middleware::tracing {
namespace {

using Kind = SpanHead::Kind;

struct HostPort {
  std::string_view host;
  std::uint64_t port = 0;  // 0: none
};

// "127.0.0.1:9001", "[::1]:9001", "unix:/run/a.sock".
HostPort split(std::string_view label) noexcept {
  const std::size_t colon = label.rfind(':');
  if (colon == std::string_view::npos || label.starts_with("unix:")) return {label, 0};
  HostPort split{label.substr(0, colon), 0};
  std::from_chars(label.data() + colon + 1, label.data() + label.size(), split.port);
  if (split.host.starts_with('[') && split.host.ends_with(']'))
    split.host = split.host.substr(1, split.host.size() - 2);
  return split;
}

}  // namespace

// One request's spans into its worker's lane. Steps and tries are children of the request.
class RequestTrace::Writer {
 public:
  Writer(Exchange& exchange, Exporter::Lane& lane)
      : exchange_(exchange), lane_(lane), now_(Clock::now()), wall_(std::chrono::system_clock::now()) {}

  void request(std::string_view parent) {
    const Request& request = exchange_.request;
    const Facts& facts = exchange_.facts;
    std::string name(request.method.empty() ? "HTTP" : request.method);  // of what could not be read
    if (!exchange_.route().empty()) name.append(" ").append(exchange_.route());
    Span span(lane_.scratch, {.trace = facts.trace_id,
                              .span = facts.span_id,
                              .parent = parent,
                              .name = name,
                              .kind = Kind::server,
                              .begin = nanos(facts.started),
                              .end = nanos(now_)});
    const ReceivedTarget target = received_target(exchange_);
    span.text("http.request.method", request.method);
    span.text("url.scheme", request.scheme);
    span.text("url.path", target.path);
    span.text("url.query", target.query);
    span.text("server.address", request.host);
    span.text("client.address", request.client_ip);
    span.text("network.protocol.version", text_of(request.version));
    if (const Field* agent = request.headers.find(FieldId::user_agent)) span.text("user_agent.original", agent->value);
    span.text("http.route", exchange_.route());
    span.text("lingate.request_id", exchange_.id());
    const std::uint16_t status = facts.status != 0 ? facts.status : exchange_.response.status;
    if (status != 0) span.number("http.response.status_code", status);
    // What the client did wrong is no error of a server's span.
    if (status >= 500)
      span.failed(facts.fault != 0 ? code_name(facts.fault) : std::to_string(status));
    else if (facts.fault != 0)
      span.text("error.type", code_name(facts.fault));
    end(span);
  }

  void step(const Middleware& step, const StepRecord& record) {
    const bool both = record.response.count() >= 0;
    side(step, "request", {record.request_began, record.request}, both ? 0 : record.fault);
    side(step, "response", {record.response_began, record.response}, record.fault);
  }

  void attempt(const Try& each, std::size_t number) {
    const HostPort address = split(each.target.label);
    Span span(lane_.scratch, {.trace = exchange_.facts.trace_id,
                              .span = each.span,
                              .parent = exchange_.facts.span_id,
                              .name = exchange_.request.method,
                              .kind = Kind::client,
                              .begin = nanos(each.began),
                              .end = nanos(each.ended)});
    span.text("http.request.method", exchange_.request.method);
    span.text("server.address", address.host);
    if (address.port != 0) span.number("server.port", address.port);
    span.text("lingate.upstream", each.target.upstream);
    if (number > 0) span.number("http.request.resend_count", number);
    if (each.status != 0) span.number("http.response.status_code", each.status);
    if (each.fault != 0)
      span.failed(code_name(each.fault));
    else if (each.status >= 400)
      span.failed(std::to_string(each.status));
    else if (each.status == 0)  // called off
      span.failed(exchange_.facts.fault != 0 ? code_name(exchange_.facts.fault) : "canceled");
    end(span);
  }

 private:
  struct Took {
    Clock::time_point began;
    std::chrono::nanoseconds time;
  };

  void side(const Middleware& step, std::string_view hook, const Took& took, int fault) {
    if (took.time.count() < 0) return;
    const std::string name = std::string(step.label()) + " " + std::string(hook);
    Span span(lane_.scratch, {.trace = exchange_.facts.trace_id,
                              .span = new_span(exchange_),
                              .parent = exchange_.facts.span_id,
                              .name = name,
                              .kind = Kind::internal,
                              .begin = nanos(took.began),
                              .end = nanos(took.began + took.time)});
    span.text("lingate.step", step.label());
    span.text("lingate.runtime", step.runtime());
    span.text("lingate.hook", hook);
    if (fault != 0) span.failed(code_name(fault));
    end(span);
  }

  void end(const Span& span) {
    span.append_to(lane_.spans);
    ++lane_.count;
  }

  UnixNanos nanos(Clock::time_point moment) const noexcept {
    const auto since = wall_.time_since_epoch() - (now_ - moment);
    return static_cast<UnixNanos>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
  }

  Exchange& exchange_;
  Exporter::Lane& lane_;
  const Clock::time_point now_;
  const std::chrono::system_clock::time_point wall_;
};

void RequestTrace::begin(Exchange& exchange, const Tracing& tracing) {
  const Begun begun = begin_trace(exchange, &tracing.sampling);
  if (!begun.sampled) return;
  exporter_ = tracing.exporter;
  parent_ = begun.parent;
}

void RequestTrace::begin_try(Exchange& exchange, const TryTarget& target, Clock::time_point now) {
  end_try(now);
  tries_.push_back({.target = target, .span = new_span(exchange), .began = now});
  set_span(exchange, tries_.back().span, true);
}

RequestTrace::Try* RequestTrace::at_hand() noexcept {
  return !tries_.empty() && tries_.back().ended == Clock::time_point() ? &tries_.back() : nullptr;
}

void RequestTrace::answered(std::uint16_t status) noexcept {
  if (Try* const each = at_hand()) each->status = status;
}

void RequestTrace::failed(int code) noexcept {
  if (Try* const each = at_hand()) each->fault = code;
}

void RequestTrace::end_try(Clock::time_point now) noexcept {
  if (Try* const each = at_hand()) each->ended = now;
}

void RequestTrace::finish(Exchange& exchange) {
  Loop& loop = exchange.host().loop();
  end_try(Clock::now());
  Exporter& exporter = *std::exchange(exporter_, nullptr);
  Writer writer(exchange, exporter.lane(loop));
  writer.request(parent_);
  for (std::size_t k = 0; k < exchange.steps.size(); ++k)
    writer.step(exchange.chain().step(k), exchange.steps[k]);
  for (std::size_t k = 0; k < tries_.size(); ++k)
    writer.attempt(tries_[k], k);
  tries_.clear();
  exporter.appended(loop);
}

}  // namespace lingate::middleware::tracing
