// What a client is told of a rate: RateLimit-Limit, -Remaining and -Reset on every response, Retry-After on refusals.
//
// Plain functions. Thread: the exchange's.
#pragma once

#include <cstdint>

#include "middleware/exchange.h"

namespace lingate::middleware::limits {

struct Announcement {
  std::uint64_t limit = 0;      // requests that may come at once
  std::uint64_t remaining = 0;  // of these, now
  std::uint64_t reset = 0;      // nanoseconds until all may
};

// Writes it on the response, unless one with as little remaining stands there: of another step, or of an upstream that
// limits too. So the client sees the narrowest.
void announce(Exchange& exchange, const Announcement& announcement);

// Whole seconds, rounded up, at least one; kNever: nothing, since coming again would not help.
void tell_when_to_retry(Exchange& exchange, std::uint64_t nanoseconds);

}  // namespace lingate::middleware::limits
