#include "middleware/script.h"

#include <atomic>
#include <functional>
#include <thread>

#include "base/codes.h"
#include "tests/middleware/script_stage.h"

namespace lingate::middleware {
namespace {

// Under load an inline call waits for the end of its loop's turn.
class Script : public testing::TestWithParam<std::string> {
 protected:
  ScriptOptions options(std::string on_error = "deny", std::string body = {}) const {
    const bool loaded = GetParam() == "loaded";
    return {.isolation = loaded ? "inline" : GetParam(),
            .on_error = std::move(on_error),
            .body = std::move(body),
            .config = {},
            .loaded = loaded};
  }
};

INSTANTIATE_TEST_SUITE_P(Placements, Script, testing::Values("inline", "loaded", "thread"),
                         [](const auto& each) { return each.param; });

TEST_P(Script, EditsTheRequestAndTheResponse) {
  ScriptStage script({"set-header X-Tenant acme\ncopy-header X-In X-Out\nremove-header Authorization\n"
                      "set-path /v2\non response\nset-status 201\nset-header X-Seen yes\n"},
                     options());
  script.stage->receive("X-In", "7");
  script.stage->receive("Authorization", "secret");
  EXPECT_EQ(script.run(), 201);
  EXPECT_EQ(text_of(script.exchange().request.headers), "X-In: 7\nX-Tenant: acme\nX-Out: 7\n");
  EXPECT_EQ(script.exchange().request.path, "/v2");
  EXPECT_EQ(script.exchange().response.headers.value("X-Seen"), "yes");
}

TEST_P(Script, AnswersByItself) {
  ScriptStage script({"on response\nset-header X-Outer yes\n", "respond 418 teapot\n", "fail never reached\n"},
                     options());
  EXPECT_EQ(script.run(), 418);
  EXPECT_EQ(script.exchange().response.body.bytes, "teapot");
  EXPECT_EQ(script.exchange().response.source, Response::Source::step);
  EXPECT_EQ(script.exchange().response.headers.value("X-Outer"), "yes");
}

TEST_P(Script, AFailureDeniesByItsKindAndIsLoggedOnce) {
  ScriptStage script({"fail the inner secret\n"}, options());
  EXPECT_EQ(script.run(), 500);
  EXPECT_EQ(script.exchange().facts.fault, code::kScriptException);
  EXPECT_EQ(script.exchange().response.body.bytes.find("secret"), std::string_view::npos);
  const auto faults = script.faults();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_NE(faults[0].message.find("the inner secret"), std::string::npos);
  EXPECT_EQ(faults[0].step, "s1.echo");
  EXPECT_EQ(faults[0].request_id, script.exchange().id());
  EXPECT_EQ(faults[0].line, 1U);
}

TEST_P(Script, ContinueGoesOnAsIfTheStepWereNotThere) {
  ScriptStage script({"fail early\non response\nset-status 299\n"}, options("continue"));
  EXPECT_EQ(script.run(), 200);
  EXPECT_EQ(script.exchange().steps[0].fault, code::kScriptException);
  EXPECT_FALSE(script.exchange().steps[0].entered);
  EXPECT_EQ(script.faults().size(), 1U);
}

TEST_P(Script, AFailedCallLeavesNoEdits) {
  ScriptStage script({"set-header X-A 1\nset-path /other\nfail after edits\n"}, options("continue"));
  EXPECT_EQ(script.run(), 200);
  EXPECT_EQ(text_of(script.exchange().request.headers), "");
  EXPECT_EQ(script.exchange().request.path, "/users/7");
}

TEST_P(Script, ASpentBudgetIs504AndTheNextCallSucceeds) {
  ScriptStage script({"spin\n"}, options());
  EXPECT_EQ(script.run(), 504);
  EXPECT_EQ(script.exchange().facts.fault, code::kScriptTimeout);
}

TEST_P(Script, ASuspendedCallGoesOn) {
  ScriptStage script({"sleep 0.001\nset-header X-Slept yes\n", "set-header X-After yes\n"}, options());
  EXPECT_EQ(script.exchange().run.request(), ChainRun::Answer::wait);
  script.wait_for(script.stage->host.request_overs);
  EXPECT_EQ(text_of(script.exchange().request.headers), "X-Slept: yes\nX-After: yes\n");
}

TEST_P(Script, AnAbandonedCallIsDroppedAndTheStepServesOn) {
  ScriptStage script({"sleep 0.001\nset-header X-Slept yes\n"}, options());
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(script.exchange().run.request(), ChainRun::Answer::wait);
    script.exchange().run.abandon();
    script.exchange().end();
    script.stage->begin();
  }
  EXPECT_EQ(script.run(), 200);
  EXPECT_EQ(script.exchange().request.headers.value("X-Slept"), "yes");
  EXPECT_TRUE(script.faults().empty());
}

TEST_P(Script, ContextPassesToLaterStepsAndHooks) {
  ScriptStage script({"set-context {\"tenant\": \"acme\"}\n", "read-all\n"}, options());
  EXPECT_EQ(script.run(), 200);
  EXPECT_NE(script.exchange().context().find("acme"), std::string_view::npos);
}

TEST_P(Script, ABodyIsSeenAndReplaced) {
  ScriptStage script({"set-body shorter\n"}, options("deny", "request"));
  script.exchange().request.body = streaming();
  script.stage->receive("Content-Length", "20");
  script.stage->receive("Content-Digest", "old");
  script.stage->host.content = "twenty bytes of body";
  EXPECT_EQ(script.run(), 200);
  EXPECT_EQ(script.exchange().request.body.bytes, "shorter");
  EXPECT_EQ(text_of(script.exchange().request.headers), "Content-Length: 7\n");
}

TEST_P(Script, ABodyPassesThroughByteForByte) {
  ScriptStage script({"on response\necho-body\n"}, options("deny", "response"));
  const std::string bytes("\x00\xff\r\n\x80 bytes", 11);
  EXPECT_EQ(script.exchange().run.request(), ChainRun::Answer::over);
  EXPECT_TRUE(script.exchange().run.wants_response_body());
  script.stage->upstream(200, streaming());
  script.stage->host.content = bytes;
  if (script.exchange().run.response() == ChainRun::Answer::wait) script.wait_for(script.stage->host.response_overs);
  EXPECT_EQ(script.exchange().response.body.bytes, bytes);
}

TEST_P(Script, ACodedBodyIsInvalid) {
  ScriptStage script({"on response\nread-all\n"}, options("deny", "response"));
  EXPECT_EQ(script.exchange().run.request(), ChainRun::Answer::over);
  script.stage->upstream(200, streaming());
  Stage::receive(script.exchange().response.headers, "Content-Encoding", "gzip");
  script.stage->host.content = "\x1f\x8b";
  EXPECT_EQ(script.exchange().run.response(), ChainRun::Answer::over);
  EXPECT_EQ(script.exchange().response.status, 500);
  EXPECT_EQ(script.exchange().facts.fault, code::kScriptInvalid);
}

TEST_P(Script, LogLinesNameTheRequest) {
  ScriptStage script({"log hello there\n"}, options());
  const std::string id(script.exchange().id());
  EXPECT_EQ(script.run(), 200);
  const auto lines = script.script_log.entries();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].message, "hello there");
  EXPECT_EQ(lines[0].request_id, id);
  EXPECT_EQ(lines[0].route, "users");
  EXPECT_EQ(lines[0].step, "s1.echo");
}

