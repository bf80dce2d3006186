// quota: `max` requests of a caller in a period; it begins with their first request and lasts `every`. More are refused
// with 429 until it renews. Without `max` a session's own quota counts, wherever the step stands: quota_max requests
// until quota_renews, and if that has passed or is not there, for `every` or, without that, for good. A session that
// was never counted before begins with quota_remaining.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/codes.h"
#include "middleware/limits/announcement.h"
#include "middleware/limits/session_limits.h"
#include "middleware/steps/limit_settings.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using limits::QuotaTerms;
using limits::SharedCounts;

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

store::SharedPeriod shared_terms(const QuotaTerms& terms) noexcept {
  return {.most = terms.most,
          .every = std::chrono::ceil<std::chrono::milliseconds>(terms.every),
          .renews = terms.renews,
          .remaining = terms.remaining};
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
    if (max_)
      return take(exchange, record,
                  {counting_.name, caller, counting_.key(caller), {.most = *max_, .every = every_}, now});
    const auto own = own_terms(exchange.session(), now);
    if (!own) return Flow::next;
    const limits::Key key = limits::key_of(counting_.limits.hash(), of_sessions_, caller);
    return take(exchange, record, {kOfSessions, caller, key, *own, now});
  }

  void release(Exchange&, StepRecord& record) const noexcept override {
    SharedCounts::forget(*static_cast<const Waiting*>(std::exchange(record.state, nullptr))->request);
  }

 private:
  using Decision = limits::QuotaLedger::Decision;

  // One request of a caller; texts are the step's and the exchange's.
  struct Unit {
    std::string_view name;
    limits::Caller caller;
    limits::Key key;
    QuotaTerms terms;
    limits::QuotaNow now;
  };
  // One that a shared store counts.
  struct Waiting final : SharedCounts::Asker {
    Waiting(const Quota& its_step, Exchange& its_exchange, StepRecord& its_record, const Unit& its_unit)
        : step(its_step), exchange(its_exchange), record(its_record), unit(its_unit) {}

    void counted(const std::optional<SharedCounts::Decision>& decision) noexcept override {
      record.state = nullptr;
      exchange.run.resume(step.settle(exchange, record, unit, decision));
    }

    const Quota& step;
    Exchange& exchange;
    StepRecord& record;
    const Unit unit;
    SharedCounts::Request* request = nullptr;
  };

  Flow take(Exchange& exchange, StepRecord& record, const Unit& unit) const {
    SharedCounts* const shared = counting_.limits.shared();
    if (!shared) return conclude(exchange, record, take_here(unit));
    auto* waiting = keep(exchange.arena, Waiting(*this, exchange, record, unit));
    const SharedCounts::Asked asked =
        shared->ask(exchange.host().loop(), *waiting,
                    {unit.key, limits::QuotaLedger::record_name(unit.name, unit.caller), shared_terms(unit.terms)});
    if (!asked.waits) return settle(exchange, record, unit, asked.decision);
    waiting->request = asked.waits;
    record.state = waiting;
    return Flow::wait;
  }

  Decision take_here(const Unit& unit) const {
    return counting_.limits.quotas().take(unit.key, unit.name, unit.caller, unit.terms, unit.now);
  }

  // What the store says is remembered here: this is what goes on while it is away.
  Flow settle(Exchange& exchange, StepRecord& record, const Unit& unit,
              const std::optional<SharedCounts::Decision>& shared) const {
    if (!shared) return conclude(exchange, record, take_here(unit));
    const Decision decision{.allowed = shared->allowed, .remaining = shared->remaining, .renews_in = shared->reset};
    counting_.limits.quotas().learn(unit.key, unit.name, unit.caller, unit.terms, decision, unit.now);
    return conclude(exchange, record, decision);
  }

  Flow conclude(Exchange& exchange, StepRecord& record, const Decision& decision) const {
    if (decision.allowed) return Flow::next;
    const Flow refused = refuse(exchange, record, code::kQuotaUsedUp, label());
    limits::tell_when_to_retry(exchange, decision.renews_in);
    return refused;
  }

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
