#include "gateway/bench/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <utility>

namespace lingate::bench {
namespace {

std::vector<double> around(double middle, double spread, std::size_t count, unsigned seed) {
  std::minstd_rand engine(seed);
  std::normal_distribution<double> values(middle, spread);
  std::vector<double> samples(count);
  for (double& sample : samples)
    sample = values(engine);
  return samples;
}

TEST(Stats, TheMedianIsTheMiddleOrBetweenTheTwoMiddles) {
  EXPECT_EQ(median_of({}), 0);
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 3, 2}), 2.5);
}

TEST(Stats, AnIntervalHoldsTheMedianAndNarrowsWithMoreSamples) {
  const Figure few = figure_of(around(100, 5, 8, 1));
  const Figure many = figure_of(around(100, 5, 400, 1));
  EXPECT_LE(few.low, few.median);
  EXPECT_GE(few.high, few.median);
  EXPECT_LT(many.high - many.low, (few.high - few.low) / 2);
  EXPECT_LT(many.low, 100.8);
  EXPECT_GT(many.high, 99.2);
}

TEST(Stats, AnIntervalIsTheSameForTheSameSamples) {
  const auto samples = around(100, 5, 12, 7);
  EXPECT_EQ(figure_of(samples).low, figure_of(samples).low);
}

TEST(Stats, OneSampleIsItsOwnInterval) {
  const Figure figure = figure_of({7});
  EXPECT_EQ(figure.low, 7);
  EXPECT_EQ(figure.high, 7);
}

TEST(Stats, SamplesOfOneSourceSeldomDiffer) {
  int differ = 0;
  for (unsigned k = 0; k < 200; ++k)
    differ += ratio_of(around(100, 0.8, 12, 2 * k + 1), around(100, 0.8, 12, 2 * k + 2)).differs ? 1 : 0;
  EXPECT_LE(differ, 10);
}

TEST(Stats, TwoPercentMoreIsSeen) {
  int differ = 0;
  for (unsigned k = 0; k < 200; ++k)
    differ += ratio_of(around(100, 0.8, 12, 2 * k + 1), around(102, 0.8, 12, 2 * k + 2)).differs ? 1 : 0;
  EXPECT_GE(differ, 180);
}

TEST(Stats, PairsTellTwoPercentWhateverTheMachineDoesToBoth) {
  int differ = 0;
  int same = 0;
  for (unsigned k = 0; k < 200; ++k) {
    const auto machine = around(100, 20, 12, 3 * k);
    auto before = around(1, 0.008, 12, 3 * k + 1);
    auto after = around(1.02, 0.008, 12, 3 * k + 2);
    auto again = around(1, 0.008, 12, 3 * k + 700);
    for (std::size_t pair = 0; pair < machine.size(); ++pair)
      for (auto* const each : {&before, &after, &again})
        (*each)[pair] *= machine[pair];
    differ += ratio_of_pairs(before, after).differs ? 1 : 0;
    same += ratio_of_pairs(before, again).differs ? 0 : 1;
  }
  EXPECT_GE(differ, 180);
  EXPECT_GE(same, 190);
}

// Of 2^12 ways in which twelve samples can lie around their median, 26 have at most one of them on one of its sides.
TEST(Stats, TheIntervalOfPairsLeavesOutAsManyAsChanceAllows) {
  const auto interval_of = [](std::size_t count) {
    std::vector<double> after(count);
    std::iota(after.rbegin(), after.rend(), 1.0);
    const Ratio ratio = ratio_of_pairs(std::vector<double>(count, 1), after);
    return std::pair(ratio.low, ratio.high);
  };
  EXPECT_EQ(interval_of(12), std::pair(2.0, 11.0));
  EXPECT_EQ(interval_of(3), std::pair(1.0, 3.0));
  EXPECT_EQ(interval_of(1), std::pair(1.0, 1.0));
  EXPECT_EQ(interval_of(2000), std::pair(942.0, 1059.0));
}

TEST(Stats, WhatIsBelowTheFloorDoesNotDiffer) {
  const Ratio ratio = ratio_of(around(100, 0.01, 12, 1), around(100.5, 0.01, 12, 2));
  EXPECT_GT(ratio.low, 1);
  EXPECT_FALSE(ratio.differs);
  EXPECT_TRUE(ratio_of(around(100, 0.01, 12, 1), around(100.5, 0.01, 12, 2), 0.001).differs);
}

TEST(Stats, NothingToCompareIsNoDifference) {
  EXPECT_FALSE(ratio_of_pairs({}, around(1, 0, 3, 1)).differs);
  EXPECT_FALSE(ratio_of({}, around(1, 0, 3, 1)).differs);
  EXPECT_FALSE(ratio_of(std::vector<double>{0, 0}, around(1, 0, 3, 1)).differs);
}

TEST(Histogram, QuantilesAreWithinThreePercent) {
  Histogram histogram;
  for (int k = 1; k <= 10'000; ++k)
    histogram.add(k * 100.0);
  EXPECT_EQ(histogram.count(), 10'000U);
  EXPECT_NEAR(histogram.quantile(0.5), 500'000, 17'000);
  EXPECT_NEAR(histogram.quantile(0.99), 990'000, 33'000);
  EXPECT_EQ(histogram.quantile(1), 1'000'000);
  EXPECT_EQ(histogram.max(), 1'000'000);
}

TEST(Histogram, TakesWhatLiesOutsideItsRange) {
  Histogram histogram;
  histogram.add(0);
  histogram.add(1e15);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(Histogram().quantile(0.5), 0);
}

TEST(Histogram, ComesBackFromItsBuckets) {
  Histogram histogram;
  std::minstd_rand engine;
  for (int k = 0; k < 1000; ++k)
    histogram.add(static_cast<double>(engine() % 1'000'000 + 1));
  Histogram copy;
  for (const Bucket& bucket : histogram.buckets())
    copy.add_bucket(bucket);
  ASSERT_EQ(copy.buckets().size(), histogram.buckets().size());
  for (std::size_t k = 0; k < copy.buckets().size(); ++k) {
    EXPECT_EQ(copy.buckets()[k].upto, histogram.buckets()[k].upto);
    EXPECT_EQ(copy.buckets()[k].count, histogram.buckets()[k].count);
  }
}

}  // namespace
}  // namespace lingate::bench
