#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/codes.h"
#include "tests/middleware/fake_host.h"
#include "tests/middleware/recorder.h"

namespace lingate::middleware {
namespace {

// A chain of recorders, driven as a connection drives it.
class Play {
 public:
  Play(const std::vector<Plan>& plans, Mode mode) : mode_(mode) {
    std::vector<const Middleware*> steps;
    for (const Plan& plan : plans) {
      recorders_.push_back(std::make_unique<Recorder>(plan, mode, trace));
      steps.push_back(recorders_.back().get());
    }
    stage = std::make_unique<Stage>(std::move(steps));
  }

  void request() { drive(stage->exchange.run.request(), stage->host.request_overs); }
  void response() { drive(stage->exchange.run.response(), stage->host.response_overs); }
  void whole() {
    request();
    if (stage->exchange.response.source == Response::Source::none) stage->upstream();
    response();
    stage->exchange.run.log();
  }
  const Recorder& recorder(std::size_t k) const { return *recorders_[k]; }
  Exchange& exchange() { return stage->exchange; }
  std::uint16_t status() const { return stage->exchange.response.status; }

  std::vector<std::string> trace;
  std::unique_ptr<Stage> stage;

 private:
  void drive(ChainRun::Answer answer, int& overs) {
    const int before = overs;
    if (answer == ChainRun::Answer::over) return;
    ASSERT_EQ(mode_, Mode::suspended);
    for (auto waiting = find(); waiting != recorders_.end(); waiting = find())
      (*waiting)->finish(stage->exchange);
    EXPECT_EQ(overs, before + 1) << "the host hears once that a side which waited is over";
  }
  std::vector<std::unique_ptr<Recorder>>::iterator find() {
    return std::find_if(recorders_.begin(), recorders_.end(), [](const auto& r) { return r->waits(); });
  }

