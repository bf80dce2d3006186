#include <algorithm>

#include "base/codes.h"
#include "middleware/exchange.h"
#include "middleware/middleware.h"

namespace lingate::middleware {

Chain::Chain(const std::vector<const Middleware*>& steps, Measured measured) {
  links_.reserve(steps.size());
  for (const Middleware* const step : steps) {
    const StepNeeds& needs = links_.emplace_back(Link{step, step->needs()}).needs;
    wants_log_ = wants_log_ || needs.log;
    const bool counted = measured == Measured::all || (measured == Measured::scripts && step->runtime() != "native");
    times_steps_ = times_steps_ || needs.log || needs.times || counted;
    wants_response_body_ = wants_response_body_ || needs.response_body;
    const auto secret = step->secret_parameters();
    secret_parameters_.insert(secret_parameters_.end(), secret.begin(), secret.end());
  }
}

bool Chain::is_quiet(std::uint32_t worker) const noexcept {
  return std::all_of(links_.begin(), links_.end(), [worker](const Link& link) { return link.step->is_quiet(worker); });
}

void ChainRun::start() noexcept {
  side_ = Side::idle;
  waiting_ = Waiting::no;
  body_ready_ = false;
  stopped_ = false;
  next_request_ = 0;
  left_ = 0;
}

void ChainRun::finish() noexcept {
  abandon();
  for (std::size_t k = 0; k < exchange_.steps.size(); ++k)
    if (exchange_.steps[k].state) exchange_.chain().step(k).release(exchange_, exchange_.steps[k]);
}

ChainRun::Answer ChainRun::request() {
  side_ = Side::request;
  return run_request();
}

ChainRun::Answer ChainRun::response() {
  abandon();  // a step that waited on and came back later would do so into another response
  side_ = Side::response;
  return run_response();
}

ChainRun::Answer ChainRun::run_request() {
  const Chain& chain = exchange_.chain();
  stamp_ = {};
  while (next_request_ < chain.size() && !stopped_) {
    const StepNeeds& needs = chain.needs(next_request_);
    StepRecord& record = exchange_.steps[next_request_];
    if (!needs.request) {
      record.entered = true;
      left_ = ++next_request_;
      continue;
    }
    if (needs.request_body && !body_ready_) {
      const Buffering outcome = ask_for_body(next_request_);
      if (outcome == Buffering::wait) return Answer::wait;
      settle_body(outcome);
      continue;
    }
    begin_step(record);
    const Flow flow = chain.step(next_request_).on_request(exchange_, record);
    if (flow == Flow::wait) {
      waiting_ = Waiting::step;
      return Answer::wait;
    }
    settle_request(flow);
  }
  side_ = Side::idle;
  return Answer::over;
}

ChainRun::Answer ChainRun::run_response() {
  const Chain& chain = exchange_.chain();
  stamp_ = {};
  while (left_ > 0 && !stopped_) {
    const std::size_t k = left_ - 1;
    const StepNeeds& needs = chain.needs(k);
    StepRecord& record = exchange_.steps[k];
    if (!needs.response || !record.entered) {
      --left_;
      continue;
    }
    if (needs.response_body && !body_ready_) {
      const Buffering outcome = ask_for_body(k);
      if (outcome == Buffering::wait) return Answer::wait;
      settle_body(outcome);
      continue;
    }
    begin_step(record);
    const Flow flow = chain.step(k).on_response(exchange_, record);
    if (flow == Flow::wait) {
      waiting_ = Waiting::step;
      return Answer::wait;
    }
    settle_response(flow);
  }
  side_ = Side::idle;
  return Answer::over;
}

// A refusal or a failure ends the request side: neither this step nor those after it are entered.
void ChainRun::settle_request(Flow outcome) {
  StepRecord& record = exchange_.steps[next_request_];
  time_step(record.request, record.request_began);
  body_ready_ = false;
  if (outcome == Flow::respond || outcome == Flow::fail) {
    next_request_ = static_cast<std::uint32_t>(exchange_.chain().size());
    return;
  }
  record.entered = outcome == Flow::next;
  left_ = ++next_request_;
}

// Whatever this side did, the steps outside it see the response that there is now.
void ChainRun::settle_response(Flow) {
  --left_;
  StepRecord& record = exchange_.steps[left_];
  time_step(record.response, record.response_began);
  body_ready_ = false;
}

// Whether step k can have the body it wants; a body that is there already counts against its limit too.
Buffering ChainRun::ask_for_body(std::size_t k) {
  const bool request = side_ == Side::request;
  const Body& body = request ? exchange_.request.body : exchange_.response.body;
  std::size_t limit = exchange_.chain().needs(k).max_body;
  if (request) limit = static_cast<std::size_t>(std::min<std::uint64_t>(limit, exchange_.body_limit));
  if (body.kind == Body::Kind::none) return Buffering::ready;
  if (body.kind == Body::Kind::bytes) return body.bytes.size() <= limit ? Buffering::ready : Buffering::too_large;
  ExchangeHost& host = exchange_.host();
  waiting_ = Waiting::body;
  const Buffering outcome = request ? host.buffer_request_body(limit) : host.buffer_response_body(limit);
  if (outcome != Buffering::wait) waiting_ = Waiting::no;
  return outcome;
}

void ChainRun::settle_body(Buffering outcome) {
  if (outcome == Buffering::ready) {
    body_ready_ = true;
    return;
  }
  const bool request = side_ == Side::request;
  const StepNeeds& needs = exchange_.chain().needs(request ? next_request_ : left_ - 1);
  if (outcome == Buffering::failed) {
    const Response::Source answered = request ? Response::Source::none : Response::Source::upstream;
    stopped_ = exchange_.response.source == answered;
  } else if (request) {
    const bool over_limit = exchange_.body_limit < needs.max_body;
    exchange_.fail({.code = over_limit ? code::kBodyOverLimit : code::kRequestBodyTooLarge, .detail = {}});
  } else if (!needs.stream_when_too_large) {
    exchange_.fail({.code = code::kResponseBodyTooLarge, .detail = {}});
  }
  if (request)
    next_request_ = static_cast<std::uint32_t>(exchange_.chain().size());
  else
    --left_;
}

// The clock is read where a step begins that none ran right before.
void ChainRun::begin_step(StepRecord& record) {
  record.began = true;
  if (exchange_.chain().times_steps() && stamp_ == Clock::time_point()) stamp_ = Clock::now();
}

void ChainRun::time_step(std::chrono::nanoseconds& took, Clock::time_point& began) {
  if (!exchange_.chain().times_steps()) return;
  const Clock::time_point now = Clock::now();
  took = now - stamp_;
  began = stamp_;
  stamp_ = now;
}

void ChainRun::resume(Flow outcome) noexcept {
  if (waiting_ != Waiting::step) return;
  waiting_ = Waiting::no;
  if (side_ == Side::request)
    settle_request(outcome);
  else
    settle_response(outcome);
  go_on();
}

void ChainRun::buffered(Buffering outcome) noexcept {
  if (waiting_ != Waiting::body) return;
  waiting_ = Waiting::no;
  settle_body(outcome);
  go_on();
}

void ChainRun::go_on() noexcept {
  const Side side = side_;
  const Answer answer = side == Side::request ? run_request() : run_response();
  if (answer == Answer::wait || stopped_) return;
  if (side == Side::request)
    exchange_.host().request_side_over();
  else
    exchange_.host().response_side_over();
}

void ChainRun::abandon() noexcept {
  if (waiting_ == Waiting::no) return;
  const std::size_t k = side_ == Side::request ? next_request_ : left_ - 1;
  StepRecord& record = exchange_.steps[k];
  if (waiting_ == Waiting::step) {
    if (record.state) exchange_.chain().step(k).release(exchange_, record);
    if (side_ == Side::request)
      time_step(record.request, record.request_began);
    else
      time_step(record.response, record.response_began);
  }
  if (side_ == Side::request)
    next_request_ = static_cast<std::uint32_t>(exchange_.chain().size());
  else
    --left_;
  waiting_ = Waiting::no;
  body_ready_ = false;
  side_ = Side::idle;
}

void ChainRun::log() {
  const Chain& chain = exchange_.chain();
  if (!chain.wants_log()) return;
  for (std::size_t k = 0; k < chain.size(); ++k) {
    const StepNeeds& needs = chain.needs(k);
    const StepRecord& record = exchange_.steps[k];
    const bool reached = record.began || record.entered;
    if (needs.log && (reached || needs.log_unreached)) chain.step(k).on_log(exchange_, record);
  }
}

bool ChainRun::wants_response_body() const noexcept {
  const Chain& chain = exchange_.chain();
  if (!chain.wants_response_body()) return false;
  for (std::size_t k = 0; k < chain.size(); ++k)
    if (exchange_.steps[k].entered && chain.needs(k).response_body) return true;
  return false;
}

}  // namespace lingate::middleware
