// Middleware: one step of a chain. Made once from its configuration, immutable, shared by every worker and request;
// what belongs to one request is in the Exchange (StepRecord::state for a step's own).
//
// Thread: a step's functions run on the worker of the exchange, several workers at once. Lifetime: the snapshot's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/exchange.h"

namespace lingate::middleware {

// How one side of a step ended.
enum class Flow : std::uint8_t {
  next,     // go on
  skip,     // go on as if the step were not there: it is not entered (a script under `on_error: continue`)
  respond,  // exchange.response is set: a refusal or an early answer; on the response side: it was replaced
  fail,     // exchange.fail() was called
  wait,     // not over: ChainRun::resume() follows, on this thread
};

// Which sides a step has and which bodies it wants in one piece.
struct StepNeeds {
  bool request = false;
  bool response = false;
  bool log = false;
  bool times = false;          // steps are timed for it; those with a log side always are
  bool log_unreached = false;  // its log side also sees requests that an earlier step answered (access-log)
  bool request_body = false;
  bool response_body = false;
  bool stream_when_too_large = false;  // `continue`: a response over max_body passes by, the step is skipped
  std::size_t max_body = 0;
};

class Middleware {
 public:
  virtual ~Middleware() = default;

  virtual std::string_view kind() const noexcept = 0;   // "headers"
  virtual std::string_view label() const noexcept = 0;  // what the log and metrics call it: kind, or a script's file
  virtual StepNeeds needs() const noexcept = 0;
  virtual std::string_view runtime() const noexcept { return "native"; }  // a script's language
  // Of the query: their values stand in no log.
  virtual std::span<const std::string> secret_parameters() const noexcept { return {}; }

  virtual Flow on_request(Exchange&, StepRecord&) const { return Flow::next; }
  virtual Flow on_response(Exchange&, StepRecord&) const { return Flow::next; }
  virtual void on_log(Exchange&, const StepRecord&) const {}  // reads only, but for what is made lazily (id)
  // The exchange is over, perhaps while this step waits: called where `record.state` is set, to give it back.
  virtual void release(Exchange&, StepRecord&) const noexcept {}
  // Nothing that this worker began here is under way, beyond exchanges: asked before the step goes. On that worker.
  virtual bool is_quiet(std::uint32_t) const noexcept { return true; }
};

// Whether somebody wants to know what steps take, whatever they need themselves: those that are scripts, or all.
enum class Measured : std::uint8_t { no, scripts, all };

// The ordered steps of a route, `use` resolved. The snapshot owns the steps; equal steps are shared.
class Chain {
 public:
  Chain() = default;
  explicit Chain(const std::vector<const Middleware*>& steps, Measured measured = Measured::no);

  std::size_t size() const noexcept { return links_.size(); }
  const Middleware& step(std::size_t k) const noexcept { return *links_[k].step; }
  bool is_quiet(std::uint32_t worker) const noexcept;  // all steps, see there
  const StepNeeds& needs(std::size_t k) const noexcept { return links_[k].needs; }
  bool wants_log() const noexcept { return wants_log_; }
  bool times_steps() const noexcept { return times_steps_; }
  bool wants_response_body() const noexcept { return wants_response_body_; }  // some step does
  const std::vector<std::string_view>& secret_parameters() const noexcept { return secret_parameters_; }  // of all

 private:
  // Side by side: a request asks for both at each step.
  struct Link {
    const Middleware* step;
    StepNeeds needs;
  };

  std::vector<Link> links_;
  std::vector<std::string_view> secret_parameters_;
  bool wants_log_ = false;
  bool times_steps_ = false;
  bool wants_response_body_ = false;
};

}  // namespace lingate::middleware
