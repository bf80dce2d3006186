// access-log: one JSON line for every request of the route, those that an earlier step answered included.
#include "middleware/access_log.h"

#include "base/codes.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

class AccessLogStep final : public Middleware {
 public:
  explicit AccessLogStep(LogWriter& writer) : log_(writer) {}

  std::string_view kind() const noexcept override { return "access-log"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.log = true, .log_unreached = true}; }

  void on_log(Exchange& exchange, const StepRecord&) const override { log_.write(exchange); }

 private:
  const AccessLog log_;
};

}  // namespace

MadeStep make_access_log(const Settings& settings, const StepSurroundings& surroundings) {
  if (!surroundings.logs) return fail(code::kInternal, "step 'access-log': no log files were set up");
  auto writer = surroundings.logs->open(settings.text("file", "stdout"));
  if (!writer) return fail(std::move(writer.error()));
  return std::make_unique<AccessLogStep>(**writer);
}

}  // namespace lingate::middleware::steps