  const Mode mode_;
  std::vector<std::unique_ptr<Recorder>> recorders_;
};

struct Case {
  std::string name;
  std::vector<Plan> plans;
  std::vector<std::string> trace;
  std::uint16_t status;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

const std::vector<Case> kCases{
    {"Onion", {{.name = "a"}, {.name = "b"}, {.name = "c"}}, {"+a", "+b", "+c", "-c 200", "-b 200", "-a 200"}, 200},
    {"RefusalRunsTheOuterResponseSidesOnly",
     {{.name = "a"}, {.name = "b", .request = Flow::respond}, {.name = "c"}},
     {"+a", "+b", "-a 401"},
     401},
    {"FailureRunsTheOuterResponseSidesOnly",
     {{.name = "a"}, {.name = "b", .request = Flow::fail}, {.name = "c"}},
     {"+a", "+b", "-a 500"},
     500},
    {"RefusalOfTheFirstStepPassesNobody", {{.name = "a", .request = Flow::respond}, {.name = "b"}}, {"+a"}, 401},
    {"FailingResponseSideGoesOnWithTheOuterSteps",
     {{.name = "a"}, {.name = "b"}, {.name = "c", .response = Flow::fail}},
     {"+a", "+b", "+c", "-c 200", "-b 500", "-a 500"},
     500},
    {"ReplacedResponseIsWhatTheOuterStepsSee",
     {{.name = "a"}, {.name = "b", .response = Flow::respond}, {.name = "c"}},
     {"+a", "+b", "+c", "-c 200", "-b 200", "-a 299"},
     299},
    {"SkippedStepIsNotEntered",
     {{.name = "a"}, {.name = "b", .request = Flow::skip}, {.name = "c"}},
     {"+a", "+b", "+c", "-c 200", "-a 200"},
     200},
    {"SkippedResponseSideChangesNothing",
     {{.name = "a"}, {.name = "b", .response = Flow::skip}, {.name = "c"}},
     {"+a", "+b", "+c", "-c 200", "-b 200", "-a 200"},
     200},
    {"StepWithoutARequestSideIsEntered",
     {{.name = "a", .has_request = false}, {.name = "b", .request = Flow::respond}},
     {"+b", "-a 401"},
     401},
    {"StepWithoutAResponseSideIsPassed",
     {{.name = "a"}, {.name = "b", .has_response = false}},
     {"+a", "+b", "-a 200"},
     200},
    {"StepAfterARefusalIsNeverEnteredEvenWithoutARequestSide",
     {{.name = "a", .request = Flow::respond}, {.name = "b", .has_request = false}},
     {"+a"},
     401},
    {"TwoFailingResponseSides",
     {{.name = "a"}, {.name = "b", .response = Flow::fail}, {.name = "c", .response = Flow::respond}},
     {"+a", "+b", "+c", "-c 200", "-b 299", "-a 500"},
     500},
    {"LogRunsInChainOrderForWhatBegan",
     {{.name = "a", .has_log = true},
      {.name = "b", .request = Flow::respond, .has_log = true},
      {.name = "c", .has_log = true}},
     {"+a", "+b", "-a 401", "log a", "log b"},
     401},
    {"LogRunsForASkippedStep", {{.name = "a", .request = Flow::skip, .has_log = true}}, {"+a", "log a"}, 200},
    {"LogOfAStepWithNothingElseRunsIfTheRequestCameThatFar",
     {{.name = "a", .has_request = false, .has_response = false, .has_log = true},
      {.name = "b", .request = Flow::respond},
      {.name = "c", .has_request = false, .has_response = false, .has_log = true}},
     {"+b", "log a"},
     401},
    {"AccessLogSeesWhatAnEarlierStepRefused",
     {{.name = "a", .request = Flow::respond},
      {.name = "l", .has_request = false, .has_response = false, .has_log = true, .log_unreached = true}},
     {"+a", "log l"},
     401},
    {"EmptyChain", {}, {}, 200},
};

class Onion : public testing::TestWithParam<std::tuple<Case, Mode>> {};

TEST_P(Onion, RunsAsTheContractSays) {
  const auto& [c, mode] = GetParam();
  Play play(c.plans, mode);
  play.whole();
  EXPECT_EQ(play.trace, c.trace);
  EXPECT_EQ(play.status(), c.status);
}

INSTANTIATE_TEST_SUITE_P(Table, Onion,
                         testing::Combine(testing::ValuesIn(kCases), testing::Values(Mode::at_once, Mode::suspended)),
                         [](const auto& each) {
                           return std::get<0>(each.param).name +
                                  (std::get<1>(each.param) == Mode::at_once ? "AtOnce" : "Suspended");
                         });

TEST(ChainRun, GatewayResponsesPassEveryEnteredStep) {
  Play play({{.name = "a"}, {.name = "b"}}, Mode::at_once);
  play.request();
  play.exchange().fail({.code = code::kConnectFailed, .detail = "refused"});
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "-b 502", "-a 502"}));
}

