// Whole bodies for the steps that asked for them.
#include <utility>

#include "base/codes.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {

using middleware::Body;
using middleware::Buffering;

Buffering Transaction::buffer_request_body(std::size_t limit) {
  Body& body = exchange_.request.body;
  if (body.kind == Body::Kind::none) return Buffering::ready;
  if (body.kind == Body::Kind::bytes) return body.bytes.size() <= limit ? Buffering::ready : Buffering::too_large;
  collect_limit_ = limit;
  if (request_body_.kind() == Framing::Kind::length) {
    if (request_store_.size() + request_body_.left() > limit) return Buffering::too_large;
    if (request_store_.empty() && body_block().bytes().size() >= request_body_.left()) {
      Slices slices;  // all there: no copy
      request_body_.take(body_block(), slices);
      exchange_.facts.request_bytes += slices.total;
      body.kind = Body::Kind::bytes;
      body.bytes = slices.count > 0 ? slices.at[0] : std::string_view();
      client_->watch().await_read();
      return Buffering::ready;
    }
  }
  const Buffering outcome = collect_request();
  if (outcome == Buffering::wait) collecting_ = Collecting::request;
  return outcome;
}

Buffering Transaction::collect_request() noexcept {
  Body& body = exchange_.request.body;
  const bool waited = std::exchange(wants_body_, false);
  for (;;) {
    Slices slices;
    const BodyReader::Step step = request_body_.take(body_block(), slices);
    for (std::size_t k = 0; k < slices.count; ++k)
      request_store_.append(slices.at[k]);
    exchange_.facts.request_bytes += slices.total;
    request_store_unsent_ = !request_store_.empty();
    if (step == BodyReader::Step::refused) {
      head_.connection.close = true;
      exchange_.fail({.code = request_body_.refusal().code, .detail = std::string(request_body_.refusal().detail)});
      return Buffering::failed;
    }
    if (exchange_.facts.request_bytes > exchange_.body_limit) {
      exchange_.fail({.code = code::kBodyOverLimit, .detail = "the request body is over the limit of body-limit"});
      return Buffering::failed;
    }
    if (request_store_.size() > collect_limit_) return Buffering::too_large;
    if (step == BodyReader::Step::over) break;
    send_continue();
    const Got got = read_request_body();
    if (got == Got::some) continue;
    if (got == Got::closed) {
      head_.connection.close = true;
      exchange_.fail({.code = code::kClientGone, .detail = "the client closed in the middle of its request body"});
      return Buffering::failed;
    }
    await_body(waited);
    return Buffering::wait;
  }
  body.kind = Body::Kind::bytes;
  body.bytes = request_store_;
  request_store_unsent_ = false;
  client_->watch().await_read();
  return Buffering::ready;
}

void Transaction::go_on_collecting_request() noexcept {
  const Buffering outcome = collect_request();
  if (outcome == Buffering::wait) return;
  collecting_ = Collecting::nothing;
  exchange_.run.buffered(outcome);
}

Buffering Transaction::buffer_response_body(std::size_t limit) {
  Body& body = exchange_.response.body;
  if (body.kind == Body::Kind::none) return Buffering::ready;
  if (body.kind == Body::Kind::bytes) return body.bytes.size() <= limit ? Buffering::ready : Buffering::too_large;
  collect_limit_ = limit;
  if (response_body_.kind() == Framing::Kind::length) {
    if (response_store_.size() + response_body_.left() > limit) return Buffering::too_large;
    if (response_store_.empty() && leg_->in.bytes().size() >= response_body_.left()) {
      Slices slices;
      response_body_.take(leg_->in, slices);
      body.kind = Body::Kind::bytes;
      body.bytes = slices.count > 0 ? slices.at[0] : std::string_view();
      return Buffering::ready;
    }
  }
  const Buffering outcome = collect_response();
  if (outcome == Buffering::wait) {
    collecting_ = Collecting::response;
    upstream_progress_ = worker_.now();
  }
  return outcome;
}

Buffering Transaction::collect_response() noexcept {
  Body& body = exchange_.response.body;
  for (;;) {
    Slices slices;
    const BodyReader::Step step = response_body_.take(leg_->in, slices);
    for (std::size_t k = 0; k < slices.count; ++k)
      response_store_.append(slices.at[k]);
    response_store_unsent_ = !response_store_.empty();
    bool broken = step == BodyReader::Step::refused;
    if (!broken && response_store_.size() > collect_limit_) return Buffering::too_large;
    if (!broken && step == BodyReader::Step::more) {
      const Got got = read_upstream();
      if (got == Got::some) continue;
      if (got == Got::nothing) {
        leg_->watch().await_read();
        return Buffering::wait;
      }
      broken = got == Got::failed || !response_body_.closed();
    }
    if (!broken) break;
    let_go(false);
    exchange_.fail({.code = code::kResponseCut, .detail = "the upstream broke off in the middle of its response"});
    return Buffering::failed;
  }
  body.kind = Body::Kind::bytes;
  body.bytes = response_store_;
  response_store_unsent_ = false;
  return Buffering::ready;
}

void Transaction::go_on_collecting_response() noexcept {
  const Buffering outcome = collect_response();
  if (outcome == Buffering::wait) return;
  collecting_ = Collecting::nothing;
  exchange_.run.buffered(outcome);
}

}  // namespace lingate::http