TEST_P(Script, LogHooksRunAfterTheExchangeAndOnlyLogTheirFailures) {
  ScriptStage script({"on log\nsleep 0.001\nlog late\nfail too late\n"}, options());
  const std::string id(script.exchange().id());
  EXPECT_EQ(script.run(), 200);
  script.exchange().end();
  script.stage->begin();  // the next request on the same connection
  EXPECT_TRUE(script.stage->host.fake_loop.run_until([&] { return !script.faults().empty(); }));
  EXPECT_EQ(script.faults()[0].request_id, id);
  EXPECT_NE(script.faults()[0].message.find("too late"), std::string::npos);
  EXPECT_EQ(script.script_log.entries()[0].request_id, id);
  EXPECT_EQ(script.exchange().response.source, Response::Source::none);
}

TEST_P(Script, LogHooksInFlightMayOutliveTheirSnapshot) {
  ScriptStage script({"on log\nsleep 5\n"}, options());
  EXPECT_EQ(script.run(), 200);
}

// ---- pools ----

// Does on the stage's loop, when its request side is over, what it is told.
class Neighbour final : public ExchangeHost {
 public:
  Neighbour(FakeHost& stage, std::function<void()> over) : stage_(stage), over_(std::move(over)) {}

  Loop& loop() noexcept override { return stage_.loop(); }
  AppLog& log() noexcept override { return stage_.log(); }
  IdSource& ids() noexcept override { return stage_.ids(); }
  Buffering buffer_request_body(std::size_t) override { return Buffering::ready; }
  Buffering buffer_response_body(std::size_t) override { return Buffering::ready; }
  void request_side_over() noexcept override { over_(); }
  void response_side_over() noexcept override {}

 private:
  FakeHost& stage_;
  std::function<void()> over_;
};

