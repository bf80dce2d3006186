// quota: `max` requests of a caller in a period; it begins with their first request and lasts `every`. More are refused
// with 429 until it renews. Without `max` a session's own quota counts, wherever the step stands: quota_max requests
// until quota_renews, and if that has passed or is not there, for `every` or, without that, for good. A session that
// was never counted before begins with quota_remaining.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/codes.h"
#include "middleware/limits/announcement.h"
#include "middleware/limits/session_limits.h"
#include "middleware/steps/limit_settings.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using limits::QuotaTerms;

constexpr std::string_view kOfSessions = "session";  // the name of sessions' own quotas, whichever step counts them

// What is not a number, or less than none, is none.
std::uint64_t whole(double number) noexcept {
  constexpr double kMost = 1e15;
  return number > 0 ? static_cast<std::uint64_t>(std::floor(std::min(number, kMost))) : 0;
}

std::optional<store::Time> time_of(std::optional<double> unix_seconds) noexcept {
  if (!unix_seconds) return std::nullopt;
  constexpr double kLast = 9e9;  // the clock's numbers end in 2262
  const double seconds = *unix_seconds > 0 ? std::min(*unix_seconds, kLast) : 0;
  return store::Time(std::chrono::duration_cast<store::Time::duration>(std::chrono::duration<double>(seconds)));
}

class Quota final : public Middleware {
 public:
  Quota(std::optional<std::uint64_t> max, std::chrono::nanoseconds every, Counting counting)
      : max_(max),
        every_(every),
        counting_(std::move(counting)),
        of_sessions_(counting_.limits.number_of(kOfSessions)) {}

  std::string_view kind() const noexcept override { return "quota"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    const limits::QuotaNow now{exchange.wall(), limits::moment(exchange.host().loop().now())};
    const limits::Caller caller = counting_.by.caller(exchange);
    limits::QuotaLedger& ledger = counting_.limits.quotas();
    limits::QuotaLedger::Decision decision{.allowed = true};
    if (max_) {
      decision = ledger.take(counting_.key(caller), counting_.name, caller, {.most = *max_, .every = every_}, now);
    } else if (const auto own = own_terms(exchange.session(), now)) {
      const limits::Key key = limits::key_of(counting_.limits.hash(), of_sessions_, caller);
      decision = ledger.take(key, kOfSessions, caller, *own, now);
    }
    if (decision.allowed) return Flow::next;
    const Flow refused = refuse(exchange, record, code::kQuotaUsedUp, label());
    limits::tell_when_to_retry(exchange, decision.renews_in);
    return refused;
  }

 private:
  // Nothing: unlimited.
  std::optional<QuotaTerms> own_terms(const Session* session, const limits::QuotaNow& now) const noexcept {
    if (!session) return std::nullopt;
    const limits::SessionLimits own = limits::limits_of(*session);
    if (!own.quota_max) return std::nullopt;
    QuotaTerms terms{.most = whole(*own.quota_max), .every = every_, .renews = time_of(own.quota_renews)};
    const bool of_this_period = !terms.renews || *terms.renews > now.wall;
    if (of_this_period && own.quota_remaining) terms.remaining = whole(*own.quota_remaining);
    return terms;
  }

  const std::optional<std::uint64_t> max_;
  const std::chrono::nanoseconds every_;
  const Counting counting_;
  const std::uint64_t of_sessions_;
};

}  // namespace

// `max` and `every` may change while a period runs: its count goes on, and it ends when it was to end.
MadeStep make_quota(const Settings& settings, const StepSurroundings& surroundings) {
  auto counting = counting_of(settings, surroundings);
  if (!counting) return fail(std::move(counting.error()));
  if (auto enough = needs_own_or("quota", "max", settings, counting->by); !enough)
    return fail(std::move(enough.error()));
  std::optional<std::uint64_t> max;
  if (settings.find("max")) max = static_cast<std::uint64_t>(settings.integer("max"));
  return std::make_unique<Quota>(max, settings.duration("every"), *std::move(counting));
}

}  // namespace lingate::middleware::steps
