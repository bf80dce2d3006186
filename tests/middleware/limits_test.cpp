#include "middleware/limits/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "middleware/limits/session_limits.h"
#include "tests/middleware/sessions.h"

namespace lingate::middleware::limits {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Moment kStart = 5'000'000'000'000;
constexpr Moment kSecond = 1'000'000'000;

// ---- the algorithm ----

TEST(Gcra, LetsABurstThroughAndThenTheRate) {
  const Gcra rate({10, seconds(1), 3});
  Gcra::State state;
  for (std::uint64_t left : {2U, 1U, 0U}) {
    const auto decision = rate.take(state, kStart);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
  }
  const auto refused = rate.take(state, kStart);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.wait, kSecond / 10);
  EXPECT_EQ(refused.reset, 3 * kSecond / 10);
  EXPECT_FALSE(rate.take(state, kStart + kSecond / 10 - 1).allowed);
  EXPECT_TRUE(rate.take(state, kStart + kSecond / 10).allowed);
  EXPECT_FALSE(rate.take(state, kStart + kSecond / 10).allowed);
}

TEST(Gcra, ARefusalCostsNothing) {
  const Gcra rate({1, seconds(1), 1});
  Gcra::State state;
  EXPECT_TRUE(rate.take(state, kStart).allowed);
  for (int k = 0; k < 1000; ++k)
    EXPECT_FALSE(rate.take(state, kStart + kSecond / 2).allowed);
  EXPECT_TRUE(rate.take(state, kStart + kSecond).allowed);
}

TEST(Gcra, AWindowHasNoEdgeToUse) {  // twice the rate around the end of a window is what counters by window allow
  const Gcra rate({100, seconds(1), 100});
  Gcra::State state;
  int allowed = 0;
  for (Moment now = kStart + kSecond * 9 / 10; now < kStart + kSecond * 11 / 10; now += kSecond / 1000)
    allowed += rate.take(state, now).allowed ? 1 : 0;
  EXPECT_EQ(allowed, 100 + 19);
}

// Whatever the interval is in nanoseconds, over a long time exactly the rate comes through. (With a burst of one nobody
// could catch up on the part of a nanosecond by which the clock made them late.)
TEST(Gcra, IsExactWhereTheIntervalIsNoWholeNumber) {
  for (const std::uint64_t count : {1ULL, 3ULL, 7ULL, 999ULL, 1'000'003ULL}) {
    const Gcra rate({count, seconds(1), 2});
    Gcra::State state;
    std::uint64_t allowed = 0;
    for (Moment now = kStart;;) {
      const auto decision = rate.take(state, now);
      if (decision.allowed)
        ++allowed;
      else
        now += decision.wait;
      if (now >= kStart + 2 * kSecond) break;
    }
    EXPECT_EQ(allowed, 2 * count + 1) << count;
  }
}

TEST(Gcra, AFullBucketHoldsNoMoreThanTheBurst) {
  const Gcra rate({10, seconds(1), 5});
  Gcra::State state;
  EXPECT_TRUE(rate.take(state, kStart).allowed);
  EXPECT_EQ(rate.take(state, kStart + 3600 * kSecond).remaining, 4U);
}

TEST(Gcra, KeepsToItsNumbersAtTheirEnds) {
  for (const Rate& each : {Rate{Gcra::kMost, milliseconds(1), Gcra::kMost}, Rate{1, hours(24 * 366), Gcra::kMost},
                           Rate{UINT64_MAX, hours(24 * 366), UINT64_MAX}}) {
    const Gcra rate(each);
    Gcra::State state;
    EXPECT_TRUE(rate.take(state, kStart).allowed);
    EXPECT_LE(rate.take(state, kStart).remaining, Gcra::kMost);
  }
  Gcra::State state;
  const auto never = Gcra(Rate{0, seconds(1), 5}).take(state, kStart);
  EXPECT_FALSE(never.allowed);
  EXPECT_EQ(never.wait, kNever);
}

// ---- the table ----

struct Number {
  std::uint64_t value = 0;
  Moment idle = kNever;
  Moment idle_at() const noexcept { return idle; }
};

Key key_number(std::uint64_t number) {
  static const KeyedHash hash(1, 2);
  return hash(number, 0, {});
}

TEST(ShardedTable, FindsWhatAMapFinds) {
  ShardedTable<Number> table(std::size_t{1} << 20U);
  std::map<std::uint64_t, std::uint64_t> map;
  std::mt19937_64 random(7);
  for (int k = 0; k < 200'000; ++k) {
    const std::uint64_t number = random() % 20'000;
    if (random() % 3 == 0) {
      EXPECT_EQ(table.with_present(key_number(number), [](Number&) { return false; }), map.erase(number) == 1);
    } else {
      const std::uint64_t there = table.with(key_number(number), 0, [](Number& value) { return value.value++; });
      EXPECT_EQ(there, map[number]++);
    }
  }
  EXPECT_EQ(table.size(), map.size());
}

