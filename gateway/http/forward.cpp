// Attempts at an upstream: choosing a target, getting a connection, sending the request, and what to do when one fails.
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/codes.h"
#include "base/fields.h"
#include "base/pairs.h"
#include "gateway/http/http2_upstream.h"
#include "gateway/http/intake.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

using middleware::Body;

// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
         method == "TRACE";
}

// The gateway's own want of descriptors or memory, which says nothing about the target.
bool is_our_lack(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

void Transaction::forward() noexcept {
  std::uint32_t total = 0;
  for (const Split& split : route_->upstreams)
    total += split.weight;
  std::uint32_t chosen = 0;
  if (route_->upstreams.size() > 1 && total > 0) {
    auto ticket = static_cast<std::uint32_t>(parts_.ids.random() % total);
    while (ticket >= route_->upstreams[chosen].weight)
      ticket -= route_->upstreams[chosen++].weight;
  }
  upstream_ = generation_->upstreams[route_->upstreams[chosen].upstream];
  exchange_.facts.upstream_name = upstream_->options().name;
  hash_key_ = upstream_->options().balance == Balance::hash ? hash_key(upstream_->options().hash_key) : 0;
  add_forwarding(exchange_, head_, client_->peer(), snapshot());
  attempt();
}

std::uint64_t Transaction::hash_key(const HashKey& key) noexcept {
  const middleware::Request& request = exchange_.request;
  switch (key.source) {
    case HashKey::Source::client: return hash_text(request.client_ip);
    case HashKey::Source::host: return hash_text(request.host);
    case HashKey::Source::path: return hash_text(request.path);
    case HashKey::Source::header: return hash_text(request.headers.value(key.name));
    case HashKey::Source::cookie: return hash_text(cookie_value(request.headers.value("cookie"), key.name));
    case HashKey::Source::query: return hash_text(query_value(request.query, key.name));
  }
  return 0;
}

void Transaction::attempt() noexcept {
  target_ = upstream_->pick(hash_key_, failed_target_);
  if (!target_ && last_failure_ != 0) return answer(last_failure_, last_detail_);  // nobody is left to try it
  if (!target_) return answer(code::kNoHealthyUpstream, "no target of the upstream may be chosen");
  // Whoever did not take a connection in all that time gets no second one of it: that is for another target.
  if (last_failure_ == code::kConnectTimeout && target_ == failed_target_) return answer(last_failure_, last_detail_);
  upstream_->begin(*target_);
  counted_attempt_ = true;
  ++exchange_.facts.attempts;
  exchange_.facts.upstream_address = target_->label;
  if (trace_.on()) [[unlikely]]
    trace_.begin_try(exchange_, {upstream_->options().name, target_->label}, Clock::now());
  int code = 0;
  int error = 0;
  stage_ = Stage::connecting;
  upstream_progress_ = worker_.now();
  do {
    const auto reuse = fresh_only_ ? Upstream::Reuse::fresh : Upstream::Reuse::allowed;
    leg_ = upstream_->acquire(*target_, *this, reuse, code, error);
    if (!leg_) {
      const auto failure = is_our_lack(error) ? Failure::own : Failure::connect;
      return attempt_failed(failure, code, error ? std::strerror(error) : "");
    }
    // What may not be sent twice is not sent into a connection that is already dead.
    if (leg_->reused() && !may_send_again() && leg_->has_gone_stale())
      upstream_->discard(*std::exchange(leg_, nullptr));
  } while (!leg_);
  if (leg_->state() == UpstreamConnection::State::in_use) return send_request();
  wake_upstream_within(upstream_->options().connect_timeout);
}

void Transaction::wake_upstream_within(Duration after) noexcept {
  if (!upstream_timer_.armed() || upstream_timer_.due() > worker_.now() + after)
    parts_.loop.arm(upstream_timer_, after);
}

void Transaction::upstream_connected() noexcept {
  send_request();
}

void Transaction::upstream_unreachable(const Unreachable& why) noexcept {
  attempt_failed(Failure::connect, why.code, why.what);
}

// A request with a body has to be over before the connection can be another protocol's; no client does that. Nor does
// what a step makes of one ask for it, once it is no GET or has a body.
bool Transaction::asks_for_websocket() const noexcept {
  const middleware::Request& request = exchange_.request;
  return head_.upgrade_websocket && head_.connection.upgrade && head_.minor_version > 0 && head_.method == "GET" &&
         head_.framing.kind == Framing::Kind::none && request.method == "GET" && request.body.kind == Body::Kind::none;
}

void Transaction::send_request() noexcept {
  const middleware::Request& request = exchange_.request;
  RequestOut out;
  if (route_) out.strip = route_->strip;
  if (upstream_->options().host == UpstreamOptions::Host::target) out.host = target_->options->authority;
  out.spare_host = target_->options->authority;
  out.websocket = asks_for_websocket();
  out.identity = exchange_.run.wants_response_body();
  if (request.body.kind == Body::Kind::bytes)
    out.framing = {OutFraming::Kind::length, request.body.bytes.size()};
  else if (request.body.kind == Body::Kind::stream && head_.framing.kind == Framing::Kind::chunked)
    out.framing = {OutFraming::Kind::chunked, 0};
  else if (request.body.kind == Body::Kind::stream || head_.length_given)
    out.framing = {OutFraming::Kind::length, request.body.kind == Body::Kind::stream ? head_.framing.length : 0};
  const std::string_view head = write_request(request, head_.connection, out, *parts_.scratch);
  if (head.empty()) {
    let_go(false);
    return answer(code::kInternal, "the request head with its edits does not fit the buffer");
  }
  stage_ = Stage::forwarding;
  sent_at_ = upstream_progress_ = worker_.now();
  wake_upstream_within(upstream_->options().response_timeout);
  request_dead_ = upstream_blocked_ = looked_late_ = false;
  request_listed_ = request.body.kind != Body::Kind::stream;
  interim_responses_ = 0;
  leg_->watch().await_read();
  to_upstream_.clear();
  to_upstream_.add(head);
  // What may not be sent twice leaves right after its pooled connection was looked at.
  upstream_fresh_ = may_send_again() || !leg_->reused();
  if (request.body.kind == Body::Kind::bytes) to_upstream_.add(request.body.bytes);
  pump_request();
}

bool Transaction::may_send_again() const noexcept {
  return is_idempotent(exchange_.request.method) && !body_sent_;
}

// Connect failures sent nothing, so they may always go elsewhere; everything else only if sending it twice is harmless.
// A connection from the pool that dies before a byte of the response is no fault of the target: once, for free.
bool Transaction::may_retry(Failure failure) const noexcept {
  if (response_begun_) return false;
  const RetryOptions& retry = upstream_->options().retry;
  if (failure == Failure::stale) return may_send_again() && !retried_stale_;
  if (exchange_.facts.attempts >= retry.attempts) return false;
  if (failure == Failure::connect) return retry.on_connect_failure && !body_sent_;
  return failure == Failure::reset && retry.on_reset && may_send_again();
}

void Transaction::attempt_failed(Failure failure, int code, std::string_view detail) noexcept {
  last_failure_ = code;
  last_detail_.assign(detail);
  if (trace_.on()) [[unlikely]]
    trace_.failed(code);
  const bool again = may_retry(failure);
  if (counted_attempt_) {
    counted_attempt_ = false;
    if (failure == Failure::stale || failure == Failure::own)
      upstream_->neutral(*target_);
    else
      upstream_->failed(*target_);
  }
  let_go(false);
  if (failure == Failure::stale) {
    retried_stale_ = fresh_only_ = true;
    if (again) return attempt();
  }
  if (again) {
    upstream_->metrics().retries.add();
    failed_target_ = target_;
    return attempt();
  }
  answer(code, last_detail_);
}

void Transaction::target_succeeded() noexcept {
  if (!counted_attempt_) return;
  counted_attempt_ = false;
  upstream_->succeeded(*target_);
}

bool Transaction::is_request_sent() const noexcept {
  return request_listed_ && to_upstream_.empty() && !request_dead_;
}

// Once its response is over, for another request.
bool Transaction::is_leg_reusable() const noexcept {
  return is_request_sent() && response_body_.over() && response_body_.kind() != Framing::Kind::until_close &&
         leg_->in.empty() && response_head_.minor_version > 0 && !response_head_.connection.close;
}

// The upstream connection goes back to its pool, or is closed.
void Transaction::let_go(bool reusable) noexcept {
  if (trace_.on()) [[unlikely]]
    trace_.end_try(Clock::now());
  if (counted_attempt_) upstream_->neutral(*target_);
  counted_attempt_ = false;
  wants_body_ = false;
  upstream_blocked_ = upstream_due_ = upstream_fresh_ = false;
  got_ahead_ = Got::not_asked;
  to_upstream_.clear();
  if (!leg_) return;
  UpstreamConnection& leg = *std::exchange(leg_, nullptr);
  // Bytes behind a response that filled the buffer are in the socket, and no edge will tell of them any more.
  if (reusable && std::exchange(leg_may_hold_more_, false)) reusable = !leg.has_gone_stale();
  if (const Http2Upstream* const channel = leg.stream().http2_upstream())
    reusable = reusable && channel->has_sent_all();
  reusable = reusable && response_head_.status != 101;  // whatever a step made of that: it speaks another protocol now
  if (leg.in) response_block_ = std::move(leg.in);
  if (reusable)
    upstream_->release(leg);
  else
    upstream_->discard(leg);
}

// Lazy, like the connection's: it is armed once per attempt, and looks at the last progress when it fires. While the
// client or a step is what everybody waits for, the upstream is not to blame.
void Transaction::upstream_timeout() noexcept {
  if (!leg_) return;
  const UpstreamOptions& options = upstream_->options();
  const Duration limit = stage_ == Stage::connecting ? options.connect_timeout : options.response_timeout;
  const bool waiting_for_others =
      client_blocked_ || wants_body_ || (stage_ == Stage::response_side && collecting_ != Collecting::response);
  if (waiting_for_others) upstream_progress_ = worker_.now();
  const Duration left = upstream_progress_ + limit - worker_.now();
  if (left > Duration::zero()) return parts_.loop.arm(upstream_timer_, left);
  if (stage_ == Stage::tunnel) return;
  // Not sent yet, or answered and only not looked at: the rest of this turn will show.
  if (stage_ == Stage::forwarding && (upstream_due_ || got_ahead_ != Got::not_asked))
    return parts_.loop.arm(upstream_timer_, Loop::kTick);
  if (stage_ == Stage::connecting)
    return attempt_failed(Failure::connect, code::kConnectTimeout, "no connection within the connect time-out");
  if (stage_ == Stage::forwarding && !looked_late_ && leg_->has_gone_stale()) {
    // It did answer: this worker came late, not the upstream. Once, for a head that arrives byte by byte.
    looked_late_ = true;
    parts_.loop.arm(upstream_timer_, Loop::kTick);
    return read_response_head();
  }
  if (stage_ == Stage::forwarding)
    return attempt_failed(Failure::timeout, code::kResponseTimeout, "no response within the response time-out");
  if (response_begun_) return cut_response("the upstream stopped sending");
  collecting_ = Collecting::nothing;
  let_go(false);
  exchange_.fail({.code = code::kResponseTimeout, .detail = "the upstream stopped sending"});
  exchange_.run.buffered(middleware::Buffering::failed);
}

void Transaction::upstream_readable() noexcept {
  // The time-out is for the whole head: a part of it is no progress.
  if (stage_ != Stage::forwarding) upstream_progress_ = worker_.now();
  switch (stage_) {
    case Stage::forwarding:
      // Nothing was asked yet: the pooled connection has ended, or says what was meant for somebody else.
      if (upstream_due_ && leg_->reused())
        return attempt_failed(Failure::stale, code::kResetBeforeResponse, "the upstream's connection ended");
      return read_response_head();
    case Stage::response_side:
      if (collecting_ == Collecting::response) go_on_collecting_response();
      return;
    case Stage::responding:
      if (!client_blocked_) pump_response();
      return;
    case Stage::tunnel: return run_tunnel();
    default: return;
  }
}

void Transaction::upstream_writable() noexcept {
  upstream_progress_ = worker_.now();
  if (stage_ == Stage::tunnel) return run_tunnel();
  if (upstream_blocked_) pump_request();
}

}  // namespace lingate::http
