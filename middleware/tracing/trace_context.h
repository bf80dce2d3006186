// Trace context (W3C): which trace a request is part of, which of its spans is the gateway's, and whether the trace is
// recorded. A valid traceparent keeps its trace, whoever sent it, so that logs can be joined; anything else begins a
// new one.
//
// Whether it is recorded: what a trusted proxy has decided holds. Strangers decide nothing, since recording costs: of
// their requests and of new traces the gateway samples a share of its own.
//
// Thread: the worker's. Lifetime: texts are the exchange's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "middleware/exchange.h"

namespace lingate::middleware::tracing {

inline constexpr std::size_t kTraceparentLength = 55;

struct Traceparent {
  std::string_view trace;   // 32 hexadecimal digits
  std::string_view parent;  // 16
  bool sampled = false;
};

std::optional<Traceparent> parse_traceparent(std::string_view text) noexcept;

// The share of traces that the gateway itself begins to record.
struct Sampling {
  std::uint32_t per_million = 0;
};

struct Begun {
  bool sampled = false;
  std::string_view parent{};  // the span that asked; empty: a new trace
};

// Gives the exchange its trace and span, and the request the traceparent that says so. Without sampling nobody records
// here: then a flag that came goes on as it is, and a new trace is one that others may record.
Begun begin_trace(Exchange& exchange, const Sampling* sampling);

// The request's traceparent with another span of the same trace: that of one try at an upstream.
void set_span(Exchange& exchange, std::string_view span, bool sampled);

// 16 hexadecimal digits, in the exchange's arena.
std::string_view new_span(Exchange& exchange);

}  // namespace lingate::middleware::tracing
