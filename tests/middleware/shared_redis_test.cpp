// Limits of several gateways over a real Redis, from many threads at once.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "middleware/limits/shared_counts.h"
#include "store/redis/redis_store.h"
#include "tests/runtimes/test_loop.h"
#include "tests/support/redis.h"

namespace lingate::middleware::limits {
namespace {

using namespace std::chrono_literals;

struct Asker final : SharedCounts::Asker {
  void counted(const std::optional<SharedCounts::Decision>& decision) noexcept override {
    answered = true;
    allowed = decision && decision->allowed;
    unknown = !decision;
  }
  bool answered = false, allowed = false, unknown = false;
};

// Asks for one unit `times` times, some of them at once; how many were let through.
int ask(SharedCounts& counts, std::size_t times, std::atomic<int>& unknown) {
  constexpr std::size_t kAtOnce = 5;
  test::TestLoop loop;
  int allowed = 0;
  for (std::size_t asked = 0; asked < times; asked += kAtOnce) {
    Asker askers[kAtOnce];
    for (Asker& each : askers) {
      const auto made = counts.ask(loop, each, {{1, 1}, "shared", store::SharedRate{.one = 3600e6, .burst = 60}});
      if (!made.waits) each.counted(made.decision);
    }
    for (Asker& each : askers) {
      EXPECT_TRUE(loop.run_until([&] { return each.answered; }));
      allowed += each.allowed ? 1 : 0;
      unknown += each.unknown ? 1 : 0;
    }
  }
  return allowed;
}

TEST(SharedOverRedis, CountsExactlyWhoeverAsks) {
  constexpr int kGateways = 2, kThreads = 3;
  const Redis redis;
  std::vector<std::unique_ptr<store::Store>> stores;
  std::vector<std::unique_ptr<SharedCounts>> counts;
  for (int k = 0; k < kGateways; ++k) {
    stores.push_back(store::open_redis_store(redis.options()).value());
    counts.push_back(std::make_unique<SharedCounts>(*stores.back(), *stores.back()->counts(), 5s));
  }
  std::atomic<int> allowed = 0, unknown = 0;
  std::vector<std::thread> threads;
  for (int k = 0; k < kGateways * kThreads; ++k)
    threads.emplace_back([&, k] { allowed += ask(*counts[static_cast<std::size_t>(k) % kGateways], 30, unknown); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(allowed, 60);
  EXPECT_EQ(unknown, 0);
}

TEST(SharedOverRedis, EndsWhileQuestionsAreOnTheirWay) {
  const Redis redis;
  auto shared_store = store::open_redis_store(redis.options()).value();
  Asker asker;
  test::TestLoop loop;
  auto counts = std::make_unique<SharedCounts>(*shared_store, *shared_store->counts(), 5s);
  for (std::uint64_t caller = 1; caller < 100; ++caller)
    counts->ask(loop, asker, {{caller, caller}, "c" + std::to_string(caller), store::SharedRate{.one = 1, .burst = 1}});
  counts->close();
  counts.reset();
  shared_store.reset();
}

}  // namespace
}  // namespace lingate::middleware::limits
