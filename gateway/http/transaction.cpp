#include "gateway/http/transaction.h"

#include <algorithm>
#include <utility>

#include "base/codes.h"
#include "base/percent.h"
#include "gateway/http/http2_stream.h"
#include "gateway/http/intake.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

using middleware::ChainRun;
using middleware::Response;

constexpr std::size_t kMostKept = 64 * 1024;  // of a collected body's capacity

void empty(std::string& store) {
  store.clear();
  if (store.capacity() > kMostKept) store.shrink_to_fit();
}

// A parameter goes back into a URL as it stood in the path, so that nothing separates that did not before: triplets
// stay, and what could mean something else there becomes one.
void append_raw(std::string& location, std::string_view raw) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const bool in_query = location.find('?') != std::string::npos;
  for (const char c : raw) {
    const bool plain = is_unreserved(static_cast<unsigned char>(c)) || c == '%' || c == '/' ||
                       (!in_query && std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos);
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      location += c;
    else
      location.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
}

}  // namespace

Transaction::Transaction(WorkerState& worker) : worker_(worker), parts_(worker.parts), exchange_(*this) {}

Transaction::~Transaction() {
  parts_.loop.disarm(upstream_timer_);
  parts_.loop.disarm(route_timer_);
}

Loop& Transaction::loop() noexcept {
  return parts_.loop;
}

middleware::AppLog& Transaction::log() noexcept {
  return parts_.log;
}

middleware::IdSource& Transaction::ids() noexcept {
  return parts_.ids;
}

Scan Transaction::scan(Connection& client, Refusal& refusal) {
  const Limits& limits = worker_.generations.current().snapshot->limits;
  const Scan outcome = scan_request(client.in().bytes(), limits, head_, exchange_.request.headers, refusal);
  if (client.stream().plain()) return outcome;
  Http2Stream* const stream = client.stream().http2();
  return stream ? stream->settle(head_, outcome, refusal) : outcome;
}

void Transaction::take_up(Connection& client) noexcept {
  client_ = &client;
  generation_ = &worker_.generations.current();
  worker_.generations.hold(*generation_);
  parts_.metrics.active_requests.add();
  stage_ = Stage::request_side;
  route_metrics_ = generation_->unrouted;
  step_metrics_ = {};
}

void Transaction::start(Connection& client) noexcept {
  take_up(client);
  client.in().begin += static_cast<std::uint32_t>(head_.size);
  request_body_.begin(head_.framing, snapshot().limits);
  continued_ = !head_.expects_continue || request_body_.over();
  Refusal refusal;
  if (take_in(exchange_, head_, client.side(), snapshot(), refusal)) {
    find_chain();
  } else {
    pending_fault_ = refusal.code;
    pending_detail_ = refusal.detail;
    exchange_.begin(snapshot().unrouted, {});
  }
  client.watch().await_read();  // to hear of a client that goes away
  run_request_side();
}

// A head that broke the syntax: nothing of it is believed, but it is answered and logged like any request, and the
// connection ends.
void Transaction::refuse(Connection& client, const Refusal& refusal) noexcept {
  take_up(client);
  parts_.metrics.malformed.add();
  head_ = {};
  head_.connection.close = true;
  request_body_.begin({}, snapshot().limits);
  exchange_.request.headers.clear();
  Refusal ignored;
  head_.path = "/";
  head_.target = "/";
  take_in(exchange_, head_, client.side(), snapshot(), ignored);
  exchange_.begin(snapshot().unrouted, {});
  pending_fault_ = refusal.code;
  pending_detail_ = refusal.detail;
  run_request_side();
}

void Transaction::find_chain() noexcept {
  // `OPTIONS *` asks about the gateway, not about anything behind it.
  if (head_.path == "*") return exchange_.begin(snapshot().unrouted, {});
  const routing::Found found = find_route(exchange_, snapshot().router);
  if (found.outcome == routing::Found::Outcome::matched) {
    route_ = &snapshot().routes[found.route];
    route_metrics_ = generation_->routes[found.route];
    step_metrics_ = generation_->steps[found.route];
    exchange_.begin(route_->chain, route_->name);
    if (route_->timeout) parts_.loop.arm(route_timer_, *route_->timeout);
    if (head_.expects_unknown) pending_fault_ = code::kExpectationFailed;
    return;
  }
  exchange_.begin(snapshot().unrouted, {});
  if (found.outcome == routing::Found::Outcome::method_not_allowed) {
    pending_fault_ = code::kMethodNotAllowed;
    allow_ = exchange_.arena.copy(snapshot().router.allow(found.allowed));
  } else {
    pending_fault_ = code::kNoRoute;
  }
}

