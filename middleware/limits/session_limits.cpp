#include "middleware/limits/session_limits.h"

#include <algorithm>
#include <cmath>

#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::middleware::limits {
namespace {

namespace number = proto::session;

constexpr double kNanoseconds = 1e9;
constexpr double kLongest = 1e9;  // seconds, of `per`

bool is_whole(double value) noexcept {
  return std::floor(value) == value;
}

}  // namespace

SessionLimits limits_of(const Session& session) noexcept {
  SessionLimits limits;
  proto::Reader reader(session.wire());
  for (proto::Field field; reader.next(field);) {
    if (field.type != proto::WireType::fixed64) continue;
    switch (field.number) {
      case number::kRate: limits.rate = field.as_double(); break;
      case number::kPer: limits.per = field.as_double(); break;
      case number::kBurst: limits.burst = field.as_double(); break;
      case number::kQuotaMax: limits.quota_max = field.as_double(); break;
      case number::kQuotaRemaining: limits.quota_remaining = field.as_double(); break;
      case number::kQuotaRenews: limits.quota_renews = field.as_double(); break;
      default: break;
    }
  }
  return limits;
}

std::optional<Rate> rate_of(const SessionLimits& limits) noexcept {
  if (!limits.rate) return std::nullopt;
  const double rate = *limits.rate;
  const double per = std::min(limits.per.value_or(1.0), kLongest);
  if (!(rate > 0) || !(per > 0)) return Rate{};
  const auto most = static_cast<double>(Gcra::kMost);
  const double burst = std::clamp(limits.burst.value_or(std::ceil(rate)), 1.0, most);
  Rate result{.burst = static_cast<std::uint64_t>(burst)};
  if (is_whole(rate) && rate <= most) {
    result.count = static_cast<std::uint64_t>(rate);
    result.per = std::chrono::nanoseconds(std::llround(per * kNanoseconds));
  } else {  // one in so many nanoseconds, which is as near as one can tell
    result.count = 1;
    result.per = std::chrono::nanoseconds(std::llround(std::clamp(per / rate, 1e-9, kLongest) * kNanoseconds));
  }
  return result;
}

}  // namespace lingate::middleware::limits
