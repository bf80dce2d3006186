#include "gateway/bench/load/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bench_load/server.h"

namespace lingate::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

LoopPlan plan_for(const Server& server, unsigned connections) {
  LoadOptions options;
  options.url = server.url();
  options.timeout = milliseconds(2000);
  const auto target = find_target(options);
  EXPECT_TRUE(target) << target.error().message;
  return {.target = target.value_or(Target{}),
          .connections = connections,
          .most_connections = connections,
          .warmup = milliseconds(0),
          .duration = milliseconds(200)};
}

const LoopProgress kSilent = [](double) {};

double quantile(const LoopResult& result, double of) {
  return result.tally.latency().quantile(of) / 1e6;  // ms
}

Server::Answer stalls_once(unsigned at) {
  return [at](unsigned number) {
    if (number == at) std::this_thread::sleep_for(milliseconds(200));  // the stall itself
    return length_reply();
  };
}

TEST(OpenLoop, ShowsAStall) {
  Server server(stalls_once(50));
  LoopPlan plan = plan_for(server, 4);
  plan.duration = milliseconds(800);
  const LoopResult result = run_open(plan, 250, kSilent);
  EXPECT_EQ(result.tally.errors(), 0U);
  EXPECT_GE(quantile(result, 0.999), 190);
  EXPECT_GE(quantile(result, 0.9), 50);  // a quarter of the requests were due while it lasted
}

TEST(ClosedLoop, HidesAStall) {
  Server server(stalls_once(50));
  LoopPlan plan = plan_for(server, 1);
  plan.duration = milliseconds(800);
  const LoopResult result = run_closed(plan, kSilent);
  EXPECT_EQ(result.tally.errors(), 0U);
  EXPECT_LT(quantile(result, 0.5), 50);
  EXPECT_LT(quantile(result, 0.9), 50);
  EXPECT_GE(result.tally.latency().max() / 1e6, 190);
}

TEST(OpenLoop, SendsWhatIsDueAndNoMore) {
  Server server([](unsigned) { return length_reply(); });
  const LoopResult result = run_open(plan_for(server, 4), 1000, kSilent);
  EXPECT_EQ(result.tally.calls(), 200U);
  EXPECT_EQ(server.requests(), 200U);
  EXPECT_EQ(result.lateness.count(), 200U);
}

TEST(OpenLoop, BringsConnectionsWhereNoneIsIdle) {
  Server server(stalls_once(20));
  LoopPlan plan = plan_for(server, 2);
  plan.most_connections = 16;
  plan.duration = milliseconds(400);
  const LoopResult result = run_open(plan, 250, kSilent);
  EXPECT_EQ(result.connections, 16U);
  EXPECT_EQ(result.tally.errors(), 0U);
  EXPECT_EQ(server.requests(), 100U);
}

TEST(OpenLoop, TellsThatTheServerCannotKeepUp) {
  Server server([](unsigned) {
    std::this_thread::sleep_for(milliseconds(5));  // 200 a second, at most
    return length_reply();
  });
  LoopPlan plan = plan_for(server, 2);
  plan.target.timeout = milliseconds(500);
  const LoopResult result = run_open(plan, 2000, kSilent);
  EXPECT_GT(result.tally.errors(FaultKind::behind), 0U);
  EXPECT_THAT(result.tally.error().message, HasSubstr("cannot keep up with this rate"));
}

TEST(ClosedLoop, CountsEveryRequest) {
  Server server([](unsigned) { return length_reply(); });
  const LoopResult result = run_closed(plan_for(server, 4), kSilent);
  EXPECT_GT(result.tally.calls(), 4U);
  EXPECT_EQ(result.tally.calls(), server.requests());
  EXPECT_EQ(server.connections(), 5U);  // one to find out that it is there
  EXPECT_EQ(result.reconnects, 0U);
}

TEST(ClosedLoop, LeavesWarmUpOut) {
  Server server([](unsigned) { return length_reply(); });
  LoopPlan plan = plan_for(server, 2);
  plan.warmup = milliseconds(100);
  const LoopResult result = run_closed(plan, kSilent);
  EXPECT_LT(result.tally.calls(), server.requests());
  EXPECT_EQ(result.tally.answers(), server.requests());
}

TEST(Loop, ReportsProgressToItsEnd) {
  Server server([](unsigned) { return length_reply(); });
  double last = 0;
  run_open(plan_for(server, 1), 100, [&](double part) {
    EXPECT_GE(part, last);
    last = part;
  });
  EXPECT_EQ(last, 1);
}

}  // namespace
}  // namespace lingate::bench
