// What a session says about its own limits (contract section 4): read off its bytes, where a limiting step asks.
//
// Values. Thread: any.
#pragma once

#include <optional>

#include "middleware/limits/gcra.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware::limits {

// Absent: unlimited. Times are Unix seconds, `per` is seconds.
struct SessionLimits {
  std::optional<double> rate, per, burst;
  std::optional<double> quota_max, quota_remaining, quota_renews;
};

SessionLimits limits_of(const Session& session) noexcept;

// Nothing: unlimited. `per` is a second where it is absent, and `burst` what comes in one `per`. A rate that is not
// above zero lets nothing through.
std::optional<Rate> rate_of(const SessionLimits& limits) noexcept;

}  // namespace lingate::middleware::limits
