#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;
using State = Progress::State;

TEST(LuaSleep, SuspendsAndGoesOn) {
  Loaded script(Loaded::request_hook("req.headers['A'] = '1' lingate.sleep(0.25) req.headers['B'] = req.headers['A']"));
  const auto progress = script.start(request_call());
  ASSERT_EQ(progress.state, State::suspended);
  EXPECT_EQ(progress.operation.kind, HostOperation::Kind::sleep);
  EXPECT_EQ(progress.operation.seconds, 0.25);
  const auto done = script.resume(1);
  ASSERT_EQ(done.state, State::finished);
  EXPECT_EQ(Loaded::parse(done.verdict).request().headers_size(), 2);
}

TEST(LuaSleep, ManyCallsInterleave) {
  Loaded script(
      Loaded::request_hook("local mine = req.query for i = 1, 3 do lingate.sleep(i) end ctx.q = mine "
                           "req.headers['Q'] = mine .. req.query"));
  constexpr CallId kCalls = 20;
  for (CallId id = 0; id < kCalls; ++id) {
    plugin::Call call = request_call();
    call.mutable_request()->set_query("q" + std::to_string(id));
    ASSERT_EQ(script.start(call, id).state, State::suspended);
  }
  for (int round = 0; round < 3; ++round)
    for (CallId i = 0; i < kCalls; ++i) {
      const CallId id = (i * 7) % kCalls;
      const auto progress = script.resume(id);
      ASSERT_EQ(progress.state, round < 2 ? State::suspended : State::finished);
      if (round < 2) continue;
      const std::string q = "q" + std::to_string(id);
      EXPECT_EQ(Loaded::parse(progress.verdict).request().headers(0).values(0), q + q);
    }
}

TEST(LuaSleep, WorksInPcallAndInCoroutinesOfTheScript) {
  Loaded script(Loaded::request_hook(R"(
    local log = {}
    local inner = coroutine.wrap(function(a)
      log[#log + 1] = a
      lingate.sleep(1)
      local b = coroutine.yield('y1')
      log[#log + 1] = b
      pcall(function() lingate.sleep(2) end)
      coroutine.wrap(function() lingate.sleep(3) log[#log + 1] = 'deep' end)()
      return 'end'
    end)
    local first = inner('a')
    log[#log + 1] = first
    local second = inner('b')
    log[#log + 1] = second
    return lingate.respond(200, log))"));
  ASSERT_EQ(script.start(request_call()).operation.seconds, 1);
  ASSERT_EQ(script.resume(1).operation.seconds, 2);
  ASSERT_EQ(script.resume(1).operation.seconds, 3);
  EXPECT_EQ(Loaded::parse(script.resume(1).verdict).answer().body(), R"(["a","y1","b","deep","end"])");
}

TEST(LuaSleep, AnErrorOfTheHostIsRaisedWhereItWaits) {
  Loaded script(
      Loaded::request_hook("\nlocal ok, message = pcall(function() lingate.sleep(1) end)\n"
                           "ctx.ok = ok lingate.sleep(2)"));
  ASSERT_EQ(script.start(request_call()).state, State::suspended);
  ASSERT_EQ(script.resume(1, {"the clock broke"}).state, State::suspended);
  const plugin::Verdict verdict = Loaded::parse(script.resume(1, {"again"}).verdict);
  EXPECT_EQ(verdict.failure().message(), "again");
  EXPECT_EQ(verdict.failure().line(), 5U);
}

TEST(LuaSleep, InALibrarysCallbackIsAScriptError) {
  for (const char* body : {"table.sort({2, 1}, function() lingate.sleep(1) return true end)",
                           "string.gsub('x', '.', function() lingate.sleep(1) end)"}) {
    EXPECT_THAT(failure_of(body), HasSubstr("inside a library's callback")) << body;
  }
  EXPECT_NE(failure_of("lingate.sleep('x')"), "no failure");
  EXPECT_NE(failure_of("lingate.sleep(-1)"), "no failure");
  EXPECT_NE(failure_of("lingate.sleep(0/0)"), "no failure");
}

TEST(LuaSleep, ACancelledCallRunsNoMoreAndLeavesTheOthers) {
  Loaded script(
      "local M = {} function M.request(req) "
      "local ok = pcall(lingate.sleep, 1) print('woke ' .. req.query) end return M");
  plugin::Call call = request_call();
  for (CallId id = 1; id <= 3; ++id) {
    call.mutable_request()->set_query(std::to_string(id));
    ASSERT_EQ(script.start(call, id).state, State::suspended);
  }
  script.instance->cancel(2);
  EXPECT_EQ(script.resume(1).state, State::finished);
  EXPECT_EQ(script.resume(3).state, State::finished);
  ASSERT_EQ(script.host.entries.size(), 2U);
  EXPECT_EQ(script.host.entries[1].message, "woke 3");
}

TEST(LuaSleep, ObjectsOfAnotherCallInFlightAreRefused) {
  Loaded script(
      "local first local M = {} function M.request(req) if first then return lingate.respond(200, "
      "{(select(2, pcall(function() return first.id end)))}) end first = req lingate.sleep(1) end return M");
  ASSERT_EQ(script.start(request_call(), 1).state, State::suspended);
  const auto progress = script.start(request_call(), 2);
  EXPECT_THAT(Loaded::parse(progress.verdict).answer().body(), HasSubstr("another call"));
}

TEST(LuaSleep, ACoroutineThatWaitsForTheHostCannotBeResumedByAnother) {
  Loaded script(
      "local co local M = {} function M.request(req) if co then return lingate.respond(200, "
      "{coroutine.resume(co)}) end co = coroutine.create(function() lingate.sleep(1) end) "
      "coroutine.resume(co) end return M");
  ASSERT_EQ(script.start(request_call(), 1).state, State::suspended);
  EXPECT_THAT(Loaded::parse(script.start(request_call(), 2).verdict).answer().body(), HasSubstr("waits for the host"));
  EXPECT_EQ(script.resume(1).state, State::finished);
}

TEST(LuaSleep, TheBudgetHoldsAfterIt) {
  Loaded::Options options;
  options.budget = std::chrono::milliseconds(20);
  Loaded script(Loaded::request_hook("lingate.sleep(1) while true do end"), options);
  ASSERT_EQ(script.start(request_call()).state, State::suspended);
  EXPECT_EQ(Loaded::parse(script.resume(1).verdict).failure().kind(), plugin::Failure::TIMEOUT);
}

}  // namespace
}  // namespace lingate::runtimes::lua
