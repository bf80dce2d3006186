// async hooks: sleep, interleaved calls, cancel.
#include "tests/python/stage.h"

namespace lingate::runtimes::python {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class PythonSuspension : public Stage {
 protected:
  static plugin::Call call_of(const std::string& path) {
    auto call = a_call();
    call.mutable_request()->set_path(path);
    return call;
  }
};

TEST_F(PythonSuspension, SleepSuspendsAndResumes) {
  auto instance = load(
      "import lingate\n"
      "async def request(req, ctx):\n"
      "    ctx['a'] = 1\n"
      "    assert await lingate.sleep(0.25) is None\n"
      "    await helper()\n"
      "    return lingate.respond(200, req.path)\n"
      "async def helper(): await lingate.sleep(1)\n");
  auto outcome = start(*instance, a_call());
  ASSERT_EQ(outcome.state, Progress::State::suspended);
  EXPECT_EQ(outcome.operation.seconds, 0.25);
  outcome = resume(*instance, 1);
  ASSERT_EQ(outcome.state, Progress::State::suspended);
  outcome = resume(*instance, 1);
  ASSERT_EQ(outcome.state, Progress::State::finished);
  EXPECT_EQ(outcome.verdict.answer().body(), "/users/7");
}

TEST_F(PythonSuspension, CallsInterleave) {
  auto instance = load(
      "import lingate\n"
      "async def request(req, ctx):\n"
      "    path = req.path\n"
      "    for i in range(3):\n"
      "        await lingate.sleep(i)\n"
      "        assert req.path == path\n"
      "    req.headers['X-Path'] = path\n");
  for (CallId id = 1; id <= 8; ++id)
    ASSERT_EQ(start(*instance, call_of("/p" + std::to_string(id)), id).state, Progress::State::suspended);
  for (int round = 0; round < 2; ++round)
    for (CallId id = 8; id >= 1; --id)
      ASSERT_EQ(resume(*instance, id).state, Progress::State::suspended);
  for (CallId id = 1; id <= 8; ++id) {
    const auto outcome = resume(*instance, id);
    ASSERT_EQ(outcome.state, Progress::State::finished);
    EXPECT_EQ(outcome.verdict.request().headers(0).values(0), "/p" + std::to_string(id));
  }
}

TEST_F(PythonSuspension, TheHostsErrorIsRaisedAtTheAwait) {
  auto instance = load(
      "import lingate\n"
      "async def request(req, ctx):\n"
      "    try: await lingate.sleep(1)\n"
      "    except lingate.Error as e: return lingate.respond(200, str(e))\n");
  start(*instance, a_call());
  EXPECT_EQ(resume(*instance, 1, "no more timers").verdict.answer().body(), "no more timers");
}

TEST_F(PythonSuspension, ObjectsOfACallThatWaitsAreNoOtherCalls) {
  auto instance = load(
      "import lingate\n"
      "kept = []\n"
      "async def request(req, ctx):\n"
      "    for use in kept:\n"
      "        try: use()\n"
      "        except lingate.Error as e: assert str(e) == 'this object belongs to another call', str(e)\n"
      "        else: raise AssertionError('within reach')\n"
      "    if kept: return\n"
      "    h, c, s = req.headers, req.client, req.session\n"
      "    kept.extend([lambda: req.path, lambda: h['Host'], lambda: c.ip, lambda: s.id, lambda: h.lines(),\n"
      "                 lambda: setattr(req, 'path', '/x'), lambda: list(h), lambda: setattr(s, 'tags', [])])\n"
      "    await lingate.sleep(1)\n"
      "    return lingate.respond(200, [req.path, h['X-Key'], c.ip, s.id])\n");
  auto call = a_call();
  add_session(call);
  ASSERT_EQ(start(*instance, call, 1).state, Progress::State::suspended);
  const auto other = start(*instance, call, 2);
  EXPECT_FALSE(other.verdict.has_failure()) << other.verdict.failure().message();
  const auto outcome = resume(*instance, 1);
  EXPECT_EQ(outcome.verdict.answer().body(), R"(["/users/7","abc","10.0.0.9","s-1"])");
}

TEST_F(PythonSuspension, CancelClosesTheCoroutine) {
  auto instance = load(
      "import lingate\n"
      "kept = []\n"
      "async def request(req, ctx):\n"
      "    if req.path == '/count': return lingate.respond(200, kept[:])\n"
      "    try: await lingate.sleep(1)\n"
      "    finally: kept.append(req.path)\n");
  start(*instance, call_of("/a"), 1);
  start(*instance, call_of("/b"), 2);
  instance->cancel(1);
  EXPECT_EQ(start(*instance, call_of("/count"), 3).verdict.answer().body(), R"(["/a"])");
  EXPECT_FALSE(resume(*instance, 2).verdict.has_failure());
  EXPECT_EQ(start(*instance, call_of("/count"), 3).verdict.answer().body(), R"(["/a","/b"])");
}

TEST_F(PythonSuspension, ACancelledCallCannotGoOn) {
  auto instance = load(
      "import lingate\n"
      "async def request(req, ctx):\n"
      "    if req.path == '/ok': return lingate.respond(204)\n"
      "    while True:\n"
      "        try: await lingate.sleep(1)\n"
      "        except BaseException: pass\n");
  start(*instance, a_call(), 1);
  instance->cancel(1);
  EXPECT_EQ(start(*instance, call_of("/ok"), 2).verdict.answer().status(), 204U);
}

TEST_F(PythonSuspension, TheBudgetHoldsAfterAResumeAndInCancel) {
  auto instance = load(
      "import lingate\n"
      "async def request(req, ctx):\n"
      "    if req.path == '/ok': return lingate.respond(204)\n"
      "    try:\n"
      "        await lingate.sleep(1)\n"
      "    except BaseException: pass\n"
      "    while True:\n"
      "        try:\n"
      "            while True: pass\n"
      "        except BaseException: await lingate.sleep(1)\n");
  start(*instance, a_call(), 1);
  const auto outcome = resume(*instance, 1, {}, milliseconds(30));
  EXPECT_EQ(outcome.state, Progress::State::finished);
  EXPECT_EQ(outcome.verdict.failure().kind(), plugin::Failure::TIMEOUT);
  start(*instance, a_call(), 1);
  {
    Watch watch(watchdog_, *instance);
    watch.arm(std::chrono::steady_clock::now() + milliseconds(30));
    instance->cancel(1);
    EXPECT_TRUE(watch.disarm());
    instance->settle();
  }
  EXPECT_EQ(start(*instance, call_of("/ok"), 2).verdict.answer().status(), 204U);
}

TEST_F(PythonSuspension, WhatCannotWaitSaysSo) {
  EXPECT_THAT(run("lingate.sleep(1)").failure().message(), HasSubstr("async def"));
  auto instance = load(
      "import lingate\n"
      "class Foreign:\n"
      "    def __await__(self): yield self\n"
      "async def request(req, ctx):\n"
      "    if req.path == '/caught':\n"
      "        try: await Foreign()\n"
      "        except lingate.Error: return lingate.respond(200)\n"
      "    await Foreign()\n");
  const auto verdict = run(*instance, a_call());
  EXPECT_THAT(verdict.failure().message(), HasSubstr("cannot await an object of type Foreign"));
  EXPECT_EQ(verdict.failure().stack(1), (folder_ / "script.py").string() + ":8: in request");
  EXPECT_EQ(run(*instance, call_of("/caught")).answer().status(), 200U);
  auto asyncio = load("import asyncio\nasync def request(): await asyncio.sleep(1)\n");
  EXPECT_THAT(run(*asyncio, a_call()).failure().message(), HasSubstr("no running event loop"));
  auto bad = load("import lingate\nasync def request():\n    await lingate.sleep(-1)\n");
  EXPECT_THAT(run(*bad, a_call()).failure().message(), HasSubstr("0 or more"));
}

TEST_F(PythonSuspension, AnAwaitThatWasForgottenIsLogged) {
  auto instance = load("import lingate\nasync def request(): lingate.sleep(1)\n");
  EXPECT_FALSE(run(*instance, a_call()).has_failure());
  const auto lines = host_.take();
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines[0].message, HasSubstr("never awaited"));
}

TEST_F(PythonSuspension, AnInstanceMayGoWhileCallsAreSuspended) {
  auto instance = load(
      "import lingate\nasync def request():\n    while True:\n        try: await lingate.sleep(1)\n"
      "        except BaseException: pass\n");
  for (CallId id = 1; id < 5; ++id)
    start(*instance, a_call(), id);
  instance.reset();
  EXPECT_FALSE(run("pass").has_failure());
}

}  // namespace
}  // namespace lingate::runtimes::python
