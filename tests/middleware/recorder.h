// Recorder: a step for tests of the chain that notes what happens to it.
//
// Thread: the test's. Lifetime: the trace outlives it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "middleware/middleware.h"

namespace lingate::middleware {

enum class Mode { at_once, suspended };

// Notes what happens to it, and ends each side as told, at once or after a suspension.
class Recorder final : public Middleware {
 public:
  struct Plan {
    std::string name;
    Flow request = Flow::next;
    Flow response = Flow::next;
    bool has_request = true;
    bool has_response = true;
    bool has_log = false;
    bool log_unreached = false;
    bool request_body = false;
    bool response_body = false;
    std::size_t max_body = 10;
    bool streams = false;
  };

  Recorder(Plan plan, Mode mode, std::vector<std::string>& trace)
      : plan_(std::move(plan)), mode_(mode), trace_(trace) {}

  std::string_view kind() const noexcept override { return "recorder"; }
  std::string_view label() const noexcept override { return plan_.name; }
  StepNeeds needs() const noexcept override {
    return {.request = plan_.has_request,
            .response = plan_.has_response,
            .log = plan_.has_log,
            .log_unreached = plan_.log_unreached,
            .request_body = plan_.request_body,
            .response_body = plan_.response_body,
            .stream_when_too_large = plan_.streams,
            .max_body = plan_.max_body};
  }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    trace_.push_back("+" + plan_.name);
    return end(exchange, record, plan_.request, 401);
  }
  Flow on_response(Exchange& exchange, StepRecord& record) const override {
    trace_.push_back("-" + plan_.name + " " + std::to_string(exchange.response.status));
    return end(exchange, record, plan_.response, 299);
  }
  void on_log(Exchange&, const StepRecord&) const override { trace_.push_back("log " + plan_.name); }
  void release(Exchange&, StepRecord& record) const noexcept override {
    trace_.push_back("release " + plan_.name);
    record.state = nullptr;
  }

  // What a suspended side does when it goes on.
  void finish(Exchange& exchange) const {
    StepRecord& record = *waiting_;
    record.state = nullptr;
    waiting_ = nullptr;
    act(exchange, flow_, status_);
    exchange.run.resume(flow_);
  }
  bool waits() const { return waiting_ != nullptr; }

 private:
  static void act(Exchange& exchange, Flow flow, std::uint16_t status) {
    if (flow == Flow::respond) exchange.respond(status, "answer");
    if (flow == Flow::fail) exchange.fail({.code = code::kScriptException, .detail = "broken"});
  }

  Flow end(Exchange& exchange, StepRecord& record, Flow flow, std::uint16_t status) const {
    if (mode_ == Mode::at_once) {
      act(exchange, flow, status);
      return flow;
    }
    record.state = &record;
    waiting_ = &record;
    flow_ = flow;
    status_ = status;
    return Flow::wait;
  }

  const Plan plan_;
  const Mode mode_;
  std::vector<std::string>& trace_;
  mutable StepRecord* waiting_ = nullptr;
  mutable Flow flow_ = Flow::next;
  mutable std::uint16_t status_ = 0;
};

using Plan = Recorder::Plan;

}  // namespace lingate::middleware
