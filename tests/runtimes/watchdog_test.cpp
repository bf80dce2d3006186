#include "runtimes/watchdog.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace lingate::runtimes {
namespace {

using namespace std::chrono_literals;

// Knows which call it is in, and whether an interrupt came while it was in none or in another.
class Target final : public Interruptible {
 public:
  void interrupt() noexcept override {
    ++hits;
    if (!running) ++strays;
  }
  std::atomic<bool> running{false};
  std::atomic<int> hits{0};
  std::atomic<int> strays{0};
};

TEST(Watchdog, FiresAfterTheDeadlineAndNotBefore) {
  Watchdog watchdog(1ms);
  Target target;
  Watch watch(watchdog, target);
  const auto deadline = Clock::now() + 20ms;
  target.running = true;
  watch.arm(deadline);
  while (target.hits == 0)
    std::this_thread::yield();
  EXPECT_GE(Clock::now(), deadline);
  EXPECT_TRUE(watch.disarm());
  EXPECT_EQ(target.hits, 1);
}

TEST(Watchdog, LeavesACallAloneThatEndsInTime) {
  Watchdog watchdog(1ms);
  Target target;
  Watch watch(watchdog, target);
  for (int i = 0; i < 1000; ++i) {
    watch.arm(Clock::now() + 10s);
    EXPECT_FALSE(watch.disarm());
  }
  EXPECT_EQ(target.hits, 0);
}

TEST(Watchdog, TellsOnceOfACallThatAnInterruptDoesNotEnd) {
  Watchdog watchdog(1ms);
  Target target;
  std::atomic<int> told{0};
  Watch watch(watchdog, target, [&] { ++told; });
  watch.arm(Clock::now() + 10s);
  EXPECT_FALSE(watch.disarm());
  const auto begin = Clock::now();
  watch.arm(begin);
  while (told == 0)
    std::this_thread::sleep_for(1ms);
  EXPECT_GE(Clock::now() - begin, Watch::kHeld);
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(watch.disarm());
  EXPECT_EQ(told, 1);
}

TEST(Watchdog, ReportsNothingForAWatchThatWasNeverArmed) {
  Watchdog watchdog(1ms);
  Target target;
  Watch watch(watchdog, target);
  EXPECT_FALSE(watch.disarm());
}

TEST(Watchdog, WakesWhenItHasParked) {
  Watchdog watchdog(1ms);
  Target target;
  Watch watch(watchdog, target);
  for (int round = 0; round < 3; ++round) {
    // Longer than the ticks after which it parks; should it not have parked yet, the test holds as well.
    std::this_thread::sleep_for(60ms);
    target.running = true;
    watch.arm(Clock::now() + 5ms);
    const int before = round;
    while (target.hits == before)
      std::this_thread::yield();
    EXPECT_TRUE(watch.disarm());
    target.running = false;
  }
  EXPECT_EQ(target.strays, 0);
}

// Calls that end within microseconds of their deadline, each followed by one with plenty of time, on several threads:
// an interrupt never comes outside the call that it is meant for, and disarm() tells of each.
TEST(Watchdog, NeverHitsAnInnocentCall) {
  Watchdog watchdog(100us);
  const auto calls = [&](unsigned seed) {
    Target target;
    Watch watch(watchdog, target);
    std::mt19937 random(seed);
    int told = 0;
    for (int i = 0; i < 20000; ++i) {
      const auto length = std::chrono::microseconds(random() % 60);
      const auto begin = Clock::now();
      target.running = true;
      watch.arm(begin + length);
      while (Clock::now() - begin < length) {
      }
      const bool fired = watch.disarm();
      target.running = false;
      told += fired ? 1 : 0;
      const int before = target.hits;
      watch.arm(Clock::now() + 10s);
      EXPECT_FALSE(watch.disarm());
      ASSERT_EQ(target.hits, before) << "an innocent call was interrupted";
      ASSERT_EQ(target.hits, told);
    }
    EXPECT_EQ(target.strays, 0);
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed)
    threads.emplace_back(calls, seed);
  for (std::thread& thread : threads)
    thread.join();
}

TEST(Watchdog, TakesWatchesThatComeAndGo) {
  Watchdog watchdog(100us);
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        Target target;
        Watch watch(watchdog, target);
        target.running = true;
        watch.arm(Clock::now() + 50us);
        if (i % 3 == 0) {
          while (target.hits == 0)
            std::this_thread::yield();
          EXPECT_TRUE(watch.disarm());
        } else {
          EXPECT_EQ(watch.disarm(), target.hits == 1);
        }
      }
    });
  for (std::thread& thread : threads)
    thread.join();
}

}  // namespace
}  // namespace lingate::runtimes
