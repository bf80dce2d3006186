#include "gateway/bench/stats.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace lingate::bench {
namespace {

constexpr int kResamples = 2000;
// One figure stands for itself. Of a comparison's sixty rows three would differ by chance at 95 %.
constexpr double kOfFigure = 0.95;
constexpr double kOfRatio = 0.99;

using Engine = std::minstd_rand;

double median_in_place(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double resampled_median(std::span<const double> samples, Engine& engine, std::vector<double>& room) {
  std::uniform_int_distribution<std::size_t> index(0, samples.size() - 1);
  room.resize(samples.size());
  for (double& value : room)
    value = samples[index(engine)];
  return median_in_place(room);
}

std::pair<double, double> interval_of(std::vector<double>& medians, double confidence) {
  std::sort(medians.begin(), medians.end());
  const auto at = [&](double of) {
    return medians[static_cast<std::size_t>(of * static_cast<double>(medians.size()))];
  };
  return {at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

struct Estimate {
  double median, low, high;
};

Estimate estimate_of(std::span<const double> samples, double confidence) {
  const double median = median_of({samples.begin(), samples.end()});
  if (samples.size() < 2) return {median, median, median};
  Engine engine;
  std::vector<double> room;
  std::vector<double> medians(kResamples);
  for (double& each : medians)
    each = resampled_median(samples, engine, room);
  const auto [low, high] = interval_of(medians, confidence);
  return {median, low, high};
}

// Between which two of the sorted samples the median lies with this confidence: as many of them are below it as of so
// many coins show heads. Exact, where the bootstrap of twelve samples is too sure of itself.
Estimate ranked_estimate_of(std::vector<double> samples, double confidence) {
  const auto count = static_cast<double>(samples.size());
  const auto chance = [count](double heads) {
    return std::exp(std::lgamma(count + 1) - std::lgamma(heads + 1) - std::lgamma(count - heads + 1) -
                    count * std::log(2.0));
  };
  std::size_t heads = 0;
  for (double outside = 2 * chance(0); outside <= 1 - confidence; outside += 2 * chance(static_cast<double>(heads)))
    ++heads;
  const std::size_t skipped = heads == 0 ? 0 : heads - 1;  // at either end
  std::sort(samples.begin(), samples.end());
  return {median_of(samples), samples[skipped], samples[samples.size() - 1 - skipped]};
}

bool differs(const Ratio& ratio, double floor) noexcept {
  return (ratio.low > 1 || ratio.high < 1) && std::abs(ratio.value - 1) > floor;
}

}  // namespace

double median_of(std::vector<double> values) {
  return median_in_place(values);
}

Figure figure_of(std::vector<double> samples, std::string unit) {
  const auto [median, low, high] = estimate_of(samples, kOfFigure);
  return {.unit = std::move(unit), .median = median, .low = low, .high = high, .samples = std::move(samples)};
}

Ratio ratio_of(std::span<const double> before, std::span<const double> after, double floor) {
  Ratio ratio;
  if (before.empty() || after.empty()) return ratio;
  const double base = median_of({before.begin(), before.end()});
  if (base <= 0) return ratio;
  ratio.value = median_of({after.begin(), after.end()}) / base;
  Engine engine;
  std::vector<double> room;
  std::vector<double> ratios;
  ratios.reserve(kResamples);
  for (int k = 0; k < kResamples; ++k) {
    const double below = resampled_median(before, engine, room);
    if (below > 0) ratios.push_back(resampled_median(after, engine, room) / below);
  }
  if (ratios.empty()) return ratio;
  std::tie(ratio.low, ratio.high) = interval_of(ratios, kOfRatio);
  ratio.differs = differs(ratio, floor);
  return ratio;
}

Ratio ratio_of_pairs(std::span<const double> before, std::span<const double> after, double floor) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < std::min(before.size(), after.size()); ++k)
    if (before[k] > 0) ratios.push_back(after[k] / before[k]);
  if (ratios.empty()) return {};
  const auto [median, low, high] = ranked_estimate_of(std::move(ratios), kOfRatio);
  Ratio ratio{.value = median, .low = low, .high = high};
  ratio.differs = differs(ratio, floor);
  return ratio;
}

// Octave by octave, each in kPerOctave equal parts; what is below one part of the first octave falls into it.
std::size_t Histogram::bucket_of(double nanoseconds) noexcept {
  if (!(nanoseconds > 1)) return 0;
  int exponent = 0;
  const double mantissa =
      std::frexp(nanoseconds, &exponent);  // nanoseconds = mantissa * 2^exponent, mantissa in [0.5, 1)
  const auto octave = static_cast<std::size_t>(exponent - 1);
  const auto part = static_cast<std::size_t>((mantissa * 2 - 1) * static_cast<double>(kPerOctave));
  return std::min(octave * kPerOctave + part, kPerOctave * kOctaves - 1);
}

double Histogram::upper_edge(std::size_t bucket) noexcept {
  const double part = static_cast<double>(bucket % kPerOctave + 1) / static_cast<double>(kPerOctave);
  return std::ldexp(1 + part, static_cast<int>(bucket / kPerOctave));
}

void Histogram::add(double nanoseconds, std::uint64_t count) noexcept {
  counts_[bucket_of(nanoseconds)] += count;
  count_ += count;
  max_ = std::max(max_, nanoseconds);
}

// The upper edge of a bucket belongs to the next one.
void Histogram::add_bucket(const Bucket& bucket) noexcept {
  add(std::nextafter(bucket.upto, 0.0), bucket.count);
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t k = 0; k < counts_.size(); ++k)
    counts_[k] += other.counts_[k];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double Histogram::quantile(double of) const noexcept {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(of * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    seen += counts_[k];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(upper_edge(k), max_);
  }
  return max_;
}

std::vector<Bucket> Histogram::buckets() const {
  std::vector<Bucket> held;
  for (std::size_t k = 0; k < counts_.size(); ++k)
    if (counts_[k] != 0) held.push_back({.upto = upper_edge(k), .count = counts_[k]});
  return held;
}

}  // namespace lingate::bench
