#include "gateway/bench/load/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/bench/load/schedule.h"

namespace lingate::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const LoadClock::time_point kStart{seconds(1000)};

TEST(Schedule, IsEven) {
  const Schedule schedule(kStart, 3000);
  EXPECT_EQ(schedule.due(0), kStart);
  for (std::uint64_t k = 1; k < 100000; ++k) {
    const auto apart = (schedule.due(k) - schedule.due(k - 1)).count();
    ASSERT_TRUE(apart == 333333 || apart == 333334) << k;
  }
}

TEST(Schedule, DoesNotDrift) {
  EXPECT_EQ(Schedule(kStart, 7).due(7 * 86400), kStart + seconds(86400));
  EXPECT_EQ(Schedule(kStart, 20000).due(20000 * 3600), kStart + seconds(3600));
}

// Ten seconds of 1000 requests of 1 ms, but those of the fourth take a second.
Row row_with_a_bad_second() {
  Tally tally;
  tally.measure(kStart, seconds(10));
  for (int k = 0; k < 10000; ++k) {
    const auto began = kStart + milliseconds(k);
    tally.answered(began, began + (k / 1000 == 3 ? milliseconds(1000) : milliseconds(1)));
  }
  Row row;
  tally.fill(row);
  return row;
}

TEST(Tally, ShowsOneBadSecondOfTen) {
  const Row row = row_with_a_bad_second();
  EXPECT_EQ(row.calls, 10000U);
  EXPECT_NEAR(row.figures.at("p50").median, 1e6, 4e4);
  EXPECT_NEAR(row.figures.at("p99").median, 1e9, 4e7);
  EXPECT_NEAR(row.figures.at("p99.9").median, 1e9, 4e7);
  EXPECT_EQ(row.figures.at("max").median, 1e9);
}

TEST(Tally, HasASampleASecondAndAnIntervalAroundTheWhole) {
  const Row row = row_with_a_bad_second();
  ASSERT_EQ(row.figures.size(), 5U);
  for (const auto& [name, figure] : row.figures) {
    EXPECT_EQ(figure.samples.size(), 10U) << name;
    EXPECT_LE(figure.low, figure.median) << name;
    EXPECT_LE(figure.median, figure.high) << name;
  }
  EXPECT_NEAR(row.figures.at("p99").low, 1e6, 4e4);
  EXPECT_EQ(row.figures.at("rate").unit, "1/s");
  EXPECT_NEAR(row.figures.at("rate").median, 1000, 1);
}

TEST(Tally, LeavesWarmUpOut) {
  Tally tally;
  tally.answered(kStart, kStart + milliseconds(1));
  tally.measure(kStart + seconds(1), seconds(1));
  tally.answered(kStart + milliseconds(999), kStart + milliseconds(1001));
  tally.answered(kStart + milliseconds(1000), kStart + milliseconds(1001));
  tally.answered(kStart + milliseconds(2000), kStart + milliseconds(2001));
  EXPECT_EQ(tally.calls(), 1U);
  EXPECT_EQ(tally.answers(), 4U);
}

TEST(Tally, KeepsTheQuantilesOfALongRun) {
  Tally tally;
  tally.measure(kStart, seconds(200));
  for (int k = 0; k < 200; ++k)
    tally.answered(kStart + seconds(k), kStart + seconds(k) + milliseconds(k + 1));
  Row row;
  tally.fill(row);
  const auto& samples = row.figures.at("max").samples;
  ASSERT_EQ(samples.size(), 200U);
  EXPECT_EQ(samples.front(), 1e6);
  EXPECT_EQ(samples.back(), 200e6);
}

TEST(Tally, TellsFaultsByKind) {
  Tally tally;
  tally.answered(kStart, kStart);
  tally.failed({FaultKind::status, "503 Service Unavailable"});
  tally.failed({FaultKind::timeout, "no answer within 5 ms"}, 2);
  EXPECT_EQ(tally.errors(), 3U);
  EXPECT_EQ(
      tally.error().message,
      "3 of 4 requests failed: 2 timed out, 1 got a status of 400 or more; the first: 503 Service "
      "Unavailable; a refusal measures nothing: choose another URL, method or header, or look into the server's log");
}

}  // namespace
}  // namespace lingate::bench
