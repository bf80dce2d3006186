// server-timing: tells a browser's tools where the time went (Server-Timing, https://www.w3.org/TR/server-timing/):
// what the steps within this one took, the upstream up to its head, and the whole since the request's head was there.
// It goes out before the response's body, so what comes after is not in it.
#include <algorithm>
#include <chrono>
#include <string>

#include "base/fields.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using std::chrono::nanoseconds;

// Milliseconds with three digits. Each entry is a name and what it took.
void append(std::string& to, std::string_view name, nanoseconds took) {
  if (!to.empty()) to += ", ";
  for (const char c : name)
    to += fields::is_token({&c, 1}) ? c : '_';
  const std::int64_t micros = std::max<std::int64_t>(took.count(), 0) / 1000;
  const std::string part = std::to_string(micros % 1000);
  to += ";dur=" + std::to_string(micros / 1000) + "." + std::string(3 - part.size(), '0') + part;
}

class ServerTiming final : public Middleware {
 public:
  std::string_view kind() const noexcept override { return "server-timing"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true, .times = true}; }

  Flow on_response(Exchange& exchange, StepRecord& own) const override {
    std::string entries;
    append(entries, "total", Clock::now() - exchange.facts.started);
    if (exchange.facts.upstream_time.count() >= 0) append(entries, "upstream", exchange.facts.upstream_time);
    bool within = false;
    for (std::size_t k = 0; k < exchange.steps.size(); ++k) {
      const StepRecord& record = exchange.steps[k];
      if (within && (record.request.count() >= 0 || record.response.count() >= 0))
        append(entries, exchange.chain().step(k).label(),
               std::max(record.request, nanoseconds::zero()) + std::max(record.response, nanoseconds::zero()));
      within = within || &record == &own;
    }
    exchange.response.headers.add("Server-Timing", entries);
    return Flow::next;
  }
};

}  // namespace

MadeStep make_server_timing(const Settings&, const StepSurroundings&) {
  return std::make_unique<ServerTiming>();
}

}  // namespace lingate::middleware::steps
