#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "runtimes/echo/echo.h"
#include "tests/runtimes/pool_stage.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace lingate::runtimes {
namespace {

using namespace test;

PoolOptions thread_options() {
  return {.placement = Placement::thread, .budget = 30ms, .wait = 150ms, .timeout = 2s, .instances = 1};
}

TEST(ThreadPool, AnswersOnTheLoop) {
  Stage stage(thread_options());
  stage.make();
  TestCall call("hello");
  const auto here = std::this_thread::get_id();
  std::thread::id there;
  call.then = [&] { there = std::this_thread::get_id(); };
  ASSERT_TRUE(stage.start(call));
  ASSERT_TRUE(stage.loop.run_until([&] { return call.done; }));
  EXPECT_EQ(call.body, "hello");
  EXPECT_EQ(call.input, TestCall("hello").input);  // the buffer came back
  EXPECT_EQ(here, there);
  EXPECT_EQ(stage.loop.armed(), 0U);
}

TEST(ThreadPool, ReportsALoadThatFails) {
  PoolOptions options = thread_options();
  options.instances = 3;
  Stage stage(options);
  stage.runtime.script.failing_loads = 1;
  auto made = RuntimePool::make(stage.runtime, Script{.path = "t.test", .source = {}, .config = {}, .limits = {}},
                                stage.options, stage.host, stage.watchdog);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "no luck");
  EXPECT_EQ(stage.runtime.script.instances, 0);
}

TEST(ThreadPool, ServesManyCallsWithSuspensions) {
  PoolOptions options = thread_options();
  options.instances = 3;
  options.wait = 10s;
  options.budget = 1s;
  Stage stage(options);
  stage.make();
  std::vector<std::unique_ptr<TestCall>> calls;
  for (int i = 0; i < 300; ++i) {
    std::string what = std::to_string(i);
    for (int sleeps = i % 4; sleeps > 0; --sleeps)
      what = "sleep " + what;
    calls.push_back(std::make_unique<TestCall>(std::move(what)));
    ASSERT_TRUE(stage.start(*calls.back()));
  }
  for (const auto& call : calls) {
    ASSERT_TRUE(stage.loop.run_until([&] { return call->done; }));
    EXPECT_EQ(call->body, call->words);
    EXPECT_EQ(call->completions, 1);
  }
  EXPECT_EQ(stage.pool->counters().calls, 300U);
}

TEST(ThreadPool, OneSlotServesOthersWhileCallsAreSuspended) {
  Stage stage(thread_options());
  stage.make();
  TestCall asleep("sleep-long");
  ASSERT_TRUE(stage.start(asleep));
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
  EXPECT_FALSE(asleep.done);
  stage.pool->cancel(stage.loop, asleep);
  ASSERT_TRUE(stage.loop.run_until([&] { return stage.runtime.script.cancels == 1; }));
  stage.loop.run_pending();
  EXPECT_EQ(asleep.completions, 0);
}

TEST(ThreadPool, StopsACallAtItsBudget) {
  Stage stage(thread_options());
  stage.make();
  TestCall spin("spin");
  ASSERT_TRUE(stage.run(spin));
  EXPECT_EQ(spin.failure, FailureKind::timeout);
  EXPECT_EQ(stage.runtime.script.loads, 1);  // it was stopped, not replaced
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
}

TEST(ThreadPool, RefusesWhatWaitsTooLong) {
  PoolOptions options = thread_options();
  options.budget = 10s;
  Stage stage(options);
  stage.make();
  TestCall blocked("block");
  ASSERT_TRUE(stage.start(blocked));
  stage.runtime.script.gate.wait_for_someone();
  TestCall waits("waits");
  const auto begin = Clock::now();
  ASSERT_TRUE(stage.run(waits));
  EXPECT_EQ(waits.failure, FailureKind::unavailable);
  EXPECT_GE(Clock::now() - begin, 150ms);
  EXPECT_FALSE(blocked.done);
  stage.runtime.script.gate.open();
  ASSERT_TRUE(stage.loop.run_until([&] { return blocked.done; }));
  EXPECT_EQ(blocked.body, "block");
}