void Transaction::run_request_side() noexcept {
  if (const auto& tracing = snapshot().tracing) [[unlikely]]
    trace_.begin(exchange_, *tracing);
  if (exchange_.run.request() == ChainRun::Answer::over) request_side_over();
}

void Transaction::request_side_over() noexcept {
  if (exchange_.response.source != Response::Source::none) return deliver();
  if (pending_fault_ != 0) {
    exchange_.fail({.code = pending_fault_, .detail = std::string(pending_detail_)});
    if (!allow_.empty()) exchange_.response.headers.set("Allow", allow_);
    return deliver();
  }
  if (!route_) {  // OPTIONS *: about the gateway itself, which has nothing to say (RFC 9110 section 9.3.7)
    exchange_.respond(204, {});
    return deliver();
  }
  if (route_->redirect) return redirect();
  if (!route_->upstreams.empty()) return forward();
  answer(code::kInternal, "the route has neither an upstream nor a step that answers");
}

void Transaction::redirect() noexcept {
  const std::string& to = route_->redirect->to;
  const middleware::Request& request = exchange_.request;
  std::string location;
  for (std::size_t at = 0; at < to.size();) {
    const std::size_t open = to.find('{', at);
    const std::size_t close = open == std::string::npos ? open : to.find('}', open);
    location.append(to, at, close == std::string::npos ? std::string::npos : open - at);
    if (close == std::string::npos) break;
    const std::string_view name = std::string_view(to).substr(open + 1, close - open - 1);
    for (const middleware::Param& param : request.params)
      if (param.name == name) append_raw(location, param.raw);
    at = close + 1;
  }
  if (request.has_query && to.find('?') == std::string::npos) {
    const std::size_t fragment = std::min(location.find('#'), location.size());
    location.insert(fragment, "?" + std::string(request.query));
  }
  exchange_.respond(route_->redirect->status, {});
  exchange_.response.headers.set("Location", location);
  deliver();
}

// A step may be at the request's body or the response still: nothing of what it makes of them counts any more.
void Transaction::call_off() noexcept {
  exchange_.run.abandon();
  collecting_ = Collecting::nothing;
  let_go(false);
}

void Transaction::answer(int code, std::string_view detail) noexcept {
  exchange_.fail({.code = code, .detail = std::string(detail)});
  deliver();
}

void Transaction::deliver() noexcept {
  stage_ = Stage::response_side;
  if (exchange_.run.response() == ChainRun::Answer::over) response_side_over();
}

void Transaction::response_side_over() noexcept {
  begin_response();
}

// The client's socket is broken: whatever is under way for it is called off (499 in the log).
void Transaction::client_gone() noexcept {
  exchange_.run.abandon();
  finish(Ending::client_gone);
}

void Transaction::route_timeout() noexcept {
  if (stage_ == Stage::tunnel || stage_ == Stage::draining) return;
  if (client_due_) return parts_.loop.arm(route_timer_, Loop::kTick);  // an answer that leaves in this turn
  if (response_begun_) return cut_response("the route's time-out passed in the middle of the response");
  call_off();
  if (!request_body_.over()) end_late_client();
  answer(code::kRouteTimeout, "the exchange took longer than the route's timeout");
}

// The rest of its body did not come in time, and is not drained either.
void Transaction::end_late_client() noexcept {
  head_.connection.close = true;
  client_->note_late();
}

