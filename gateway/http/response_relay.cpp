// The response on its way to the client.
#include <utility>

#include "base/codes.h"
#include "gateway/http/http2_stream.h"
#include "gateway/http/http2_upstream.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {

using middleware::Body;
using middleware::BodyFilter;
using middleware::Response;

namespace {

// RFC 9110, 15.3.5, 15.3.6 and 15.4.5.
constexpr bool has_no_content(std::uint16_t status) noexcept {
  return status == 204 || status == 205 || status == 304;
}

constexpr int kRounds = 8;  // reads in one turn before others have theirs

}  // namespace

OutFraming Transaction::response_framing() noexcept {
  const Response& response = exchange_.response;
  const std::uint16_t status = response.status;
  if (status < 200 || status == 204) return {};
  if (status == 205) return {OutFraming::Kind::length, 0};
  const bool no_content = status == 304 || is_head();
  if (response.body.kind == Body::Kind::bytes && !response.filter)
    return no_content && status == 304 ? OutFraming{}
                                       : OutFraming{OutFraming::Kind::length, response.body.bytes.size()};
  const bool described = response.source == Response::Source::upstream && !response.body.replaced;
  if (no_content) return {described ? OutFraming::Kind::as_received : OutFraming::Kind::none, 0};
  if (response.body.kind == Body::Kind::none) return {OutFraming::Kind::length, 0};
  if (response_head_.framing.kind == Framing::Kind::length && !response.filter)
    return {OutFraming::Kind::length, response_head_.framing.length};
  // HTTP/2 frames content itself, and its end is a frame's.
  const bool chunked = head_.minor_version > 0 && (client_->stream().plain() || !client_->stream().http2());
  return {chunked ? OutFraming::Kind::chunked : OutFraming::Kind::until_close, 0};
}

Persist Transaction::decide_persist(const OutFraming& framing) noexcept {
  if (exchange_.response.status == 101) return Persist::websocket;
  const ConnectionTokens& tokens = head_.connection;
  const bool wanted = !tokens.close && (head_.minor_version > 0 || tokens.keep_alive);
  const bool possible = framing.kind != OutFraming::Kind::until_close && !worker_.draining();
  if (!wanted || !possible || (!request_body_.over() && !drainable())) {
    after_ = After::close;
    return Persist::close;
  }
  after_ = After::keep;
  return head_.minor_version > 0 ? Persist::implied : Persist::keep_alive;
}

void Transaction::begin_response() noexcept {
  Response& response = exchange_.response;
  if (has_no_content(response.status)) {  // whoever gave it this status, and whatever content it had before
    response.body = {.kind = Body::Kind::none, .bytes = {}, .replaced = response.body.replaced};
    response.drop_filter();
  }
  if (response.filter && response.body.kind == Body::Kind::bytes && !begin_filtering()) return begin_response();
  const bool from_upstream = leg_ && response.body.kind == Body::Kind::stream && !is_head();
  std::string trailers;
  if (leg_ && !from_upstream && response.status != 101) {
    if (response.source == Response::Source::upstream && response_body_.over()) trailers = take_trailers();
    let_go(is_leg_reusable());
  }
  const OutFraming framing = response_framing();
  ResponseOut out;
  out.framing = framing;
  out.persist = decide_persist(framing);
  out.date = parts_.date.line();
  if (snapshot().via) out.via = kViaLine;
  if (response.source == Response::Source::upstream && response.status == response_head_.status)
    out.reason = response_head_.reason;
  const std::string_view head = write_response(response, response_head_.connection, out, *parts_.scratch);
  if (head.empty() && response.source != Response::Source::gateway) {
    let_go(false);
    response.source = Response::Source::gateway;
    exchange_.fail({.code = code::kInternal, .detail = "the response head with its edits does not fit the buffer"});
    return begin_response();
  }
  pass_trailers(std::move(trailers));
  stage_ = Stage::responding;
  response_begun_ = true;
  chunked_out_ = framing.kind == OutFraming::Kind::chunked;
  closes_to_end_ = framing.kind == OutFraming::Kind::until_close;
  client_progress_ = upstream_progress_ = worker_.now();
  to_client_.add(head);
  client_fresh_ = true;
  const bool content = framing.kind == OutFraming::Kind::length && !is_head();
  if (content && response.body.kind == Body::Kind::bytes) {
    to_client_.add(response.body.bytes);
    exchange_.facts.response_bytes = response.body.bytes.size();
  }
  if (!client_blocked_) return pump_response();
  to_client_.keep(parts_.scratch->data(), parts_.scratch->size(), exchange_.arena);
}

// Its head is listed, nothing of it has left: the client can still be told what happened.
void Transaction::take_back_response(std::string_view detail) noexcept {
  const std::string kept(detail);
  client_fresh_ = false;
  to_client_.clear();
  response_begun_ = false;
  let_go(false);
  exchange_.response.source = Response::Source::gateway;
  exchange_.fail({.code = code::kBadResponse, .detail = kept});
  begin_response();
}

