#include "gateway/http/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace lingate::http {
namespace {

using std::chrono::milliseconds;

struct Probe final : Timer {
  explicit Probe(const Clock::time_point& clock) : now(clock) {}
  void expired() noexcept override {
    ++fired;
    at = now;
  }
  const Clock::time_point& now;
  int fired = 0;
  Clock::time_point at{};
  Clock::time_point wanted{};
};

TEST(TimerWheel, FiresEachOnceNeverEarlyAndAtMostTwoTicksLate) {
  const Clock::time_point start{};
  Clock::time_point now = start;
  TimerWheel wheel(start);
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Probe>> probes;
  for (int k = 0; k < 3000; ++k) {
    auto& probe = *probes.emplace_back(std::make_unique<Probe>(now));
    const int range = k % 3 == 0 ? 100 : k % 3 == 1 ? 20000 : 40000000;
    probe.wanted = start + milliseconds(random() % static_cast<unsigned>(range));
    wheel.arm(probe, probe.wanted);
  }
  while (const auto wake = wheel.wake_at()) {
    now = std::max(now, *wake);
    wheel.advance(now);
  }
  for (const auto& probe : probes) {
    ASSERT_EQ(probe->fired, 1);
    EXPECT_GE(probe->at, probe->wanted);
    EXPECT_LE(probe->at - probe->wanted, 2 * Loop::kTick);
  }
}

TEST(TimerWheel, ForgetsWhatIsDisarmedAndMovesWhatIsArmedAgain) {
  Clock::time_point now{};
  TimerWheel wheel(now);
  Probe gone(now), moved(now);
  wheel.arm(gone, now + milliseconds(50));
  wheel.arm(moved, now + milliseconds(50));
  wheel.disarm(gone);
  wheel.arm(moved, now + milliseconds(5000));
  now += milliseconds(100);
  wheel.advance(now);
  EXPECT_EQ(gone.fired + moved.fired, 0);
  now += milliseconds(5000);
  wheel.advance(now);
  EXPECT_EQ(moved.fired, 1);
  EXPECT_EQ(wheel.armed(), 0U);
}

struct Killer final : Timer {
  Killer(TimerWheel& its, Timer& its_victim) : wheel(its), victim(its_victim) {}
  void expired() noexcept override {
    wheel.disarm(victim);
    ++fired;
    if (fired < 3) wheel.arm(*this, Clock::time_point{});
  }
  TimerWheel& wheel;
  Timer& victim;
  int fired = 0;
};

TEST(TimerWheel, AHandlerMayDisarmAnotherOfItsSlotAndArmItselfAgain) {
  Clock::time_point now{};
  TimerWheel wheel(now);
  Probe victim(now);
  Killer killer(wheel, victim);
  wheel.arm(victim, now + milliseconds(20));
  wheel.arm(killer, now + milliseconds(20));  // the last one linked is the first one fired
  now += milliseconds(100);
  wheel.advance(now);
  EXPECT_EQ(victim.fired, 0);
  EXPECT_EQ(killer.fired, 3);
}

}  // namespace
}  // namespace lingate::http