TEST(ChainRun, LongChainsDoNotRecurse) {
  std::vector<Plan> plans(20'000, {.name = "s"});
  Play play(plans, Mode::at_once);
  play.whole();
  EXPECT_EQ(play.trace.size(), 40'000U);
}

// ---- bodies ----

TEST(Buffering, RequestBodyIsThereBeforeTheStepStarts) {
  Play play({{.name = "a", .request_body = true}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.content = "0123456789";
  play.request();
  EXPECT_EQ(play.exchange().request.body.bytes, "0123456789");
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a"}));
}

TEST(Buffering, TooLargeRequestIs413BeforeTheStepStarts) {
  Play play({{.name = "a"}, {.name = "b", .has_log = true, .request_body = true}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.content = "0123456789X";
  play.whole();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "-a 413"}));
  EXPECT_EQ(play.exchange().facts.fault, code::kRequestBodyTooLarge);
}

TEST(Buffering, BodyLimitOfTheRouteCountsBeforeTheStepsOwn) {
  Play play({{.name = "a", .request_body = true}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.exchange().body_limit = 5;
  play.stage->host.content = "012345";
  play.whole();
  EXPECT_EQ(play.stage->host.limits, std::vector<std::size_t>{5});
  EXPECT_EQ(play.exchange().facts.fault, code::kBodyOverLimit);
}

TEST(Buffering, ABodyThatAnEarlierStepCollectedCountsToo) {
  Play play({{.name = "a", .request_body = true, .max_body = 100}, {.name = "b", .request_body = true, .max_body = 3}},
            Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.content = "0123456789";
  play.whole();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "-a 413"}));
}

TEST(Buffering, RequestBodyThatArrivesLaterContinuesTheChain) {
  Play play({{.name = "a", .request_body = true}, {.name = "b"}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.buffering = Buffering::wait;
  EXPECT_EQ(play.exchange().run.request(), ChainRun::Answer::wait);
  EXPECT_TRUE(play.exchange().run.waiting());
  play.stage->host.content = "late";
  play.stage->host.arrive(play.exchange().request.body);
  play.exchange().run.buffered(Buffering::ready);
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b"}));
  EXPECT_EQ(play.stage->host.request_overs, 1);
}

TEST(Buffering, TooLargeResponseIs502ForTheOuterSteps) {
  Play play({{.name = "a"}, {.name = "b", .response_body = true}, {.name = "c"}}, Mode::at_once);
  play.request();
  play.stage->upstream(200, streaming());
  play.stage->host.content = "0123456789X";
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "+c", "-c 200", "-a 502"}));
  EXPECT_EQ(play.exchange().facts.fault, code::kResponseBodyTooLarge);
}

TEST(Buffering, TooLargeResponseStreamsPastUnderContinue) {
  Play play({{.name = "a"}, {.name = "b", .response_body = true, .streams = true}}, Mode::at_once);
  play.request();
  play.stage->upstream(200, streaming());
  play.stage->host.content = "0123456789X";
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "-a 200"}));
  EXPECT_EQ(play.exchange().response.body.kind, Body::Kind::stream);
  EXPECT_EQ(play.exchange().facts.fault, 0);
}

TEST(Buffering, AStepWithAWiderLimitMayStillHaveTheBody) {
  Play play({{.name = "a", .response_body = true, .max_body = 100},
             {.name = "b", .response_body = true, .max_body = 5, .streams = true}},
            Mode::at_once);
  play.request();
  play.stage->upstream(200, streaming());
  play.stage->host.content = "0123456789";
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "-a 200"}));
  EXPECT_EQ(play.exchange().response.body.bytes, "0123456789");
}

TEST(Buffering, AResponseWithoutABodyIsNotWaitedFor) {
  Play play({{.name = "a", .response_body = true}}, Mode::at_once);
  play.whole();
  EXPECT_TRUE(play.stage->host.limits.empty());
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "-a 200"}));
}

TEST(Buffering, AClientThatBreaksOffStopsTheRunWithoutACall) {
  Play play({{.name = "a", .request_body = true}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.buffering = Buffering::wait;
  EXPECT_EQ(play.exchange().run.request(), ChainRun::Answer::wait);
  play.exchange().run.buffered(Buffering::failed);
  EXPECT_EQ(play.stage->host.request_overs, 0);
  EXPECT_TRUE(play.trace.empty());
}

TEST(Buffering, ASlowClientsRefusalPassesTheEnteredSteps) {
  Play play({{.name = "a"}, {.name = "b", .request_body = true}}, Mode::at_once);
  play.exchange().request.body = streaming();
  play.stage->host.buffering = Buffering::wait;
  EXPECT_EQ(play.exchange().run.request(), ChainRun::Answer::wait);
  play.exchange().fail({.code = code::kRequestTimeout, .detail = {}});
  play.exchange().run.buffered(Buffering::failed);
  EXPECT_EQ(play.stage->host.request_overs, 1);
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "-a 408"}));
}

TEST(Buffering, AnUpstreamThatBreaksOffBecomes502ForTheOuterSteps) {
  Play play({{.name = "a"}, {.name = "b", .response_body = true}}, Mode::at_once);
  play.request();
  play.stage->upstream(200, streaming());
  play.stage->host.buffering = Buffering::wait;
  EXPECT_EQ(play.exchange().run.response(), ChainRun::Answer::wait);
  play.exchange().fail({.code = code::kResponseCut, .detail = {}});
  play.exchange().run.buffered(Buffering::failed);
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "-a 502"}));
  EXPECT_EQ(play.stage->host.response_overs, 1);
}