TEST(ThreadPool, AnswersForAStuckInstanceAndReplacesIt) {
  Stage stage(thread_options());
  stage.make();
  TestCall stuck("block");
  const auto begin = Clock::now();
  ASSERT_TRUE(stage.run(stuck));
  const auto took = Clock::now() - begin;
  EXPECT_EQ(stuck.failure, FailureKind::timeout);
  EXPECT_GE(took, 30ms);
  EXPECT_EQ(stuck.completions, 1);
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");  // although the first has not returned
  EXPECT_TRUE(stage.runtime.script.gate.someone_waits());
  EXPECT_EQ(stage.pool->counters().replaced, 1U);
  stage.runtime.script.gate.open();
  EXPECT_TRUE(stage.loop.run_until([&] { return stage.runtime.script.instances == 1; }));  // the old one has gone
  EXPECT_EQ(stuck.completions, 1);
}

TEST(ThreadPool, WaitsWhereAllInstancesShareOneInterpreter) {
  Stage stage(thread_options());
  stage.runtime.script.independent = false;
  stage.make();
  TestCall stuck("block");
  ASSERT_TRUE(stage.run(stuck));
  EXPECT_EQ(stuck.failure, FailureKind::timeout);
  TestCall held_up("held up");
  ASSERT_TRUE(stage.run(held_up));
  EXPECT_EQ(held_up.failure, FailureKind::unavailable);
  EXPECT_EQ(stage.runtime.script.loads, 1);
  stage.runtime.script.gate.open();
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
}

TEST(ThreadPool, SaysUnavailableForThoseWhoOnlyWaitForTheInterpreter) {
  PoolOptions options = thread_options();
  options.instances = 2;
  Stage stage(options);
  stage.runtime.script.independent = false;
  stage.make();
  TestCall holder("block");
  TestCall other("block");
  ASSERT_TRUE(stage.start(holder));
  stage.runtime.script.gate.wait_for_someone();
  ASSERT_TRUE(stage.start(other));
  ASSERT_TRUE(stage.loop.run_until([&] { return holder.done && other.done; }));
  EXPECT_EQ(holder.failure, FailureKind::timeout);
  EXPECT_EQ(other.failure, FailureKind::unavailable);
  stage.runtime.script.gate.open();
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
}

TEST(ThreadPool, FailsWhatIsSuspendedInAnInstanceThatIsReplaced) {
  Stage stage(thread_options());
  stage.make();
  std::string sleeps;
  for (int i = 0; i < 1000; ++i)
    sleeps += "sleep ";
  TestCall lost(sleeps);
  ASSERT_TRUE(stage.start(lost));
  TestCall broken("break");
  ASSERT_TRUE(stage.run(broken));
  EXPECT_EQ(broken.body, "break");
  ASSERT_TRUE(stage.loop.run_until([&] { return lost.done; }));
  EXPECT_EQ(lost.failure, FailureKind::unavailable);
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
  EXPECT_EQ(stage.runtime.script.instances, 1);
}

TEST(ThreadPool, SaysUnavailableAtOnceWhileReplacementsFail) {
  Stage stage(thread_options());
  stage.make();
  stage.runtime.script.failing_loads = 1;
  TestCall broken("break");
  ASSERT_TRUE(stage.run(broken));
  ASSERT_TRUE(stage.loop.run_until([&] { return stage.pool->counters().idle == 0; }));
  TestCall refused("refused");
  ASSERT_TRUE(stage.run(refused));
  EXPECT_EQ(refused.failure, FailureKind::unavailable);
  const auto served = [&] {
    TestCall again("again");
    return stage.run(again) && again.body == "again";
  };
  EXPECT_TRUE(stage.loop.run_until(served));
  EXPECT_EQ(stage.runtime.script.loads, 3);
}

TEST(ThreadPool, CancelsACallInTheQueue) {
  PoolOptions options = thread_options();
  options.budget = 10s;
  Stage stage(options);
  stage.make();
  TestCall blocked("block");
  ASSERT_TRUE(stage.start(blocked));
  stage.runtime.script.gate.wait_for_someone();
  TestCall queued("queued");
  ASSERT_TRUE(stage.start(queued));
  EXPECT_EQ(stage.pool->counters().queued, 1U);
  stage.pool->cancel(stage.loop, queued);
  EXPECT_EQ(stage.pool->counters().queued, 0U);
  stage.runtime.script.gate.open();
  ASSERT_TRUE(stage.loop.run_until([&] { return blocked.done; }));
  EXPECT_EQ(queued.completions, 0);
}

