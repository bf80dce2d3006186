// The request body on its way to the upstream, or to nowhere.
#include <utility>

#include "base/codes.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

using middleware::Body;

constexpr int kRounds = 8;                         // reads in one turn before others have theirs
constexpr std::uint32_t kMaxDrained = 256 * 1024;  // of a body that nobody wants, to save the connection
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

// The block that body bytes are in: first the connection's own, which holds what came along with the head; when that is
// used up, a large one.
Block& Transaction::body_block() noexcept {
  return upload_ ? upload_ : client_->in();
}

Transaction::Got Transaction::read_request_body() noexcept {
  if (!upload_ && client_->in().empty()) upload_ = parts_.large.take();
  Block& block = body_block();
  if (block.empty()) block.clear();
  const std::ptrdiff_t got = client_->read(block, request_body_.wanted());
  if (got > 0) {
    if (stage_ != Stage::draining) body_progress_ = worker_.now();  // what nobody wants has one time-out in all
    return Got::some;
  }
  return got == 0 ? Got::nothing : Got::closed;
}

// It is the client's turn, from now on if it was not before (`waited`): its time-out counts no time of others.
void Transaction::await_body(bool waited) noexcept {
  if (!waited) body_progress_ = worker_.now();
  wants_body_ = true;
  client_->watch().await_read();
  client_->wake_within(snapshot().limits.body_timeout);
}

// Sends what is listed, then what the client's block holds, then reads more; until one side has nothing or takes
// nothing.
void Transaction::pump_request() noexcept {
  const bool waited = std::exchange(wants_body_, false);
  for (int round = 0;; ++round) {
    if (!upstream_blocked_ && !request_listed_ && !request_dead_) {
      Slices slices;
      if (request_store_unsent_) slices.add_stored(request_store_);
      const std::size_t stored = slices.total;
      const BodyReader::Step step = request_body_.take(body_block(), slices);
      exchange_.facts.request_bytes += slices.total - stored;
      if (step == BodyReader::Step::refused) return bad_request_body();
      if (exchange_.facts.request_bytes > exchange_.body_limit) {
        if (response_begun_) return cut_response("the request body is over the limit of body-limit");
        call_off();
        return answer(code::kBodyOverLimit, "the request body is over the limit of body-limit");
      }
      const bool chunked = head_.framing.kind == Framing::Kind::chunked;
      if (slices.total > 0) {
        body_sent_ = true;
        request_store_unsent_ = false;
        if (chunked) to_upstream_.add_chunk_head(slices.total);
        for (std::size_t k = 0; k < slices.count; ++k)
          to_upstream_.add(slices.at[k]);
        if (chunked) to_upstream_.add(kChunkEnd);
      }
      request_listed_ = step == BodyReader::Step::over;
      if (chunked && request_listed_) to_upstream_.add(kLastChunk);
    }
    if (!flush_upstream()) return;
    if (request_listed_ || request_dead_) {
      if (request_body_.over()) client_->watch().await_read();
      return;
    }
    send_continue();
    if (round == kRounds) {
      wants_body_ = true;
      return client_->watch().read_again();
    }
    const Got got = read_request_body();
    if (got == Got::closed) return client_gone();
    if (got == Got::some) continue;
    return await_body(waited);
  }
}

// False: nothing more can be sent now, or the attempt is over.
bool Transaction::flush_upstream() noexcept {
  if (std::exchange(upstream_fresh_, false) && parts_.sends.put_off(*this)) {
    to_upstream_.keep(parts_.scratch->data(), parts_.scratch->size(), exchange_.arena);
    upstream_due_ = upstream_blocked_ = true;
    return false;
  }
  switch (to_upstream_.flush(leg_->stream())) {
    case Sent::all:
      upstream_blocked_ = false;
      upstream_progress_ = worker_.now();
      return true;
    case Sent::blocked:
      to_upstream_.keep(parts_.scratch->data(), parts_.scratch->size(), exchange_.arena);
      upstream_blocked_ = true;
      leg_->watch().await_write();
      return false;
    case Sent::failed: break;
  }
  // It may have answered before it closed: the response, if there is one, is in the socket.
  request_dead_ = true;
  upstream_blocked_ = false;
  to_upstream_.clear();
  if (stage_ == Stage::forwarding) read_response_head();
  return false;
}

// Errors are left for go_on() to find again.
void Transaction::send_listed() noexcept {
  if (upstream_due_) to_upstream_.flush(leg_->stream());
  if (client_due_) to_client_.flush(client_->stream());
}

void Transaction::go_on() noexcept {
  if (std::exchange(upstream_due_, false)) {
    sent_at_ = upstream_progress_ = worker_.now();
    pump_request();
  }
  if (!std::exchange(client_due_, false)) return;
  client_blocked_ = false;
  if (flush_client() && stage_ == Stage::responding) pump_response();
}

void Transaction::bad_request_body() noexcept {
  const Refusal refusal = request_body_.refusal();
  after_ = After::close;
  head_.connection.close = true;
  if (response_begun_) return cut_response(refusal.detail);
  call_off();
  answer(refusal.code, refusal.detail);
}

void Transaction::send_continue() noexcept {
  if (continued_) return;
  continued_ = true;
  if (!body_block().empty() || response_begun_ || client_blocked_) return;
  to_client_.add(kContinue);
  flush_client();
}

// Whether the rest of an unwanted body is small enough to be read and dropped, so that the connection can go on. What
// is in the buffer already is dropped here.
bool Transaction::drainable() noexcept {
  if (request_body_.over()) return true;
  if (leg_ && !request_listed_ && !request_dead_) return false;  // still on its way to the upstream
  if (!continued_ || head_.connection.close) return false;
  Slices dropped;
  if (request_body_.take(body_block(), dropped) == BodyReader::Step::refused) return false;
  if (request_body_.over()) return true;
  return request_body_.kind() == Framing::Kind::length && request_body_.left() <= kMaxDrained;
}

void Transaction::drain_request() noexcept {
  const bool waited = std::exchange(stage_, Stage::draining) == Stage::draining;
  wants_body_ = false;
  while (!request_body_.over()) {
    Slices dropped;
    if (request_body_.take(body_block(), dropped) == BodyReader::Step::refused) break;
    drained_ += static_cast<std::uint32_t>(dropped.total);
    if (request_body_.over() || drained_ > kMaxDrained) break;
    const Got got = read_request_body();
    if (got == Got::closed) break;
    if (got == Got::some) continue;
    return await_body(waited);
  }
  if (!request_body_.over()) after_ = After::close;
  finish(Ending::complete);
}

void Transaction::client_readable() noexcept {
  if (stage_ == Stage::tunnel) return run_tunnel();
  if (stage_ == Stage::responding && filters_whole_body() && !client_blocked_)
    return client_->stream().has_failed() ? client_gone() : pump_response();
  if (wants_body_) {
    if (stage_ == Stage::draining) return drain_request();
    if (collecting_ == Collecting::request) return go_on_collecting_request();
    if (leg_) return pump_request();
    return;
  }
  // A pipelined request, a FIN (the client still wants its answer), or a reset.
  if (client_->stream().has_failed()) return client_gone();
  if (!request_body_.over()) return client_->watch().await_read();  // of its body others will ask
  if (client_->stream().is_reset()) return client_gone();
  client_->watch().await_read();
}

void Transaction::client_writable() noexcept {
  if (stage_ == Stage::tunnel) return run_tunnel();
  if (!client_blocked_) return;
  client_progress_ = upstream_progress_ = worker_.now();
  if (!flush_client()) return;
  if (stage_ == Stage::responding) pump_response();
}

}  // namespace lingate::http