// ---- abandon ----

TEST(Abandon, TellsTheStepThatWaitsAndNobodyElse) {
  Play play({{.name = "a"}, {.name = "b"}}, Mode::suspended);
  EXPECT_EQ(play.exchange().run.request(), ChainRun::Answer::wait);
  play.exchange().run.abandon();
  EXPECT_FALSE(play.exchange().run.waiting());
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "release a"}));
  EXPECT_EQ(play.stage->host.request_overs, 0);
}

TEST(Abandon, ARouteTimeoutPassesTheStepsThatWereEntered) {
  std::vector<std::string> trace;
  Recorder first({.name = "a"}, Mode::at_once, trace);
  Recorder second({.name = "b"}, Mode::suspended, trace);
  Stage stage({&first, &second});
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::wait);
  stage.exchange.run.abandon();
  stage.exchange.fail({.code = code::kRouteTimeout, .detail = {}});
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
  EXPECT_EQ(trace, (std::vector<std::string>{"+a", "+b", "release b", "-a 504"}));
}

TEST(Abandon, OnTheResponseSideGoesOnOutsideTheStepThatWaited) {
  std::vector<std::string> trace;
  Recorder first({.name = "a"}, Mode::at_once, trace);
  Recorder second({.name = "b", .has_request = false}, Mode::suspended, trace);
  Stage stage({&first, &second});
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::over);
  stage.upstream();
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::wait);
  stage.exchange.run.abandon();
  stage.exchange.fail({.code = code::kRouteTimeout, .detail = {}});
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
  EXPECT_EQ(trace, (std::vector<std::string>{"+a", "-b 200", "release b", "-a 504"}));
}

TEST(Abandon, IsHarmlessWhenNothingWaits) {
  Play play({{.name = "a"}}, Mode::at_once);
  play.request();
  play.exchange().run.abandon();
  play.stage->upstream();
  play.response();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "-a 200"}));
}

TEST(Abandon, EndOfTheExchangeDropsAStepThatWaits) {
  Play play({{.name = "a"}}, Mode::suspended);
  EXPECT_EQ(play.exchange().run.request(), ChainRun::Answer::wait);
  play.exchange().end();
  EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "release a"}));
}

// ---- the rest ----

TEST(ChainRun, AsksForIdentityOnlyIfAnEnteredStepWantsTheResponse) {
  Play entered({{.name = "a", .response_body = true}}, Mode::at_once);
  entered.request();
  EXPECT_TRUE(entered.exchange().run.wants_response_body());
  Play skipped({{.name = "a", .request = Flow::skip, .response_body = true}}, Mode::at_once);
  skipped.request();
  EXPECT_FALSE(skipped.exchange().run.wants_response_body());
}

TEST(ChainRun, TimesStepsOfAChainThatIsLogged) {
  Play logged({{.name = "a", .has_log = true}}, Mode::suspended);
  logged.whole();
  EXPECT_GE(logged.exchange().steps[0].request.count(), 0);
  EXPECT_GE(logged.exchange().steps[0].response.count(), 0);
  Play silent({{.name = "a"}}, Mode::at_once);
  silent.whole();
  EXPECT_LT(silent.exchange().steps[0].request.count(), 0);
}

TEST(ChainRun, AnExchangeServesManyRequests) {
  Play play({{.name = "a"}, {.name = "b", .request = Flow::respond}}, Mode::at_once);
  for (int round = 0; round < 3; ++round) {
    play.trace.clear();
    play.request();
    play.response();
    EXPECT_EQ(play.trace, (std::vector<std::string>{"+a", "+b", "-a 401"}));
    play.exchange().end();
    play.stage->begin();
    EXPECT_EQ(play.exchange().response.source, Response::Source::none);
  }
}

}  // namespace
}  // namespace lingate::middleware