TEST(ThreadPool, CancelsACallThatRuns) {
  PoolOptions options = thread_options();
  options.budget = 10s;
  Stage stage(options);
  stage.make();
  {
    TestCall running("block sleep");
    ASSERT_TRUE(stage.start(running));
    stage.runtime.script.gate.wait_for_someone();
    stage.pool->cancel(stage.loop, running);
    EXPECT_EQ(stage.loop.armed(), 0U);
  }  // gone, while its instance still works for it
  stage.runtime.script.gate.open();
  EXPECT_TRUE(stage.loop.run_until([&] { return stage.runtime.script.cancels == 1; }));
  TestCall next("next");
  ASSERT_TRUE(stage.run(next));
  EXPECT_EQ(next.body, "next");
}

TEST(ThreadPool, CancelsAResumptionInTheQueue) {
  PoolOptions options = thread_options();
  options.budget = 10s;
  options.wait = 10s;
  Stage stage(options);
  stage.make();
  TestCall asleep("sleep done");
  ASSERT_TRUE(stage.start(asleep));
  TestCall blocked("block");
  ASSERT_TRUE(stage.start(blocked));
  stage.runtime.script.gate.wait_for_someone();
  // The sleep ends while the slot is taken: the resumption queues there.
  const auto until = Clock::now() + 20ms;
  ASSERT_TRUE(stage.loop.run_until([&] { return Clock::now() > until; }));
  EXPECT_FALSE(asleep.done);
  stage.pool->cancel(stage.loop, asleep);
  stage.runtime.script.gate.open();
  ASSERT_TRUE(stage.loop.run_until([&] { return blocked.done && stage.runtime.script.cancels == 1; }));
  EXPECT_EQ(asleep.completions, 0);
}

TEST(ThreadPool, EndsASuspendedCallAtItsTimeout) {
  PoolOptions options = thread_options();
  options.timeout = 50ms;
  Stage stage(options);
  stage.make();
  TestCall call("sleep-long");
  ASSERT_TRUE(stage.run(call));
  EXPECT_EQ(call.failure, FailureKind::timeout);
  EXPECT_TRUE(stage.loop.run_until([&] { return stage.runtime.script.cancels == 1; }));
}

TEST(ThreadPool, DiesWithCallsCancelledUnderWay) {
  PoolOptions options = thread_options();
  options.instances = 2;
  Stage stage(options);
  stage.make();
  TestCall spin("spin");
  TestCall asleep("sleep-long");
  ASSERT_TRUE(stage.start(spin));
  ASSERT_TRUE(stage.start(asleep));
  stage.pool->cancel(stage.loop, spin);
  stage.pool->cancel(stage.loop, asleep);
  stage.pool.reset();
  EXPECT_EQ(stage.runtime.script.instances, 0);
  stage.loop.run_pending();
}

TEST(ThreadPool, EndsWithACallInTheQueue) {
  PoolOptions options = thread_options();
  options.budget = options.wait = 10s;
  Stage stage(options);
  stage.make();
  TestCall spin("spin");
  TestCall queued("queued");
  ASSERT_TRUE(stage.start(spin));
  ASSERT_TRUE(stage.loop.run_until([&] { return stage.pool->counters().busy == 1; }));
  ASSERT_TRUE(stage.start(queued));
  EXPECT_EQ(stage.pool->counters().queued, 1U);
  stage.pool->close();  // as where the loops have ended, with calls of `log` hooks on their way
  EXPECT_EQ(stage.pool->counters().queued, 0U);
  EXPECT_EQ(queued.completions, 0);
}

TEST(ThreadPool, LeavesAThreadBehindThatNothingCanStop) {
  auto stage = std::make_unique<Stage>(thread_options());
#ifdef __SANITIZE_ADDRESS__
  const __lsan::ScopedDisabler left_behind_on_purpose;
#endif
  stage->make();
  auto stuck = std::make_unique<TestCall>("block");
  ASSERT_TRUE(stage->run(*stuck));
  stuck.reset();
  const auto begin = Clock::now();
  stage->pool.reset();
  EXPECT_GE(Clock::now() - begin, RuntimePool::kFarewell);
  ASSERT_EQ(stage->host.lines().size(), 1U);
  EXPECT_NE(stage->host.lines()[0].find("left behind"), std::string::npos);
  stage->runtime.script.gate.open();
  // Its instance is never freed; that the thread has gone through is all that can be seen.
  EXPECT_TRUE(stage->loop.run_until([&] { return !stage->runtime.script.gate.someone_waits(); }));
}

