// What the upstream answers: its head, interim responses, and whether to ask elsewhere instead.
#include <algorithm>
#include <utility>

#include "base/codes.h"
#include "gateway/http/http2_upstream.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {

using middleware::Body;
using middleware::Response;

namespace {

// Ones without end would keep the worker for as long as they come.
constexpr std::uint32_t kMostInterimResponses = 100;

}  // namespace

// Reads behind what the leg's block holds. Content that was used up makes room, the head stays where it is.
Transaction::Got Transaction::read_upstream() noexcept {
  Block& in = leg_->in;
  if (!in) in = parts_.large.take();
  if (in.empty()) in.begin = in.end = response_start_;
  const auto [got, more] = leg_->stream().read(in.space(), in.room());
  leg_may_hold_more_ = more;
  if (got > 0) {
    in.end += static_cast<std::uint32_t>(got);
    return Got::some;
  }
  if (got == 0) return Got::nothing;
  return got == Received::kClosed ? Got::closed : Got::failed;
}

bool Transaction::upstream_read_ahead() noexcept {
  if (stage_ != Stage::forwarding || upstream_due_) return false;
  response_start_ = 0;
  got_ahead_ = read_upstream();
  return true;
}

void Transaction::read_response_head() noexcept {
  for (;;) {
    response_start_ = 0;
    const Got ahead = std::exchange(got_ahead_, Got::not_asked);
    const Got got = ahead == Got::not_asked ? read_upstream() : ahead;
    if (got == Got::closed || got == Got::failed) {
      const Http2Upstream* const channel = leg_->stream().http2_upstream();
      if (channel && channel->malformed())
        return attempt_failed(Failure::response, code::kBadResponse, "the upstream's response breaks HTTP/2");
      const bool silent = !leg_->in || leg_->in.empty();
      const Failure failure = leg_->reused() && silent ? Failure::stale : Failure::reset;
      return attempt_failed(failure, code::kResetBeforeResponse,
                            channel ? "the upstream reset the stream, or closed, before its response head"
                                    : "the upstream closed before its response head");
    }
    if (got == Got::nothing) {
      if (leg_->in && leg_->in.empty()) leg_->in.release();
      return leg_->watch().await_read();
    }
    for (;;) {
      Refusal refusal;
      const ForMethod method = exchange_.request.method == "HEAD" ? ForMethod::head : ForMethod::other;
      const Scan outcome = scan_response(leg_->in.bytes(), snapshot().limits, method, response_head_,
                                         exchange_.response.headers, refusal);
      if (outcome == Scan::refused) return attempt_failed(Failure::response, code::kBadResponse, refusal.detail);
      if (outcome == Scan::more) break;
      leg_->in.begin += static_cast<std::uint32_t>(response_head_.size);
      if (response_head_.status >= 200 || response_head_.status == 101) return take_response_head();
      if (++interim_responses_ > kMostInterimResponses)
        return attempt_failed(Failure::response, code::kBadResponse, "interim responses without end");
      pass_interim();
      if (leg_->in.empty()) break;
    }
    if (leg_->in.empty())
      leg_->in.clear();
    else
      leg_->in.compact();
    if (leg_->in.room() == 0) grow_response();
  }
}

// A head that outgrows its block moves to one that holds the largest head allowed; longer ones are refused by the scan.
void Transaction::grow_response() noexcept {
  Block& in = leg_->in;
  const std::size_t size = std::max(in.capacity() * 2, snapshot().limits.head + kSmallBlock);
  Block larger = BlockPool::odd(static_cast<std::uint32_t>(size));
  std::copy_n(in.memory(), in.end, larger.memory());
  larger.end = in.end;
  in = std::move(larger);
}

// 1xx goes on to whoever can understand it (RFC 9110 section 15.2); 100 is the gateway's own business.
void Transaction::pass_interim() noexcept {
  if (response_head_.status == 100 || head_.minor_version == 0 || client_blocked_ || !to_client_.empty()) return;
  exchange_.response.status = response_head_.status;
  ResponseOut out;
  out.reason = response_head_.reason;
  if (snapshot().via) out.via = kViaLine;
  const std::string_view text = write_response(exchange_.response, response_head_.connection, out, *parts_.scratch);
  exchange_.response.status = 0;
  to_client_.add(text);
  flush_client();
}

bool Transaction::retry_for_status() noexcept {
  const RetryOptions& retry = upstream_->options().retry;
  if (retry.on_status.empty() || exchange_.facts.attempts >= retry.attempts || !may_send_again()) return false;
  return std::find(retry.on_status.begin(), retry.on_status.end(), response_head_.status) != retry.on_status.end();
}

void Transaction::take_response_head() noexcept {
  if (response_head_.status == 101) {
    if (!asks_for_websocket() || !response_head_.upgrade_websocket)
      return attempt_failed(Failure::response, code::kBadResponse, "101 that nobody asked for");
  }
  upstream_progress_ = worker_.now();
  exchange_.facts.upstream_time = worker_.now() - sent_at_;
  upstream_->metrics().duration.observe(exchange_.facts.upstream_time);
  if (trace_.on()) [[unlikely]]
    trace_.answered(response_head_.status);
  target_succeeded();
  if (retry_for_status()) {
    let_go(false);
    upstream_->metrics().retries.add();
    failed_target_ = target_;
    exchange_.response.headers.clear();
    return attempt();
  }
  Response& response = exchange_.response;
  response.source = Response::Source::upstream;
  response.status = response_head_.status;
  response_start_ = leg_->in.begin;
  response_body_.begin(response_head_.framing, snapshot().limits);
  response.body = {};
  response.body.kind = response_body_.over() ? Body::Kind::none : Body::Kind::stream;
  stage_ = Stage::response_side;
  if (exchange_.run.response() == middleware::ChainRun::Answer::over) response_side_over();
}

}  // namespace lingate::http
