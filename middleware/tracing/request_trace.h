// RequestTrace: what becomes the spans of one request that is recorded: one of the whole, one for each side of a step
// that ran, one for each try at an upstream. It notes what nobody else does, the tries, and writes all of it when the
// exchange is over.
//
// A request that is not recorded costs the question whether it is.
//
// Thread: the worker's. Lifetime: its owner's, request after request; begin() to finish() while the exchange has the
// texts that it notes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "middleware/exchange.h"
#include "middleware/tracing/trace_context.h"

namespace lingate::middleware::tracing {

class Exporter;

// How a configuration traces.
struct Tracing {
  Exporter* exporter = nullptr;
  Sampling sampling;
};

// Where a try goes; borrowed for as long as the exchange.
struct TryTarget {
  std::string_view upstream;
  std::string_view label;  // "127.0.0.1:9001"
};

class RequestTrace {
 public:
  // Gives the exchange its trace, recorded or not.
  void begin(Exchange& exchange, const Tracing& tracing);
  bool on() const noexcept { return exporter_ != nullptr; }

  // While on(). Each try has a span of its own, which the upstream sees as its parent.
  void begin_try(Exchange& exchange, const TryTarget& target, Clock::time_point now);
  void answered(std::uint16_t status) noexcept;  // by the try at hand
  void failed(int code) noexcept;
  void end_try(Clock::time_point now) noexcept;  // if one is at hand
  void finish(Exchange& exchange);               // and is off

 private:
  struct Try {
    TryTarget target;
    std::string_view span;
    Clock::time_point began{};
    Clock::time_point ended{};  // the epoch: at hand
    std::uint16_t status = 0;
    int fault = 0;
  };
  class Writer;

  Try* at_hand() noexcept;

  Exporter* exporter_ = nullptr;
  std::string_view parent_;
  std::vector<Try> tries_;
};

}  // namespace lingate::middleware::tracing