// Calls of every kind from several loops, cancelled at random moments: nothing is answered twice or forgotten.
TEST(ThreadPool, SurvivesARandomCrowd) {
  constexpr std::uint32_t kLoops = 3;
  PoolOptions options = thread_options();
  options.instances = 3;
  options.workers = kLoops;
  options.wait = 5s;
  Stage stage(options);
  RuntimePool& pool = stage.make();
  const auto crowd = [&](std::uint32_t index) {
    TestLoop loop(index);
    std::mt19937 random(index);
    static constexpr std::array<const char*, 6> kKinds{"x", "sleep x", "sleep sleep x", "fail", "x break", "spin"};
    std::vector<std::unique_ptr<TestCall>> calls(12);
    for (int round = 0; round < 400; ++round) {
      auto& call = calls[random() % calls.size()];
      if (call && !call->done) {
        if (random() % 3 == 0) {
          pool.cancel(loop, *call);
          EXPECT_EQ(call->completions, 0);
          call.reset();
        }
        loop.run_pending();
        continue;
      }
      const std::uint32_t kind = random() % 64;
      call = std::make_unique<TestCall>(kKinds[kind == 0 ? 5 : kind == 1 ? 4 : kind % 4]);
      if (pool.call(loop, *call) == RuntimePool::Started::finished) call.reset();
    }
    for (const auto& call : calls) {
      if (!call) continue;
      EXPECT_TRUE(loop.run_until([&] { return call->done; }));
      EXPECT_EQ(call->completions, 1);
      EXPECT_TRUE(call->ok);
    }
    // Cancelled calls that still come home do so before the loop ends.
    const auto until = Clock::now() + 200ms;
    loop.run_until([&] { return Clock::now() > until; });
  };
  std::vector<std::thread> threads;
  for (std::uint32_t index = 0; index < kLoops; ++index)
    threads.emplace_back(crowd, index);
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(pool.counters().queued, 0U);
}

// ---- the echo room, in both placements ----

class EchoPool : public testing::TestWithParam<Placement> {
 protected:
  std::unique_ptr<RuntimePool> make(std::string source) {
    auto made =
        RuntimePool::make(*runtime, Script{.path = "t.echo", .source = std::move(source), .config = {}, .limits = {}},
                          {.placement = GetParam(), .budget = 20ms, .wait = 1s, .timeout = 5s}, host, watchdog);
    return made ? std::move(*made) : nullptr;
  }
  void run(RuntimePool& pool, TestCall& call) {
    if (pool.call(loop, call) == RuntimePool::Started::finished) {
      call.done = true;
      call.take();
    }
    ASSERT_TRUE(loop.run_until([&] { return call.done; }));
  }

  Watchdog watchdog{1ms};
  std::unique_ptr<Runtime> runtime = echo::make_echo(watchdog);
  TestHost host;
  TestLoop loop;
};

INSTANTIATE_TEST_SUITE_P(, EchoPool, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& one) { return one.param == Placement::inline_ ? "Inline" : "Thread"; });

TEST_P(EchoPool, SaysNothingForAnEmptyScript) {
  const auto pool = make("");
  TestCall call;
  run(*pool, call);
  EXPECT_TRUE(call.verdict()->empty());
  EXPECT_TRUE(pool->hooks().has(Hook::request));
}

TEST_P(EchoPool, EditsSleepsAndGoesOn) {
  const auto pool = make("set-header X-Before 1\nsleep 0.005\nset-header X-After 2\n");
  TestCall call;
  run(*pool, call);
  const Verdict& verdict = *call.verdict();
  ASSERT_TRUE(verdict.request);
  ASSERT_EQ(verdict.headers.size(), 2U);
  EXPECT_EQ(verdict.headers[0].name, "X-Before");
  EXPECT_EQ(verdict.headers[1].name, "X-After");
}

TEST_P(EchoPool, IsStoppedAtItsBudget) {
  const auto pool = make("spin\n");
  TestCall call;
  run(*pool, call);
  EXPECT_EQ(call.failure, FailureKind::timeout);
}

TEST_P(EchoPool, NamesTheLineOfAMistake) {
  const Script script{.path = "t.echo", .source = "read-all\nset-haeder A b\n", .config = {}, .limits = {}};
  auto made = runtime->load(script, host);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().line, 2U);
  EXPECT_EQ(made.error().message, "unknown command 'set-haeder'; did you mean 'set-header'?");
}

}  // namespace
}  // namespace lingate::runtimes
