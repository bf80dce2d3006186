// server-timing: tells a browser's tools where the time went (Server-Timing, https://www.w3.org/TR/server-timing/):
// what the steps within this one took, the upstream up to its head, and the whole since the request's head was there.
// It goes out before the response's body, so what comes after is not in it.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

#include "base/fields.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using std::chrono::nanoseconds;

// Entries, one behind the other, in a place that the exchange keeps.
class Entries {
 public:
  Entries(Arena& arena, std::size_t most) : begin_(arena.allocate(most)), at_(begin_) {}

  static std::size_t most(std::string_view name) noexcept { return name.size() + 32; }  // what one takes

  // Milliseconds with three digits.
  void add(std::string_view name, nanoseconds took) noexcept {
    if (at_ != begin_) put(", ");
    for (const char c : name)
      *at_++ = fields::is_token({&c, 1}) ? c : '_';
    const std::int64_t micros = std::max<std::int64_t>(took.count(), 0) / 1000;
    put(";dur=");
    at_ = std::to_chars(at_, at_ + 20, micros / 1000).ptr;
    *at_++ = '.';
    for (std::int64_t unit = 100; unit > 0; unit /= 10)
      *at_++ = static_cast<char>('0' + micros / unit % 10);
  }
  std::string_view text() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  void put(std::string_view text) noexcept { at_ = std::copy(text.begin(), text.end(), at_); }

  char* const begin_;
  char* at_;
};

class ServerTiming final : public Middleware {
 public:
  std::string_view kind() const noexcept override { return "server-timing"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true, .times = true}; }

  Flow on_response(Exchange& exchange, StepRecord& own) const override {
    const Chain& chain = exchange.chain();
    const auto first = static_cast<std::size_t>(&own - exchange.steps.data()) + 1;
    std::size_t most = Entries::most(kTotal) + Entries::most(kUpstream);
    for (std::size_t k = first; k < exchange.steps.size(); ++k)
      most += Entries::most(chain.step(k).label());
    Entries entries(exchange.arena, most);
    entries.add(kTotal, Clock::now() - exchange.facts.started);
    if (exchange.facts.upstream_time.count() >= 0) entries.add(kUpstream, exchange.facts.upstream_time);
    for (std::size_t k = first; k < exchange.steps.size(); ++k) {
      const StepRecord& record = exchange.steps[k];
      if (record.request.count() < 0 && record.response.count() < 0) continue;
      entries.add(chain.step(k).label(),
                  std::max(record.request, nanoseconds::zero()) + std::max(record.response, nanoseconds::zero()));
    }
    exchange.response.headers.add_prepared(make_field("Server-Timing", entries.text()));
    return Flow::next;
  }

 private:
  static constexpr std::string_view kTotal = "total";
  static constexpr std::string_view kUpstream = "upstream";
};

}  // namespace

MadeStep make_server_timing(const Settings&, const StepSurroundings&) {
  return std::make_unique<ServerTiming>();
}

}  // namespace lingate::middleware::steps