// Whatever the client sends, it has to take what it is sent. Its body may rest while it is being answered.
void Transaction::client_timeout() noexcept {
  const Limits& limits = snapshot().limits;
  const auto left = [this](Clock::time_point since, Duration limit) { return since + limit - worker_.now(); };
  if (stage_ == Stage::tunnel) {
    const Duration rest = left(client_progress_, limits.tunnel_timeout);
    return rest > Duration::zero() ? client_->wake_within(rest) : finish(Ending::complete);
  }
  const bool takes = client_blocked_ && !client_due_;
  const Duration to_take = takes ? left(client_progress_, limits.write_timeout) : Duration::max();
  const Duration to_send =
      wants_body_ ? left(std::max(body_progress_, client_progress_), limits.body_timeout) : Duration::max();
  if (to_take <= Duration::zero()) return client_gone();
  if (to_send <= Duration::zero()) return body_is_late();
  if (takes || wants_body_) client_->wake_within(std::min(to_take, to_send));  // else whoever waits next arms it
}

void Transaction::body_is_late() noexcept {
  if (stage_ == Stage::draining) {  // the answer is whole, and told: only what nobody wants did not come
    after_ = After::close;
    client_->note_late();
    return finish(Ending::complete);
  }
  const std::string_view detail = "the request body stopped coming";
  if (response_begun_) return cut_response(detail);
  wants_body_ = false;
  end_late_client();
  if (collecting_ == Collecting::request) {
    collecting_ = Collecting::nothing;
    exchange_.fail({.code = code::kRequestTimeout, .detail = std::string(detail)});
    return exchange_.run.buffered(middleware::Buffering::failed);
  }
  call_off();
  answer(code::kRequestTimeout, detail);
}

void Transaction::count(Ending ending) noexcept {
  parts_.metrics.active_requests.subtract();
  const std::uint16_t status = exchange_.facts.status != 0 ? exchange_.facts.status : exchange_.response.status;
  const std::size_t row = ending == Ending::client_gone || status >= 600 ? 0 : status / 100U;
  route_metrics_->by_class[row].add();
  route_metrics_->duration.observe(worker_.now() - exchange_.facts.started);
  if (!step_metrics_.empty()) count_steps();
}

void Transaction::count_steps() noexcept {
  for (std::size_t k = 0; k < step_metrics_.size() && k < exchange_.steps.size(); ++k) {
    const middleware::StepRecord& record = exchange_.steps[k];
    if (record.began) step_metrics_[k]->count(record.request, record.response, record.fault);
  }
}

void Transaction::finish(Ending ending) noexcept {
  After after = after_;
  if (ending == Ending::client_gone) exchange_.facts.status = 499;
  if (ending != Ending::complete) {
    after = ending == Ending::cut && closes_to_end_ ? After::reset : After::cut;
  }
  let_go(false);
  count(ending);
  exchange_.run.log();
  Connection& client = *client_;
  if (after == After::keep && upload_ && !upload_.empty()) client.in() = std::move(upload_);
  clear();
  client.finished(after);  // last: this may be the next request's Transaction by then
}

void Transaction::drop() noexcept {
  exchange_.run.abandon();
  let_go(false);
  exchange_.facts.status = 499;
  count(Ending::client_gone);
  exchange_.run.log();
  clear();
}

void Transaction::clear() noexcept {
  parts_.sends.remove(*this);
  parts_.loop.disarm(route_timer_);  // the upstream's stays armed: it is lazy, and the next request wants it again
  if (trace_.on()) [[unlikely]]
    trace_.finish(exchange_);
  exchange_.end();
  worker_.generations.release(*generation_);
  client_ = nullptr;
  generation_ = nullptr;
  route_ = nullptr;
  upstream_ = nullptr;
  failed_target_ = nullptr;
  last_failure_ = 0;
  upload_.release();
  response_block_.release();
  up_ = {};
  down_ = {};
  empty(request_store_);
  empty(response_store_);
  to_upstream_.clear();
  to_client_.clear();
  pending_fault_ = 0;
  pending_detail_ = allow_ = {};
  stage_ = Stage::idle;
  after_ = After::close;
  body_sent_ = request_dead_ = upstream_blocked_ = client_blocked_ = wants_body_ = continued_ = false;
  collecting_ = Collecting::nothing;
  request_store_unsent_ = response_store_unsent_ = request_listed_ = response_listed_ = false;
  client_fresh_ = client_due_ = upstream_fresh_ = upstream_due_ = false;
  response_begun_ = chunked_out_ = closes_to_end_ = retried_stale_ = fresh_only_ = filter_holds_ = false;
  drained_ = 0;
  response_body_.begin({}, Limits{});
}

}  // namespace lingate::http