TEST(ShardedTable, WhatIsIdleGoesWithNewKeys) {
  ShardedTable<Number> table(std::size_t{1} << 20U);
  for (std::uint64_t k = 0; k < 100'000; ++k)
    table.with(key_number(k), k, [k](Number& value) { return value.idle = k + 1000; });
  EXPECT_LT(table.size(), 100'000U / 4);
}

TEST(ShardedTable, AFullOneDropsWhatIsIdleSoonest) {
  ShardedTable<Number> table(256);  // one in each shard
  std::uint64_t dropped = 0;
  for (std::uint64_t k = 0; k < 10'000; ++k)
    table.with(
        key_number(k), 0, [k](Number& value) { return value.idle = 1'000'000 + k; }, [&](Number&) { ++dropped; });
  EXPECT_LE(table.size(), 256U);
  EXPECT_EQ(dropped, 10'000 - table.size());
}

TEST(ShardedTable, WhatMustStayStays) {
  ShardedTable<Number> table(256);
  for (std::uint64_t k = 0; k < 10'000; ++k)
    table.with(key_number(k), 0, [k](Number& value) { return value.value = k; });
  EXPECT_EQ(table.size(), 10'000U);
}

TEST(KeyedHash, EveryPartAndTheKeyMatter) {
  const KeyedHash hash(1, 2);
  const Key key = hash(1, 2, "abcdefgh");
  EXPECT_EQ(hash(1, 2, "abcdefgh"), key);
  EXPECT_NE(hash(2, 2, "abcdefgh"), key);
  EXPECT_NE(hash(1, 1, "abcdefgh"), key);
  EXPECT_NE(hash(1, 2, "abcdefg"), key);
  EXPECT_NE(hash(1, 2, std::string_view("abcdefgh\0", 9)), key);
  EXPECT_NE(KeyedHash(1, 3)(1, 2, "abcdefgh"), key);
  EXPECT_NE(KeyedHash::of_this_process()(1, 2, "abcdefgh"), KeyedHash::of_this_process()(1, 2, "abcdefgh"));
}

// ---- rates ----

TEST(RateTable, SixtyFourThreadsAtTheLimitGetExactlyTheBurstAndTheRate) {
  Limits limits;
  const Gcra rate({1000, seconds(1), 50});
  const Key key = limits.hash()(1, 0, "one");
  std::atomic<Moment> clock{kStart};
  std::atomic<std::uint64_t> allowed{0};
  const Moment end = kStart + 2 * kSecond;
  const auto client = [&] {
    for (;;) {
      const Moment now = clock.load();
      if (limits.rates().take(key, rate, now).allowed)
        ++allowed;
      else if (now == end)
        return;
      else if (Moment before = now; clock.compare_exchange_strong(before, std::min(end, now + kSecond / 1000)))
        continue;  // nobody gets one any more at this moment, so the next one comes
    }
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 64; ++k)
    threads.emplace_back(client);
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(allowed.load(), 50U + 2000U);
}

#ifdef LINGATE_SANITIZED
constexpr std::uint64_t kManyKeys = 2'000'000;  // enough to be over the bound, and slow enough
#else
constexpr std::uint64_t kManyKeys = 10'000'000;
#endif

TEST(RateTable, TenMillionKeysTakeBoundedMemory) {
  Limits limits;
  const Gcra rate({1, std::chrono::minutes(1), 1});
  for (std::uint64_t k = 0; k < kManyKeys; ++k)
    limits.rates().take(limits.hash()(1, k, {}), rate, kStart + k * 100);
  EXPECT_LE(limits.rates().size(), std::size_t{1} << 20U);
  EXPECT_GE(limits.rates().size(), std::size_t{1} << 19U);
  EXPECT_LE(limits.rates().bytes(), std::size_t{72} << 20U);
  // The last ones are not the first to go.
  EXPECT_FALSE(limits.rates().take(limits.hash()(1, kManyKeys - 1, {}), rate, kStart + kSecond).allowed);
}

TEST(SessionLimits, AreReadOffItsBytes) {
  const auto of = [](const SessionNumbers& numbers) { return rate_of(limits_of(session_with("x", numbers))); };
  EXPECT_FALSE(of({}));
  EXPECT_EQ(of({.rate = 5.0})->count, 5U);
  EXPECT_EQ(of({.rate = 5.0})->per, seconds(1));
  EXPECT_EQ(of({.rate = 5.0})->burst, 5U);
  EXPECT_EQ(of({.rate = 5.0, .per = 60.0, .burst = 7.0})->per, seconds(60));
  EXPECT_EQ(of({.rate = 5.0, .per = 60.0, .burst = 7.0})->burst, 7U);
  EXPECT_EQ(of({.rate = 2.5})->count, 1U);
  EXPECT_EQ(of({.rate = 2.5})->per, milliseconds(400));
  EXPECT_EQ(of({.rate = 0.0})->count, 0U);
  EXPECT_EQ(of({.rate = -1.0})->count, 0U);
  EXPECT_EQ(of({.rate = std::numeric_limits<double>::quiet_NaN()})->count, 0U);
  EXPECT_EQ(of({.rate = 1e300, .per = 1e300, .burst = 1e300})->burst, Gcra::kMost);
}

// ---- in flight ----

TEST(InFlightTable, CountsUpAndDown) {
  Limits limits;
  const Key key = limits.hash()(1, 0, "one");
  EXPECT_TRUE(limits.in_flight().enter(key, 2));
  EXPECT_TRUE(limits.in_flight().enter(key, 2));
  EXPECT_FALSE(limits.in_flight().enter(key, 2));
  limits.in_flight().leave(key);
  EXPECT_TRUE(limits.in_flight().enter(key, 2));
  limits.in_flight().leave(key);
  limits.in_flight().leave(key);
  EXPECT_EQ(limits.in_flight().size(), 0U);
}

}  // namespace
}  // namespace lingate::middleware::limits
