#include "middleware/access_log.h"

#include <algorithm>
#include <chrono>

#include "base/codes.h"
#include "base/pairs.h"
#include "base/percent.h"
#include "middleware/json_text.h"
#include "middleware/middleware.h"

namespace lingate::middleware {
namespace {

constexpr std::size_t kMaxShort = 256;     // names, addresses
constexpr std::size_t kMaxAgent = 1024;    // bytes as written
constexpr std::size_t kMaxTarget = 16384;  // path, query

// `name` is `,"name":`.
template <std::size_t N>
void text(json::Writer& out, const char (&name)[N], std::string_view value, std::size_t room) {
  if (!value.empty()) out.member(name, value, room);
}

void append_request(json::Writer& out, Exchange& exchange) {
  const Request& request = exchange.request;
  text(out, ",\"http.request.method\":", request.method, kMaxShort);
  text(out, ",\"url.scheme\":", request.scheme, kMaxShort);
  const ReceivedTarget target = received_target(exchange);
  text(out, ",\"url.path\":", target.path, kMaxTarget);
  if (target.has_query) out.member(",\"url.query\":", target.query, kMaxTarget);
  text(out, ",\"server.address\":", request.host, kMaxShort);
  text(out, ",\"client.address\":", request.client_ip, kMaxShort);
  if (request.client_port != 0) {
    out.raw(",\"client.port\":");
    out.integer(request.client_port);
  }
  text(out, ",\"network.protocol.version\":", text_of(request.version), kMaxShort);
  if (const Field* agent = request.headers.find(FieldId::user_agent))
    text(out, ",\"user_agent.original\":", agent->value, kMaxAgent);
  text(out, ",\"http.route\":", exchange.route(), kMaxShort);
}

void append_response(json::Writer& out, const Exchange& exchange, std::chrono::nanoseconds duration) {
  const Facts& facts = exchange.facts;
  out.raw(",\"http.response.status_code\":");
  out.integer(facts.status != 0 ? facts.status : exchange.response.status);
  out.raw(",\"duration\":");
  out.seconds(duration.count());
  out.raw(",\"http.request.body.size\":");
  out.integer(facts.request_bytes);
  out.raw(",\"http.response.body.size\":");
  out.integer(facts.response_bytes);
  if (facts.fault != 0) text(out, ",\"error.type\":", code_name(facts.fault), kMaxShort);
}

void append_upstream(json::Writer& out, const Facts& facts) {
  text(out, ",\"lingate.upstream\":", facts.upstream_name, kMaxShort);
  text(out, ",\"lingate.upstream.address\":", facts.upstream_address, kMaxShort);
  if (facts.upstream_time.count() >= 0) {
    out.raw(",\"lingate.upstream.duration\":");
    out.seconds(facts.upstream_time.count());
  }
  if (facts.attempts > 1) {
    out.raw(",\"lingate.upstream.attempts\":");
    out.integer(facts.attempts);
  }
}

void append_identity(json::Writer& out, Exchange& exchange) {
  text(out, ",\"lingate.request_id\":", exchange.id(), kMaxShort);
  text(out, ",\"trace_id\":", exchange.facts.trace_id, kMaxShort);
  text(out, ",\"span_id\":", exchange.facts.span_id, kMaxShort);
  if (const Session* session = exchange.session()) {
    text(out, ",\"session.id\":", session->id(), kMaxShort);
    text(out, ",\"lingate.session.alias\":", session->alias(), kMaxShort);
  }
}

template <std::size_t N>
void append_side(json::Writer& out, const char (&name)[N], std::chrono::nanoseconds duration) {
  if (duration.count() < 0) return;
  out.raw(name);
  out.seconds(duration.count());
}

// The steps that ran, with the seconds that each side took, waiting included.
void append_steps(json::Writer& out, const Exchange& exchange) {
  const std::size_t count = exchange.steps.size();
  bool any = false;
  for (std::size_t k = 0; k < count; ++k) {
    const StepRecord& record = exchange.steps[k];
    if (record.request.count() < 0 && record.response.count() < 0) continue;
    any ? out.raw(",{\"step\":") : out.raw(",\"lingate.steps\":[{\"step\":");
    any = true;
    out.string(exchange.chain().step(k).label(), kMaxShort);
    append_side(out, ",\"request\":", record.request);
    append_side(out, ",\"response\":", record.response);
    if (record.fault != 0) text(out, ",\"error.type\":", code_name(record.fault), kMaxShort);
    out.raw("}");
  }
  if (any) out.raw("]");
}

ReceivedTarget target_as_sent(const Request& request) {
  if (!request.target_edited && !request.path.empty()) return {request.path, request.query, request.has_query};
  std::string_view rest = request.target;
  if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos && !rest.starts_with('/'))
    rest.remove_prefix(std::min(rest.find_first_of("/?", scheme + 3), rest.size()));
  const std::size_t mark = rest.find('?');
  if (mark == std::string_view::npos) return {rest, {}, false};
  return {rest.substr(0, mark), rest.substr(mark + 1), true};
}

// "a=1&key=***"
std::string_view without_secrets(std::string_view query, const std::vector<std::string_view>& names, Arena& arena) {
  std::string text;
  while (!query.empty()) {
    const std::string_view parameter = take_until(query, '&');
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const bool is_secret = std::any_of(names.begin(), names.end(),
                                       [name](std::string_view each) { return percent_decoded(name) == each; });
    if (is_secret && name.size() < parameter.size())
      text.append(name).append("=***");
    else
      text.append(parameter);
    if (!query.empty()) text += '&';
  }
  return arena.copy(text);
}

}  // namespace

ReceivedTarget received_target(Exchange& exchange) {
  ReceivedTarget target = target_as_sent(exchange.request);
  const auto& secret = exchange.chain().secret_parameters();
  if (!secret.empty()) target.query = without_secrets(target.query, secret, exchange.arena);
  return target;
}

void append_access_line(std::string& line, Exchange& exchange, Clock::time_point now) {
  json::Writer out(line);
  const auto since = exchange.wall().time_since_epoch();
  out.raw("{\"timestamp\":");
  out.timestamp(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
  append_request(out, exchange);
  append_response(out, exchange, now - exchange.facts.started);
  append_upstream(out, exchange.facts);
  append_identity(out, exchange);
  append_steps(out, exchange);
  out.raw("}\n");
}

void AccessLog::write(Exchange& exchange) const {
  Loop& loop = exchange.host().loop();
  append_access_line(writer_.lane(loop), exchange, Clock::now());
  writer_.appended(loop);
}

}  // namespace lingate::middleware
