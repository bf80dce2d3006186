#include "gateway/bench/load/tally.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/codes.h"

namespace lingate::bench {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kUnsettled = 60;  // seconds that keep a histogram of their own; later answers count overall only
constexpr nanoseconds kSecond = std::chrono::seconds(1);
constexpr std::string_view kQuantileNames[] = {figure::kP50, figure::kP99, figure::kP999, figure::kMax};

struct FaultWords {
  int code;
  std::string_view what;  // "12 ..."
  std::string_view cure;
};

constexpr FaultWords kWords[kFaultKinds] = {
    {code::kConnectFailed, "could not connect",
     "see that the server runs and takes so many connections (--connections)"},
    {code::kResetBeforeResponse, "lost their connection", "the server dropped it without an answer: look into its log"},
    {code::kResponseTimeout, "timed out", "the server is too slow under this load: lower --rate or --connections"},
    {code::kBadResponse, "got a malformed response",
     "the server does not speak HTTP/1.1 as it should: see it with curl -v"},
    {code::kBadResponse, "got a status of 400 or more",
     "a refusal measures nothing: choose another URL, method or header, or look into the server's log"},
    {code::kResponseTimeout, "were due but never got their turn",
     "the server cannot keep up with this rate: choose a --rate below that of the closed loop"},
};

double as_seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void Tally::measure(LoadClock::time_point from, nanoseconds duration) {
  from_ = from;
  seconds_.clear();
  for (nanoseconds left = duration; left.count() > 0; left -= kSecond)
    seconds_.emplace_back().length = std::min(left, kSecond);
}

Tally::Second* Tally::second_of(LoadClock::time_point time) noexcept {
  if (time < from_) return nullptr;
  const auto index = static_cast<std::size_t>((time - from_) / kSecond);
  if (index >= seconds_.size() || time - from_ - kSecond * index >= seconds_[index].length) return nullptr;
  return &seconds_[index];
}

void Tally::answered(LoadClock::time_point began, LoadClock::time_point now) {
  ++answers_;
  if (Second* const second = second_of(now)) {
    ++second->answers;
    const auto current = static_cast<std::size_t>(second - seconds_.data());
    for (; settled_ + kUnsettled < current; ++settled_)
      seconds_[settled_].settle();
  }
  Second* const second = second_of(began);
  if (!second) return;
  const auto took = static_cast<double>(nanoseconds(now - began).count());
  latency_.add(took);
  if (second < seconds_.data() + settled_) return;
  if (!second->latency) second->latency = std::make_unique<Histogram>();
  second->latency->add(took);
}

void Tally::failed(const Fault& fault, std::uint64_t count) {
  if (count == 0) return;
  if (errors() == 0) first_ = fault;
  errors_[static_cast<std::size_t>(fault.kind)] += count;
}

std::uint64_t Tally::errors() const noexcept {
  return std::accumulate(errors_.begin(), errors_.end(), std::uint64_t{0});
}

Error Tally::error() const {
  std::string kinds;
  for (std::size_t k = 0; k < kFaultKinds; ++k)
    if (errors_[k] != 0) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", errors_[k], kWords[k].what);
  const FaultWords& words = kWords[static_cast<std::size_t>(first_.kind)];
  return {words.code, fmt::format("{} of {} requests failed: {}; the first: {}; {}", errors(), errors() + answers_,
                                  kinds, first_.text, words.cure)};
}

std::array<double, 4> Tally::quantiles_of(const Histogram& latency) {
  return {latency.quantile(0.5), latency.quantile(0.99), latency.quantile(0.999), latency.max()};
}

void Tally::Second::settle() {
  if (!latency) return;
  quantiles = quantiles_of(*latency);
  any = true;
  latency.reset();
}

void Tally::fill(Row& row) const {
  row.calls = calls();
  row.errors = errors();
  row.histogram = latency_.buckets();
  std::vector<double> rates;
  std::array<std::vector<double>, 4> samples;
  for (const Second& second : seconds_) {
    rates.push_back(static_cast<double>(second.answers) / as_seconds(second.length));
    if (!second.any && !second.latency) continue;
    const auto quantiles = second.any ? second.quantiles : quantiles_of(*second.latency);
    for (std::size_t k = 0; k < quantiles.size(); ++k)
      samples[k].push_back(quantiles[k]);
  }
  row.figures.emplace(figure::kRate, figure_of(std::move(rates), "1/s"));
  const auto whole = quantiles_of(latency_);
  for (std::size_t k = 0; k < whole.size(); ++k) {
    Figure figure{
        .unit = "ns", .median = whole[k], .low = whole[k], .high = whole[k], .samples = std::move(samples[k])};
    for (const double sample : figure.samples) {
      figure.low = std::min(figure.low, sample);
      figure.high = std::max(figure.high, sample);
    }
    row.figures.emplace(kQuantileNames[k], std::move(figure));
  }
}

}  // namespace lingate::bench
