// Arms run and prove their work; figures are looked at for sense, never for size: nothing is timed in a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "gateway/bench/rooms/arm.h"
#include "gateway/bench/rooms/parts.h"
#include "gateway/bench/rooms/plan.h"
#include "gateway/bench/rooms/round.h"

namespace lingate::bench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRuntimes[] = {"echo", "lua", "python", "js"};

TEST(Arms, DoTheirJobInEveryRuntimeAndPlacement) {
  Workshop workshop;
  for (const Job& job : all_jobs())
    for (const char* runtime : kRuntimes)
      for (const char* placement : {"inline", "thread"}) {  // the test is no lingate: no worker processes
        if (!source_of(job, runtime)) continue;
        const ArmName name{runtime, placement, std::string(job.name)};
        auto arm = make_arm(workshop, name);
        ASSERT_TRUE(arm) << name.text() << ": " << arm.error().message;
        EXPECT_THAT(try_arm(workshop, **arm), IsEmpty()) << name.text();
        workshop.stage().leave();
      }
}

TEST(Arms, EveryLanguageHasEveryJob) {
  for (const Job& job : all_jobs())
    for (const char* runtime : {"lua", "python", "js"})
      EXPECT_NE(source_of(job, runtime), nullptr) << runtime << " " << job.name;
}

TEST(Arms, TheNativeOnesDoTheSame) {
  Workshop workshop;
  for (const char* job : {"empty", "header", "body", "early", "compute"}) {
    auto arm = make_arm(workshop, {"native", "", job});
    ASSERT_TRUE(arm);
    EXPECT_THAT(try_arm(workshop, **arm), IsEmpty()) << job;
    workshop.stage().leave();
  }
}

// The proofs can fail: a chain that does nothing passes none of them but that of `empty`.
TEST(Arms, AnArmThatDoesNothingIsFound) {
  Workshop workshop;
  for (const char* job : {"header", "body", "early", "compute"}) {
    Arm idle;
    idle.traffic = traffic_of(*find_job(job));
    idle.check = find_job(job)->check;
    EXPECT_NE(try_arm(workshop, idle), "") << job;
    workshop.stage().leave();
  }
}

TEST(Measure, TellsWhatAFailingScriptSaid) {
  Workshop workshop;
  auto script = workshop.script(
      "lua", {.path = "bad.lua", .source = "return {request = function() error('no luck') end}", .config = {}});
  ASSERT_TRUE(script);
  std::vector<std::unique_ptr<Arm>> arms;
  arms.push_back(std::make_unique<Arm>());
  arms[0]->name = {"lua", "inline", "bad"};
  arms[0]->traffic = usual_traffic();
  arms[0]->chain = middleware::Chain({(*script)->step()});
  arms[0]->check = [](middleware::Exchange&) { return std::string(); };
  const auto figures = measure(workshop, arms, {.slice = std::chrono::milliseconds(1), .sweeps = 1}, [](double) {});
  workshop.stage().leave();
  ASSERT_FALSE(figures);
  EXPECT_THAT(figures.error().message, HasSubstr("lua/inline/bad"));
  EXPECT_THAT(figures.error().message, HasSubstr("no luck"));
}

TEST(Measure, CountsEveryCallAndHasALatencyForEach) {
  Workshop workshop;
  std::vector<std::unique_ptr<Arm>> arms;
  for (const char* runtime : {"echo", "lua"})
    arms.push_back(std::move(*make_arm(workshop, {runtime, "inline", "empty"})));
  double done = 0;
  const auto figures =
      measure(workshop, arms, {.slice = std::chrono::milliseconds(1), .sweeps = 2}, [&](double part) { done = part; });
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(done, 1);
  for (const ArmFigures& each : *figures) {
    EXPECT_GT(each.cpu, 0);
    EXPECT_GT(each.latency.count(), 0U);
    EXPECT_GT(each.calls, each.latency.count());
  }
}

TEST(Parts, AreThereForEveryRuntime) {
  Workshop workshop;
  Splitter splitter(workshop);
  for (const char* runtime : kRuntimes) {
    const auto parts = splitter.split({runtime, "inline", "header"});
    ASSERT_TRUE(parts) << parts.error().message;
    for (const std::string_view part : kParts)
      EXPECT_TRUE(parts->contains(part)) << runtime << " " << part;
    EXPECT_GT(parts->at("encode"), 0) << runtime;
  }
}

TEST(Round, SaysHowFarItIsAndThenItsFigures) {
  Plan plan{.arms = {{"echo", "inline", "empty"}},
            .own = {},
            .measuring = {.slice = std::chrono::milliseconds(1), .sweeps = 2}};
  std::istringstream in;
  std::ostringstream out;
  EXPECT_EQ(run_round(plan_text(plan), in, out), 0);
  std::istringstream lines(out.str());
  std::optional<Answer> answer;
  int steps = 0;
  for (std::string line; std::getline(lines, line);) {
    Said said = said_from(line);
    EXPECT_FALSE(said.error) << *said.error;
    steps += said.done ? 1 : 0;
    answer = std::move(said.answer);
  }
  ASSERT_TRUE(answer);
  EXPECT_GE(steps, 3);
  EXPECT_EQ(answer->arms[0].arm, "echo/inline/empty");
  EXPECT_GT(answer->arms[0].cpu, 0);
}

TEST(Round, AwaitsItsTurnBeforeEachWarmUpAndSlice) {
  Plan plan{.arms = {{"echo", "inline", "empty"}, {"native", "", "empty"}},
            .own = {},
            .measuring = {.slice = std::chrono::milliseconds(1), .sweeps = 2},
            .in_turns = true};
  std::istringstream in(std::string(1000, '\n'));
  std::ostringstream out;
  EXPECT_EQ(run_round(plan_text(plan), in, out), 0);
  std::istringstream lines(out.str());
  std::ptrdiff_t turns = 0;
  for (std::string line; std::getline(lines, line);)
    turns += said_from(line).turn ? 1 : 0;
  EXPECT_EQ(turns, 2 + 2 * 2);
  EXPECT_EQ(in.tellg(), turns);
}

TEST(Round, SaysWhyItCannot) {
  std::istringstream in;
  std::ostringstream out;
  EXPECT_EQ(run_round("{}", in, out), 1);
  EXPECT_THAT(*said_from(out.str()).error, HasSubstr("no plan"));
  EXPECT_THAT(*said_from("garbage").error, HasSubstr("nobody understands"));
}

}  // namespace
}  // namespace lingate::bench
