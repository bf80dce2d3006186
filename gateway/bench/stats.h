// What turns samples into statements: the median with its interval, and whether two sets differ.
//
// An interval is a percentile bootstrap (Efron and Tibshirani, 1993) of the median with a fixed seed, so the same
// samples always give the same interval: that of 95 % for a figure. Two sets differ if the interval of the ratio of
// their medians leaves out 1, that of 99 %, because a comparison judges some sixty rows at once; and if the difference
// is larger than kFloor, below which layout and neighbours decide, not the code. Of pairs the interval lies between two
// of their ratios in order (Conover, Practical Nonparametric Statistics, 1999, section 3.2).
//
// Thread: pure functions. Units: those of the samples.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/bench/record.h"

namespace lingate::bench {

double median_of(std::vector<double> values);  // 0 where there are none

Figure figure_of(std::vector<double> samples, std::string unit = "ns");

struct Ratio {
  double value = 1;  // after / before
  double low = 1;
  double high = 1;
  bool differs = false;
};

inline constexpr double kFloor = 0.01;

// Of two figures that were taken independently of each other.
Ratio ratio_of(std::span<const double> before, std::span<const double> after, double floor = kFloor);

// Of two figures whose samples were taken in pairs: the median of the pairs' ratios.
Ratio ratio_of_pairs(std::span<const double> before, std::span<const double> after, double floor = kFloor);

// Latencies in buckets of 1/32 of their value: 3 % is the most that a quantile can be off. From 1 ns to 10 minutes.
class Histogram {
 public:
  void add(double nanoseconds, std::uint64_t count = 1) noexcept;
  void add(const Histogram& other) noexcept;
  void add_bucket(const Bucket& bucket) noexcept;  // one of another's buckets()
  std::uint64_t count() const noexcept { return count_; }
  double quantile(double of) const noexcept;  // upper edge of its bucket, at most max(); 0 if empty
  double max() const noexcept { return max_; }
  std::vector<Bucket> buckets() const;  // those that hold something, ascending

 private:
  static constexpr std::size_t kPerOctave = 32;
  static constexpr std::size_t kOctaves = 40;
  static std::size_t bucket_of(double nanoseconds) noexcept;
  static double upper_edge(std::size_t bucket) noexcept;

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kPerOctave * kOctaves);
  std::uint64_t count_ = 0;
  double max_ = 0;
};

}  // namespace lingate::bench