TEST(ScriptTurn, WhoGoesOnFirstMayEndAnotherOfTheTurn) {
  ScriptStage script({"set-header X-Seen yes\n"}, {.loaded = true});
  bool over = false;
  Neighbour host(script.stage->host, [&] {
    over = true;
    script.exchange().run.abandon();
    script.exchange().end();
  });
  Exchange first{host};
  first.begin(script.stage->chain, "users");
  ASSERT_EQ(first.run.request(), ChainRun::Answer::wait);
  ASSERT_EQ(script.exchange().run.request(), ChainRun::Answer::wait);
  ASSERT_TRUE(script.stage->host.fake_loop.run_until([&] { return over; }));
  EXPECT_EQ(first.request.headers.value("X-Seen"), "yes");
  EXPECT_EQ(script.stage->host.request_overs, 0);
  first.end();

  script.stage->begin();
  EXPECT_EQ(script.run(), 200);
  EXPECT_EQ(script.exchange().request.headers.value("X-Seen"), "yes");
}

TEST(ScriptPools, EqualStepsShareOnePool) {
  ScriptStage script({""});
  const std::string file = script.folder.write("shared.echo", "read-all\n");
  ASSERT_TRUE(script.make_of(file, {}));
  const std::size_t before = script.pools->entries().size();
  ASSERT_TRUE(script.make_of(file, {}));
  EXPECT_EQ(script.pools->entries().size(), before);
  ASSERT_TRUE(script.make_of(file, {.config = "other"}));
  EXPECT_EQ(script.pools->entries().size(), before + 1);
  ASSERT_TRUE(script.make_of(file, {.isolation = "thread"}));
  EXPECT_EQ(script.pools->entries().size(), before + 2);
}

TEST(ScriptPools, AScriptThatDoesNotLoadIsAnErrorWithItsPlace) {
  ScriptStage script({""});
  const auto made = script.make("on init\nfail no way\n", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, code::kScriptLoad);
  ASSERT_TRUE(script.pools->last_fault());
  EXPECT_NE(script.pools->last_fault()->error.message.find("no way"), std::string::npos);
}

TEST(ScriptPools, AMissingFileIsAnErrorWithItsName) {
  ScriptStage script({""});
  const auto made = script.make_of("/nonexistent/x.echo", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, code::kFileNotFound);
  EXPECT_NE(made.error().message.find("/nonexistent/x.echo"), std::string::npos);
}

// ---- tags ----

TEST(CallTag, ReadsAsItsCallUntilThatIsOver) {
  CallTag mark;
  CallTag::Text text;
  void* const first = mark.begin("id-1", "users");
  ASSERT_TRUE(CallTag::read(first, text));
  EXPECT_EQ(text.id(), "id-1");
  EXPECT_EQ(text.route(), "users");
  mark.end();
  EXPECT_FALSE(CallTag::read(first, text));
  void* const second = mark.begin("id-2", "");
  EXPECT_FALSE(CallTag::read(first, text));
  ASSERT_TRUE(CallTag::read(second, text));
  EXPECT_EQ(text.id(), "id-2");
  EXPECT_EQ(text.route(), "");
}

TEST(CallTag, AsksForTheNamesOfACallThatStaysOnItsThread) {
  struct Names final : CallTag::Names {
    std::string_view id() override { return ++asked, "id-1"; }
    std::string_view route() override { return "users"; }
    int asked = 0;
  } names;
  CallTag mark;
  CallTag::Text text;
  void* const tag = mark.begin(names);
  EXPECT_EQ(names.asked, 0);
  ASSERT_TRUE(CallTag::read(tag, text));
  EXPECT_EQ(text.id(), "id-1");
  EXPECT_EQ(text.route(), "users");
  void* const leaving = mark.begin("id-2", "r");
  EXPECT_FALSE(CallTag::read(tag, text));
  ASSERT_TRUE(CallTag::read(leaving, text));
  EXPECT_EQ(text.id(), "id-2");
  mark.end();
  EXPECT_FALSE(CallTag::read(leaving, text));
  EXPECT_EQ(names.asked, 1);
}

TEST(CallTag, CutsWhatIsTooLong) {
  CallTag mark;
  CallTag::Text text;
  void* const tag = mark.begin(std::string(500, 'i'), std::string(500, 'r'));
  ASSERT_TRUE(CallTag::read(tag, text));
  EXPECT_EQ(text.id().size(), CallTag::kBytes);
  EXPECT_EQ(text.route(), "");
}

TEST(CallTag, AnotherThreadNeverSeesAMixture) {
  CallTag mark;
  std::atomic<void*> current{nullptr};
  std::atomic<bool> stop{false};
  std::atomic<int> mixed{0};
  std::thread reader([&] {
    CallTag::Text text;
    while (!stop.load()) {
      void* const tag = current.load();
      if (tag && CallTag::read(tag, text) && text.id() != text.route()) ++mixed;
    }
  });
  for (int k = 0; k < 50'000; ++k) {
    const std::string both(static_cast<std::size_t>(k % 60), static_cast<char>('a' + k % 26));
    current.store(mark.begin(both, both));
    mark.end();
  }
  stop.store(true);
  reader.join();
  EXPECT_EQ(mixed.load(), 0);
}

}  // namespace
}  // namespace lingate::middleware
