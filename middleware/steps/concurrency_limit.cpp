// concurrency-limit: at most `max` requests of a caller in flight, from here until their exchange is over: the last
// byte of the response, the client's disconnect, the end of a tunnel. One more is refused with 429.
#include "base/codes.h"
#include "middleware/steps/limit_settings.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

class ConcurrencyLimit final : public Middleware {
 public:
  ConcurrencyLimit(std::uint64_t max, Counting counting) : max_(max), counting_(std::move(counting)) {}

  std::string_view kind() const noexcept override { return "concurrency-limit"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    const limits::Key key = counting_.key(counting_.by.caller(exchange));
    if (!counting_.limits.in_flight().enter(key, max_)) return refuse(exchange, record, code::kTooManyAtOnce, label());
    record.state = keep(exchange.arena, key);
    return Flow::next;
  }

  // Every exchange ends here, however it went (ChainRun::finish); what was given back is not given back again.
  void release(Exchange&, StepRecord& record) const noexcept override {
    counting_.limits.in_flight().leave(*static_cast<const limits::Key*>(record.state));
    record.state = nullptr;
  }

 private:
  const std::uint64_t max_;
  const Counting counting_;
};

}  // namespace

// `max` may change while requests are in flight: they count on.
MadeStep make_concurrency_limit(const Settings& settings, const StepSurroundings& surroundings) {
  auto counting = counting_of(settings, surroundings);
  if (!counting) return fail(std::move(counting.error()));
  const auto max = static_cast<std::uint64_t>(settings.integer("max"));
  return std::make_unique<ConcurrencyLimit>(max, *std::move(counting));
}

}  // namespace lingate::middleware::steps