void Transaction::add_content(const Slices& slices) noexcept {
  if (slices.total == 0) return;
  if (exchange_.response.filter) return feed_filter(slices);
  list_content(slices);
}

void Transaction::list_content(const Slices& slices) noexcept {
  exchange_.facts.response_bytes += slices.total;
  if (chunked_out_) to_client_.add_chunk_head(slices.total);
  for (std::size_t k = 0; k < slices.count; ++k)
    to_client_.add(slices.at[k]);
  if (chunked_out_) to_client_.add(kChunkEnd);
}

// The head (or nothing) is listed. Content follows as long as the upstream has some and the client takes it.
void Transaction::pump_response() noexcept {
  if (filters_whole_body()) return pump_filtered();
  const bool from_upstream = leg_ && exchange_.response.body.kind == Body::Kind::stream;
  for (int round = 0;; ++round) {
    if (from_upstream && !response_listed_) {
      Slices slices;
      if (response_store_unsent_) slices.add_stored(response_store_);
      response_store_unsent_ = false;
      const BodyReader::Step step = response_body_.take(leg_->in, slices);
      if (step == BodyReader::Step::refused) {
        if (client_fresh_) return take_back_response(response_body_.refusal().detail);
        return cut_response(response_body_.refusal().detail);
      }
      add_content(slices);
      response_listed_ = step == BodyReader::Step::over;
      if (!list_filtered(response_listed_ ? BodyFilter::Until::end : BodyFilter::Until::more))
        return cut_response(kNotFiltered);
      if (response_listed_ && !leg_->stream().plain()) pass_trailers(take_trailers());
      if (response_listed_ && chunked_out_) to_client_.add(kLastChunk);
    }
    if (!flush_client()) return;
    if (!from_upstream || response_listed_) return exchange_.response.status == 101 ? begin_tunnel() : response_sent();
    if (round == kRounds) return leg_->watch().read_again();
    const Got got = read_upstream();
    if (got == Got::some) {
      upstream_progress_ = worker_.now();
      continue;
    }
    if (got == Got::nothing) {
      if (filter_holds_ && !list_filtered(BodyFilter::Until::pause)) return cut_response(kNotFiltered);
      if (!to_client_.empty() && !flush_client()) return;
      return leg_->watch().await_read();
    }
    if (got == Got::failed || !response_body_.closed())
      return cut_response("the upstream closed in the middle of its response");
    if (!list_filtered(BodyFilter::Until::end)) return cut_response(kNotFiltered);
    response_listed_ = true;
    if (chunked_out_) to_client_.add(kLastChunk);
  }
}

// False: the client takes no more now, or it is gone and so is this.
bool Transaction::flush_client() noexcept {
  if (std::exchange(client_fresh_, false) && parts_.sends.put_off(*this)) {
    to_client_.keep(parts_.scratch->data(), parts_.scratch->size(), exchange_.arena);
    client_due_ = client_blocked_ = true;
    return false;
  }
  switch (to_client_.flush(client_->stream())) {
    case Sent::all:
      client_blocked_ = false;
      client_progress_ = worker_.now();
      return true;
    case Sent::blocked:
      to_client_.keep(parts_.scratch->data(), parts_.scratch->size(), exchange_.arena);
      if (!std::exchange(client_blocked_, true)) {
        client_progress_ = worker_.now();
        client_->wake_within(snapshot().limits.write_timeout);
      }
      client_->watch().await_write();
      return false;
    case Sent::failed: break;
  }
  to_client_.clear();
  client_blocked_ = false;
  if (response_begun_) {
    client_gone();
  }
  return false;
}

// From HTTP/2 to HTTP/2 only: gRPC says there how a call went.
std::string Transaction::take_trailers() noexcept {
  Http2Upstream* const from = leg_->stream().http2_upstream();
  return from ? from->take_trailers() : std::string();
}

void Transaction::pass_trailers(std::string trailers) noexcept {
  if (trailers.empty()) return;
  if (Http2Stream* const to = client_->stream().http2()) to->add_trailers(std::move(trailers));
}

void Transaction::response_sent() noexcept {
  if (leg_) let_go(is_leg_reusable());
  if (request_body_.over() || after_ != After::keep) return finish(Ending::complete);
  drain_request();
}

// The upstream broke off: the client must not take what it has for the whole. No last chunk, a short length, or a
// reset.
void Transaction::cut_response(std::string_view detail) noexcept {
  exchange_.facts.fault = code::kResponseCut;
  std::string message = "response cut: ";
  message.append(detail);
  parts_.log.write({.level = middleware::LogLevel::warn,
                    .message = message,
                    .code = code::kResponseCut,
                    .request_id = exchange_.id(),
                    .route = exchange_.route()});
  exchange_.run.abandon();
  finish(Ending::cut);
}

}  // namespace lingate::http
