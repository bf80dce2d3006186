#include "middleware/steps/limit_settings.h"

#include "base/codes.h"

namespace lingate::middleware::steps {

Result<Counting> counting_of(const Settings& settings, const StepSurroundings& surroundings, std::string_view how) {
  if (!surroundings.limits) return fail(code::kInternal, "a limiting step has nothing to count with");
  const std::string_view written = settings.text("by", "session.id");
  auto by = limits::CountedBy::parse(written);
  if (!by) return fail(std::move(by.error()));
  std::string name(surroundings.name);
  const std::string whole = name + "|" + std::string(written) + "|" + std::string(how);
  const std::uint64_t number = surroundings.limits->number_of(whole);
  return Counting{*surroundings.limits, *std::move(by), std::move(name), number};
}

Result<void> needs_own_or(std::string_view step, std::string_view option, const Settings& settings,
                          const limits::CountedBy& by) {
  if (settings.find(option) || by.session()) return {};
  return fail(code::kMissingKey, "step '" + std::string(step) + "' has no '" + std::string(option) +
                                     "', and only 'by: session.id' can do without");
}

Flow refuse(Exchange& exchange, StepRecord& record, int code, std::string_view step) {
  record.fault = code;
  exchange.fail({.code = code, .detail = {}, .step = step});
  return Flow::fail;
}

}  // namespace lingate::middleware::steps
