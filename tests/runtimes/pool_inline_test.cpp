#include <gtest/gtest.h>

#include "tests/runtimes/pool_stage.h"

namespace lingate::runtimes {
namespace {

using namespace test;

PoolOptions inline_options() {
  return {.placement = Placement::inline_, .budget = 20ms, .wait = 200ms, .timeout = 2s};
}

TEST(InlinePool, FinishesACallAtOnce) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("hello");
  EXPECT_EQ(stage.pool->call(stage.loop, call), RuntimePool::Started::finished);
  call.take();
  EXPECT_EQ(call.body, "hello");
  EXPECT_EQ(call.completions, 0);
  EXPECT_EQ(stage.loop.armed(), 1U);  // the one that tidies up
}

TEST(InlinePool, LetsTheCollectorWorkWhenItIsIdle) {
  Stage stage(inline_options());
  stage.make();
  stage.runtime.script.idle_steps_wanted = 3;
  TestCall call("hello");
  stage.pool->call(stage.loop, call);
  EXPECT_EQ(stage.runtime.script.idle_steps, 0) << "not while calls may follow";
  EXPECT_TRUE(stage.loop.run_until([&] { return stage.loop.armed() == 0; }));
  EXPECT_EQ(stage.runtime.script.idle_steps, 3);
}

TEST(InlinePool, LoadsOneInstanceForEachWorker) {
  PoolOptions options = inline_options();
  options.workers = 3;
  Stage stage(options);
  stage.make();
  EXPECT_EQ(stage.runtime.script.instances, 3);
  EXPECT_EQ(stage.pool->counters().idle, 3U);
}

TEST(InlinePool, ReportsALoadThatFails) {
  Stage stage(inline_options());
  stage.runtime.script.failing_loads = 1;
  auto made = RuntimePool::make(stage.runtime, Script{.path = "t.test", .source = {}, .config = {}, .limits = {}},
                                stage.options, stage.host, stage.watchdog);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "no luck");
  EXPECT_EQ(made.error().line, 7U);
}

TEST(InlinePool, SuspendsAndResumes) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("sleep sleep sleep");
  ASSERT_TRUE(stage.start(call));
  ASSERT_TRUE(stage.loop.run_until([&] { return call.done; }));
  EXPECT_EQ(call.body, "sleep sleep sleep");
  EXPECT_EQ(call.completions, 1);
}

TEST(InlinePool, InterleavesSuspendedCallsAndOthers) {
  Stage stage(inline_options());
  stage.make();
  std::vector<std::unique_ptr<TestCall>> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(std::make_unique<TestCall>((i % 2 ? "sleep " : "sleep sleep ") + std::to_string(i)));
    ASSERT_TRUE(stage.start(*calls.back()));
    TestCall quick("quick " + std::to_string(i));
    ASSERT_FALSE(stage.start(quick));
    EXPECT_EQ(quick.body, "quick " + std::to_string(i));
  }
  for (const auto& call : calls) {
    const std::string sent = call->words;
    ASSERT_TRUE(stage.loop.run_until([&] { return call->done; }));
    EXPECT_EQ(call->body, sent);
    EXPECT_EQ(call->completions, 1);
  }
}

TEST(InlinePool, StopsACallAtItsBudgetAndServesTheNext) {
  Stage stage(inline_options());
  stage.make();
  TestCall spin("spin");
  const auto begin = Clock::now();
  EXPECT_FALSE(stage.start(spin));
  EXPECT_GE(Clock::now() - begin, 20ms);
  EXPECT_EQ(spin.failure, FailureKind::timeout);
  TestCall innocent("innocent");
  EXPECT_FALSE(stage.start(innocent));
  EXPECT_EQ(innocent.body, "innocent");
  EXPECT_EQ(stage.pool->counters().failures[2], 1U);
}

TEST(InlinePool, CarriesTheBudgetAcrossSuspensions) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("sleep spin");
  ASSERT_TRUE(stage.run(call));
  EXPECT_EQ(call.failure, FailureKind::timeout);
  EXPECT_GE(call.running(), 15ms);
}

TEST(InlinePool, EndsTheWholeCallAtItsTimeout) {
  PoolOptions options = inline_options();
  options.timeout = 50ms;
  Stage stage(options);
  stage.make();
  TestCall call("sleep-long");
  ASSERT_TRUE(stage.run(call));
  EXPECT_EQ(call.failure, FailureKind::timeout);
  EXPECT_EQ(stage.runtime.script.cancels, 1);
}

TEST(InlinePool, CancelsASuspendedCall) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("sleep-long");
  ASSERT_TRUE(stage.start(call));
  stage.pool->cancel(stage.loop, call);
  EXPECT_EQ(stage.runtime.script.cancels, 1);
  EXPECT_EQ(stage.loop.armed(), 1U);     // the one that tidies up
  stage.pool->cancel(stage.loop, call);  // harmless
  EXPECT_EQ(call.completions, 0);
}

