// rate-limit: as many requests of a caller in a time as `rate` says, `burst` of them at once; more are refused with
// 429. By session.id a session's own rate comes first, and without `rate` it is the only one. Every response tells how
// much is left (RateLimit-*). The count is exact, all workers together, and where the store is shared, all gateways.
#include <chrono>
#include <optional>
#include <utility>

#include "base/codes.h"
#include "middleware/limits/announcement.h"
#include "middleware/limits/session_limits.h"
#include "middleware/steps/limit_settings.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using limits::Gcra;
using limits::Rate;
using limits::SharedCounts;

// Tells rates apart, so that a session whose rate was changed begins anew instead of with what it owes at the old one.
std::uint64_t mix_of(const Rate& rate) noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  const auto per = static_cast<std::uint64_t>(rate.per.count());
  return ((rate.count * kOdd + per) * kOdd + rate.burst) * kOdd | 1U;
}

class RateLimit final : public Middleware {
 public:
  RateLimit(std::optional<Gcra> rate, Counting counting) : rate_(rate), counting_(std::move(counting)) {}

  std::string_view kind() const noexcept override { return "rate-limit"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    const limits::Caller caller = counting_.by.caller(exchange);
    if (caller.kind == 's')
      if (const auto own = limits::rate_of(limits::limits_of(*exchange.session())))
        return take(exchange, record, Gcra(*own), caller, mix_of(*own));
    if (!rate_) return Flow::next;
    return take(exchange, record, *rate_, caller, 0);
  }

  Flow on_response(Exchange& exchange, StepRecord& record) const override {
    if (record.state) announce(exchange, static_cast<const Kept*>(record.state)->announcement);
    return Flow::next;
  }

  void release(Exchange&, StepRecord& record) const noexcept override {
    auto* kept = static_cast<Kept*>(record.state);
    if (kept->request) SharedCounts::forget(*std::exchange(kept->request, nullptr));
  }

 private:
  // What is kept of a request: what the response tells, and the question that it waits for.
  struct Kept {
    limits::Announcement announcement{};
    SharedCounts::Request* request = nullptr;
  };
  struct Waiting final : SharedCounts::Asker {
    Waiting(const RateLimit& its_step, Exchange& its_exchange, StepRecord& its_record, const Gcra& its_rate,
            const limits::Key& its_key)
        : step(its_step), exchange(its_exchange), record(its_record), rate(its_rate), key(its_key) {}

    void counted(const std::optional<SharedCounts::Decision>& decision) noexcept override {
      record.state = nullptr;
      exchange.run.resume(step.settle(exchange, record, rate, key, decision));
    }

    const RateLimit& step;
    Exchange& exchange;
    StepRecord& record;
    const Gcra rate;
    const limits::Key key;
  };

  Flow take(Exchange& exchange, StepRecord& record, const Gcra& rate, const limits::Caller& caller,
            std::uint64_t more) const {
    const limits::Key key = counting_.key(caller, more);
    SharedCounts* const shared = counting_.limits.shared();
    if (!shared || rate.burst() == 0) return conclude(exchange, record, rate, take_here(exchange, rate, key));
    auto* waiting = keep(exchange.arena, Waiting(*this, exchange, record, rate, key));
    const SharedCounts::Asked asked =
        shared->ask(exchange.host().loop(), *waiting,
                    {key, counting_.shared(caller, more), store::SharedRate{rate.one(), rate.burst()}});
    if (!asked.waits) return settle(exchange, record, rate, key, asked.decision);
    record.state = keep(exchange.arena, Kept{.request = asked.waits});
    return Flow::wait;
  }

  Gcra::Decision take_here(Exchange& exchange, const Gcra& rate, const limits::Key& key) const {
    return counting_.limits.rates().take(key, rate, limits::moment(exchange.host().loop().now()));
  }

  // It is counted here as well: this is what goes on while the store is away.
  Flow settle(Exchange& exchange, StepRecord& record, const Gcra& rate, const limits::Key& key,
              const std::optional<SharedCounts::Decision>& shared) const {
    if (!shared) return conclude(exchange, record, rate, take_here(exchange, rate, key));
    if (shared->allowed) take_here(exchange, rate, key);
    return conclude(
        exchange, record, rate,
        {.allowed = shared->allowed, .remaining = shared->remaining, .wait = shared->wait, .reset = shared->reset});
  }

  Flow conclude(Exchange& exchange, StepRecord& record, const Gcra& rate, const Gcra::Decision& decision) const {
    const limits::Announcement announcement{rate.burst(), decision.remaining, decision.reset};
    if (decision.allowed) {
      record.state = keep(exchange.arena, Kept{announcement});
      return Flow::next;
    }
    const Flow refused = refuse(exchange, record, code::kRateLimited, label());
    announce(exchange, announcement);
    limits::tell_when_to_retry(exchange, decision.wait);
    return refused;
  }

  const std::optional<Gcra> rate_;
  const Counting counting_;
};

}  // namespace

MadeStep make_rate_limit(const Settings& settings, const StepSurroundings& surroundings) {
  std::optional<Gcra> rate;
  std::string how;
  if (const Settings* given = settings.find("rate")) {
    const std::int64_t count = given->integer("count");
    const std::int64_t burst = settings.integer("burst", count);
    const Settings::Duration per = given->duration("per");
    rate.emplace(Rate{static_cast<std::uint64_t>(count), per, static_cast<std::uint64_t>(burst)});
    how = std::to_string(count) + "/" + std::to_string(per.count()) + "/" + std::to_string(burst);
  }
  auto counting = counting_of(settings, surroundings, how);
  if (!counting) return fail(std::move(counting.error()));
  if (auto enough = needs_own_or("rate-limit", "rate", settings, counting->by); !enough)
    return fail(std::move(enough.error()));
  return std::make_unique<RateLimit>(rate, *std::move(counting));
}

}  // namespace lingate::middleware::steps
