#include "tests/duktape/stage.h"

namespace lingate::runtimes::duktape::test {
namespace {

constexpr const char* kSleeper = R"(
  var lingate = require("lingate");
  function nested(n) { if (n) nested(n - 1); else lingate.sleep(0.25); return n; }
  exports.request = function (req, ctx) {
    ctx.before = req.headers.name;
    nested(5);
    try { lingate.sleep(1.5); } catch (error) { ctx.error = error.message; }
    ctx.after = req.headers.name;
    req.headers.Seen = req.headers.name;
  };)";

plugin::Call named(const std::string& name) {
  return call({{"name", name}});
}

std::string text_of(const plugin::Verdict& verdict, const std::string& name) {
  for (const plugin::Member& member : verdict.context().replaced().members())
    if (member.name() == name) return member.value().text();
  return "";
}

TEST(DuktapeSuspend, SleepNamesItsOperationAndComesBack) {
  Stage stage(kSleeper);
  auto progress = stage.start(7, Hook::request, named("a"));
  ASSERT_EQ(progress.state, Progress::State::suspended);
  EXPECT_EQ(progress.operation.seconds, 0.25);
  progress = stage.resume(7);
  ASSERT_EQ(progress.state, Progress::State::suspended);
  EXPECT_EQ(progress.operation.seconds, 1.5);
  progress = stage.resume(7, "the clock is gone");
  ASSERT_EQ(progress.state, Progress::State::finished);
  const plugin::Verdict verdict = Stage::read(progress);
  EXPECT_EQ(text_of(verdict, "error"), "the clock is gone");
  EXPECT_EQ(verdict.request().headers(0).values(0), "a");
}

TEST(DuktapeSuspend, CallsInterleave) {
  Stage stage(kSleeper);
  constexpr int kCalls = 20;
  for (int round = 0; round < 10; ++round) {
    for (CallId id = 0; id < kCalls; ++id)
      ASSERT_EQ(stage.start(id, Hook::request, named("n" + std::to_string(id))).state, Progress::State::suspended);
    for (CallId id = kCalls; id-- > 0;)
      ASSERT_EQ(stage.resume(id).state, Progress::State::suspended);
    for (CallId id = 0; id < kCalls; ++id) {
      const auto progress = stage.resume(id);
      ASSERT_EQ(progress.state, Progress::State::finished);
      const plugin::Verdict verdict = Stage::read(progress);
      EXPECT_EQ(text_of(verdict, "before"), "n" + std::to_string(id));
      EXPECT_EQ(text_of(verdict, "after"), "n" + std::to_string(id));
    }
  }
}

TEST(DuktapeSuspend, ACancelledCallRunsNoMoreCode) {
  Stage stage(
      "var lingate = require('lingate'), log = [];\n"
      "exports.request = function (req) { if (req.headers.show) return lingate.respond(200, log.join());\n"
      "  try { lingate.sleep(1); log.push('on'); } catch (e) { log.push('catch'); } finally { log.push('finally'); } "
      "};");
  for (CallId id = 0; id < 50; ++id) {
    ASSERT_EQ(stage.start(id, Hook::request, call()).state, Progress::State::suspended);
    stage.instance().cancel(id);
  }
  EXPECT_EQ(stage.run(call({{"show", "1"}})).answer().body(), "");
  stage.instance().cancel(999);
  EXPECT_TRUE(stage.instance().usable());
}

TEST(DuktapeSuspend, ObjectsOfACancelledCallAreOver) {
  Stage stage(
      "var lingate = require('lingate'), kept;\nexports.request = function (req) {\n"
      "  if (!kept) { kept = req; lingate.sleep(1); }\n  kept.path; };");
  ASSERT_EQ(stage.start(1, Hook::request, call()).state, Progress::State::suspended);
  stage.instance().cancel(1);
  EXPECT_EQ(stage.run().failure().message(), "the call is over: req, res and session die with it");
}

TEST(DuktapeSuspend, ObjectsOfACallThatWaitsAreNoOtherCalls) {
  Stage stage(R"(
    var lingate = require("lingate"), kept;
    exports.request = function (req) {
      if (!kept) {
        kept = {req: req, headers: req.headers, session: req.session, client: req.client, params: req.params};
        lingate.sleep(1);
        return lingate.respond(200, [req.path, req.headers.a, kept.session.id, kept.client.ip].join());
      }
      var uses = [
        function () { return kept.req.path; }, function () { kept.req.path = "/x"; },
        function () { return "path" in kept.req; }, function () { delete kept.req.session; },
        function () { return Object.keys(kept.req); }, function () { return kept.req.text; },
        function () { return req.text.call(kept.req); }, function () { return req.json.call(kept.req); },
        function () { kept.req.session = null; }, function () { kept.req.body = "x"; },
        function () { return kept.headers.a; }, function () { kept.headers.a = "x"; },
        function () { delete kept.headers.a; }, function () { return "a" in kept.headers; },
        function () { return Object.keys(kept.headers); }, function () { return kept.headers.values("a"); },
        function () { return req.headers.values.call(kept.headers, "a"); },
        function () { return req.headers.add.call(kept.headers, "a", "x"); },
        function () { return req.headers.lines.call(kept.headers); },
        function () { return kept.session.id; }, function () { return kept.session.metadata; },
        function () { kept.session.tags = []; }, function () { return "id" in kept.session; },
        function () { return Object.keys(kept.session); }, function () { return kept.client.ip; },
        function () { return kept.params.id; }, function () { return Object.keys(kept.params); }];
      uses.forEach(function (use, i) {
        var seen;
        try { seen = use(); } catch (error) {
          if (error.message !== "this object belongs to another call") throw error;
          return;
        }
        throw new Error("use " + i + " saw " + seen);
      });
    };)");
  plugin::Call first = call({{"a", "1"}});
  add_session(first);
  ASSERT_EQ(stage.start(1, Hook::request, first).state, Progress::State::suspended);
  const plugin::Verdict other = Stage::read(stage.start(2, Hook::request, call({{"a", "2"}})));
  EXPECT_FALSE(other.has_failure()) << other.failure().message();
  const plugin::Verdict verdict = Stage::read(stage.resume(1));
  EXPECT_EQ(verdict.answer().body(), "/users/7,1,s-1,192.0.2.7") << verdict.failure().message();
  EXPECT_FALSE(verdict.has_request());
  EXPECT_FALSE(verdict.has_session());
}

TEST(DuktapeSuspend, WaitingInsideACallbackIsAnError) {
  for (const char* const statement :
       {"[1].forEach(function () { lingate.sleep(1); })", "[2, 1].sort(function () { lingate.sleep(1); })",
        "'x'.replace('x', function () { lingate.sleep(1); })", "({get x() { lingate.sleep(1); }}).x",
        "JSON.stringify({toJSON: function () { lingate.sleep(1); }})",
        "'' + {toString: function () { lingate.sleep(1); }}",
        "new Proxy({}, {get: function () { lingate.sleep(1); }}).x", "eval('lingate.sleep(1)')",
        "[1].map(lingate.sleep)"}) {
    Stage stage(hook(std::string(statement) + ";"));
    const auto progress = stage.start(1, Hook::request, call());
    ASSERT_EQ(progress.state, Progress::State::finished) << statement;
    EXPECT_NE(Stage::read(progress).failure().message().find("cannot wait inside a library's callback"),
              std::string::npos)
        << statement << ": " << Stage::read(progress).failure().message();
  }
  for (const char* const statement :
       {"lingate.sleep.call(null, 1)", "lingate.sleep.apply(null, [1])", "lingate.sleep.bind(null, 1)()",
        "(function () { return lingate.sleep(1); })()", "new (function () { lingate.sleep(1); })"}) {
    Stage stage(hook(std::string(statement) + ";"));
    EXPECT_EQ(stage.start(1, Hook::request, call()).state, Progress::State::suspended) << statement;
    EXPECT_FALSE(Stage::read(stage.resume(1)).has_failure()) << statement;
  }
}

TEST(DuktapeSuspend, AFailureElsewhereLeavesSuspendedCallsAlone) {
  Stage stage(
      "var lingate = require('lingate');\nexports.request = function (req, ctx) {\n"
      "  if (req.headers.loop) for (;;);\n  if (req.headers.fill) { var a = []; for (;;) a.push('x'.repeat(9999) + "
      "a.length); }\n"
      "  lingate.sleep(1); req.headers.ok = req.headers.name; };",
      8 * 1024 * 1024);
  ASSERT_EQ(stage.start(1, Hook::request, named("one")).state, Progress::State::suspended);
  stage.budget = std::chrono::milliseconds(20);
  EXPECT_EQ(Stage::read(stage.start(2, Hook::request, call({{"loop", "1"}}))).failure().kind(),
            plugin::Failure::TIMEOUT);
  stage.budget = std::chrono::seconds(60);
  EXPECT_EQ(Stage::read(stage.start(3, Hook::request, call({{"fill", "1"}}))).failure().kind(),
            plugin::Failure::MEMORY);
  EXPECT_EQ(Stage::read(stage.resume(1)).request().headers(0).values(0), "one");
}

TEST(DuktapeSuspend, TheBudgetHoldsAfterAResume) {
  Stage stage(hook("lingate.sleep(1); for (;;);"));
  ASSERT_EQ(stage.start(1, Hook::request, call()).state, Progress::State::suspended);
  stage.budget = std::chrono::milliseconds(20);
  EXPECT_EQ(Stage::read(stage.resume(1)).failure().kind(), plugin::Failure::TIMEOUT);
}

TEST(DuktapeSuspend, SuspendedCallsSurviveTheCollector) {
  Stage stage(kSleeper);
  for (CallId id = 0; id < 5; ++id)
    stage.start(id, Hook::request, named("n" + std::to_string(id)));
  Stage fill(hook(""));
  while (stage.instance().idle_step()) {
  }
  for (CallId id = 0; id < 5; ++id) {
    stage.resume(id);
    EXPECT_EQ(text_of(Stage::read(stage.resume(id)), "after"), "n" + std::to_string(id));
  }
}

}  // namespace
}  // namespace lingate::runtimes::duktape::test