TEST(InlinePool, ReplacesABrokenInstanceAndLetsCallsWaitForIt) {
  Stage stage(inline_options());
  stage.make();
  TestCall lost("sleep-long");
  ASSERT_TRUE(stage.start(lost));
  TestCall broken("break");
  EXPECT_FALSE(stage.start(broken));
  EXPECT_EQ(broken.body, "break");  // its own verdict counts
  TestCall next("next");
  EXPECT_TRUE(stage.start(next));
  ASSERT_TRUE(stage.loop.run_until([&] { return next.done && lost.done; }));
  EXPECT_EQ(next.body, "next");
  EXPECT_EQ(lost.failure, FailureKind::unavailable);
  EXPECT_EQ(stage.runtime.script.loads, 2);
  EXPECT_EQ(stage.runtime.script.instances, 1);
  EXPECT_EQ(stage.pool->counters().replaced, 1U);
}

TEST(InlinePool, SaysUnavailableWhileReplacementsFailAndRecovers) {
  Stage stage(inline_options());
  stage.make();
  stage.runtime.script.failing_loads = 1;
  TestCall broken("break");
  stage.start(broken);
  TestCall waits("waits");
  EXPECT_TRUE(stage.start(waits));
  ASSERT_TRUE(stage.loop.run_until([&] { return waits.done; }));
  EXPECT_EQ(waits.failure, FailureKind::unavailable);
  TestCall at_once("at once");
  EXPECT_FALSE(stage.start(at_once));
  EXPECT_EQ(at_once.failure, FailureKind::unavailable);
  const auto served = [&] {
    TestCall again("again");
    stage.start(again);
    return stage.loop.run_until([&] { return again.done; }) && again.body == "again";
  };
  EXPECT_TRUE(stage.loop.run_until(served));
}

TEST(InlinePool, CancelsACallThatWaitsForAnInstance) {
  Stage stage(inline_options());
  stage.make();
  TestCall broken("break");
  stage.start(broken);
  TestCall waits("waits");
  ASSERT_TRUE(stage.start(waits));
  stage.pool->cancel(stage.loop, waits);
  EXPECT_TRUE(stage.loop.run_until([&] { return stage.pool->counters().idle == 1; }));
  EXPECT_EQ(waits.completions, 0);
}

TEST(InlinePool, DiesWithAReplacementUnderWay) {
  Stage stage(inline_options());
  stage.make();
  TestCall broken("break");
  stage.start(broken);
  stage.pool.reset();
  EXPECT_EQ(stage.runtime.script.instances, 0);
  stage.loop.run_pending();
}

TEST(InlinePool, MovesToThreadsAfterThreeSpentBudgets) {
  Stage stage(inline_options());
  stage.make();
  TestCall suspended("sleep sleep sleep");
  ASSERT_TRUE(stage.start(suspended));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(stage.pool->counters().demoted);
    TestCall spin("spin");
    EXPECT_FALSE(stage.start(spin));
  }
  EXPECT_TRUE(stage.pool->counters().demoted);
  ASSERT_EQ(stage.host.lines().size(), 1U);
  EXPECT_NE(stage.host.lines()[0].find("moved from inline to thread"), std::string::npos);
  TestCall next("next");
  EXPECT_TRUE(stage.start(next));  // on a thread now
  ASSERT_TRUE(stage.loop.run_until([&] { return next.done && suspended.done; }));
  EXPECT_EQ(next.body, "next");
  EXPECT_EQ(suspended.body, "sleep sleep sleep");
  TestCall last("last");
  ASSERT_TRUE(stage.run(last));
  EXPECT_EQ(stage.runtime.script.instances, 1);  // the inline one is gone
}

TEST(InlinePool, SaysThatTheBudgetIsSpentWhereACallSuspendsWithNothingLeft) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("linger sleep-long");
  ASSERT_TRUE(stage.start(call));
  ASSERT_TRUE(stage.loop.run_until([&] { return call.done; }));
  EXPECT_EQ(call.failure, FailureKind::timeout);
  EXPECT_EQ(call.message, "the script ran longer than its budget (20 ms)");
}

TEST(InlinePool, CountsCallsAndFailures) {
  Stage stage(inline_options());
  stage.make();
  for (int i = 0; i < 5; ++i) {
    TestCall call(i < 3 ? "ok" : "fail");
    stage.start(call);
  }
  const PoolCounters counters = stage.pool->counters();
  EXPECT_EQ(counters.calls, 5U);
  EXPECT_EQ(counters.failures[1], 2U);
  EXPECT_EQ(counters.memory, 1000U);
  EXPECT_EQ(counters.busy, 0U);
  EXPECT_EQ(counters.queued, 0U);
}

TEST(InlinePool, MayDieInTheCompletionOfItsLastCall) {
  Stage stage(inline_options());
  stage.make();
  TestCall call("sleep");
  call.then = [&] { stage.pool.reset(); };
  ASSERT_TRUE(stage.run(call));
  EXPECT_EQ(stage.runtime.script.instances, 0);
}

}  // namespace
}  // namespace lingate::runtimes
