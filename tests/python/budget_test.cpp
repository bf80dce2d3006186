// What ends a call that runs too long or takes too much memory, and what the next call sees of it.
#include <thread>

#include "tests/python/stage.h"

namespace lingate::runtimes::python {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class PythonBudget : public Stage {
 protected:
  // A script that runs away when the header X-Key says so ("abc", as in a_call()) and is innocent otherwise.
  static std::string script(const std::string& body, const std::string& top = {}) {
    return "import lingate\n" + top + "\n" + "def run():\n" + indented(body) +
           "\ndef request(req, ctx):\n"
           "    if req.headers.get('x-key') == 'abc': run()\n"
           "    return lingate.respond(204)\n";
  }

  static std::string indented(const std::string& body) {
    std::string text = "    ";
    for (const char c : body)
      text += c == '\n' ? std::string("\n    ") : std::string(1, c);
    return text;
  }

  static plugin::Call innocent() {
    auto call = a_call();
    call.mutable_request()->clear_headers();
    return call;
  }

  void expect_stopped(Instance& instance, const std::string& what, plugin::Failure::Kind kind,
                      milliseconds budget = milliseconds(30)) {
    Outcome outcome = start(instance, a_call(), 1, budget);
    // On a busy machine the collector's work for the instance before may take this one's whole budget.
    for (int i = 0; i < 10 && outcome.verdict.failure().kind() == plugin::Failure::UNAVAILABLE; ++i)
      outcome = start(instance, a_call(), 1, budget);
    EXPECT_EQ(outcome.verdict.failure().kind(), kind) << what << ": " << outcome.verdict.ShortDebugString();
    EXPECT_LT(outcome.took, budget + milliseconds(2000)) << what;
    for (int i = 0; i < 3; ++i) {
      const Outcome next = start(instance, innocent(), 1, std::chrono::seconds(20));
      EXPECT_EQ(next.verdict.answer().status(), 204U) << what << ": " << next.verdict.ShortDebugString();
    }
  }

  void expect_timeout(const std::string& body, const std::string& top = {}) {
    auto instance = load(script(body, top));
    ASSERT_TRUE(instance);
    expect_stopped(*instance, body, plugin::Failure::TIMEOUT);
  }

  void expect_memory(const std::string& body) {
    auto instance = load(script(body));
    ASSERT_TRUE(instance);
    const std::uint64_t before = instance->memory().used;
    expect_stopped(*instance, body, plugin::Failure::MEMORY, milliseconds(20000));
    EXPECT_LE(instance->memory().used, before + before / 10 + (4U << 20)) << body;  // arenas are 1 MiB each
  }
};

TEST_F(PythonBudget, WhatNoBudgetReachesIsRefused) {
  for (const char* use : {"sys.settrace(print)", "sys.setprofile(print)", "sys.addaudithook(print)",
                          "sys.setrecursionlimit(10**6)", "sys.setswitchinterval(1)"})
    EXPECT_THAT(try_load(std::string("import sys\n") + use + "\ndef request(): pass").error().message,
                testing::HasSubstr("is not for scripts"))
        << use;
  EXPECT_THAT(try_load("import cProfile\ndef request(): pass").error().message, testing::HasSubstr("_lsprof"));
}

TEST_F(PythonBudget, EndsPlainLoops) {
  expect_timeout("while True: pass");
  expect_timeout("x = 0\nwhile True: x += 1");
  expect_timeout("for i in range(10**12): i * i");
  expect_timeout("[x for x in range(10**12) if x < 0]");
  expect_timeout("sum(x for x in range(10**12))");
}

TEST_F(PythonBudget, EndsLoopsThatCatchEverything) {
  expect_timeout("x = 0\nwhile True:\n    try:\n        while True: x += 1\n    except BaseException: pass");
  expect_timeout("while True:\n    try:\n        while True: pass\n    except: continue\n    finally: pass");
  expect_timeout("def f():\n    while True:\n        try:\n            while True: pass\n        finally: f()\nf()");
  expect_timeout("while True:\n    with contextlib.suppress(BaseException):\n        while True: pass",
                 "import contextlib");
  expect_timeout("while True:\n    with Swallow():\n        while True: pass",
                 "class Swallow:\n    def __enter__(self): pass\n    def __exit__(self, *a): return True");
  expect_timeout("try:\n    while True: pass\nfinally:\n    while True: pass");
  expect_timeout("try:\n    while True: pass\nexcept BaseException:\n    return None\nreturn None");
}

TEST_F(PythonBudget, EndsGeneratorsCallbacksAndSpecialMethods) {
  expect_timeout(
      "def g():\n    while True:\n        try:\n            yield 1\n        except BaseException: pass\n"
      "for _ in g(): pass");
  expect_timeout("[1, 2, 3].sort(key=lambda x: spin())", "def spin():\n    while True: pass");
  expect_timeout("sorted([C(), C()])", "class C:\n    def __lt__(self, o):\n        while True: pass");
  expect_timeout("str(C())", "class C:\n    def __str__(self):\n        while True: pass");
  expect_timeout("C()", "class C:\n    def __del__(self):\n        while True: pass");
  expect_timeout("{C(): 1}", "class C:\n    def __hash__(self):\n        while True: pass");
  expect_timeout("list(map(lambda x: x, itertools.count()))[0]", "import itertools");
  expect_timeout("def a(): b()\ndef b():\n    try: a()\n    except RecursionError: pass\nwhile True: a()");
  expect_timeout("exec('while True: pass')");
}

TEST_F(PythonBudget, EndsAFinaliserThatRunsBetweenCalls) {
  auto instance = load(
      "import lingate\nseen = []\n"
      "class Odd:\n    def __del__(self):\n        seen.append(self)\n        while True: pass\n"
      "def request(req, ctx):\n"
      "    if req.headers.get('x-key') == 'abc':\n        odd = Odd()\n        odd.me = odd\n"
      "    return lingate.respond(200 + len(seen))\n");
  ASSERT_TRUE(instance);
  EXPECT_EQ(start(*instance, a_call()).verdict.answer().status(), 200U);
  for (int k = 0; k < 300; ++k)  // the collector looks after so many calls
    EXPECT_EQ(start(*instance, innocent()).verdict.answer().status(), 200U) << "in a cycle it waits for the collector";
  const auto before = Clock::now();
  while (instance->idle_step()) {
  }
  EXPECT_LT(Clock::now() - before, milliseconds(2000));
  EXPECT_EQ(start(*instance, innocent()).verdict.answer().status(), 201U);
}

TEST_F(PythonBudget, EndsNativesThatLoopOverAGivenLength) {
  expect_timeout("sum(range(10**12))");
  expect_timeout("collections.deque(itertools.count(), maxlen=0)", "import collections, itertools");
  expect_timeout("-1 in range_iter()", "def range_iter(): return iter(range(10**12))");
  expect_timeout("max(range(10**12))");
  expect_timeout("any(itertools.repeat(0))\nreturn None", "import itertools\nany = lambda x: sum(itertools.count())");
}

TEST_F(PythonBudget, AnInterruptedScriptMayCleanUpOnce) {
  auto instance =
      load(script("if not lock.acquire(timeout=20): raise ValueError('still locked')\n"
                  "try:\n    while True: pass\nfinally:\n    lock.release()",
                  "import threading\nlock = threading.Lock()"));
  for (int i = 0; i < 5; ++i)
    expect_stopped(*instance, "with lock", plugin::Failure::TIMEOUT);
}

TEST_F(PythonBudget, FailureNamesThePlace) {
  auto instance = load(script("x = 1\nwhile True:\n    x += 1"));
  const auto verdict = run(*instance, a_call(), milliseconds(20));
  EXPECT_EQ(verdict.failure().message(), "request() ran longer than its budget");
  EXPECT_GE(verdict.failure().line(), 5U);
  EXPECT_LE(verdict.failure().line(), 6U);
  EXPECT_THAT(verdict.failure().stack(0), HasSubstr("in run"));
}

TEST_F(PythonBudget, EndsGiantAllocations) {
  expect_memory("x = [0] * 10**9");
  expect_memory("x = b'x' * 10**10");
  expect_memory("try:\n    x = [0] * 10**9\nexcept MemoryError: pass");
  expect_memory("while True:\n    try:\n        x = bytearray(10**9)\n    except BaseException: pass");
  expect_memory("x = 'ab'\nwhile True: x += x");
  expect_memory("x = []\nwhile True: x.append(object())");
  expect_memory("x = []\nwhile True:\n    try:\n        x.append('%d' % len(x))\n    except MemoryError: pass");
  expect_memory("d = {}\nfor i in range(10**9): d[i] = [i]");
  expect_memory("list(range(10**10))");
  expect_memory("x = []\nfor i in range(10**8): x = [x, i]");
  expect_memory("raise MemoryError");
}

TEST_F(PythonBudget, RecursionIsAnExceptionNotACrash) {
  auto instance = load(
      "import json, re\n"
      "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\n"
      "class R:\n    def __repr__(self): return repr(self)\n"
      "def f(): f()\n"
      "def nested():\n    x = []\n    for _ in range(100000): x = [x]\n    return x\n"
      "ways = [f, lambda: A().b, lambda: repr(R()), lambda: json.dumps(nested()), lambda: repr(nested()),\n"
      "        lambda: json.loads('[' * 100000), lambda: eval('(' * 5000 + ')' * 5000), lambda: nested() == nested(),\n"
      "        lambda: re.compile('(' * 5000 + ')' * 5000), lambda: eval('-' * 100000 + '1'),\n"
      "        lambda: eval('lambda:' * 3000 + '1')]\n"
      "def request(req):\n"
      "    for i, way in enumerate(ways):\n"
      "        try: way()\n"
      "        except (RecursionError, MemoryError, SyntaxError): continue\n"
      "        raise AssertionError(i)\n"
      "    f()\n",
      {.memory = std::uint64_t{256} << 20});
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      const auto verdict = run(*instance, a_call());
      EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << verdict.ShortDebugString();
      EXPECT_THAT(verdict.failure().message(), HasSubstr("RecursionError"));
      EXPECT_LE(verdict.failure().stack_size(), 20);
    }).join();
  }
}

TEST_F(PythonBudget, ExceptionsOfAnyShapeAreABoundedFailure) {
  const std::pair<const char*, const char*> cases[] = {
      {"raise ValueError('x' * 100_000_000)", "ValueError: xxx"},
      {"raise ValueError('\\udcff\\u20ac')", "ValueError: \\udcff\xe2\x82\xac"},
      {"class E(Exception):\n    def __str__(self): raise E()\nraise E()", "E: (its text"},
      {"class E(Exception):\n    def __str__(self): return 5\nraise E()", "E: (its text"},
      {"e = ValueError()\ne.args = (e,)\nraise e", "ValueError"},
      {"raise SystemExit(5)", "SystemExit: 5"},
      {"raise KeyboardInterrupt", "KeyboardInterrupt"},
      {"raise GeneratorExit", "GeneratorExit"},
      {"raise None", "TypeError: exceptions must derive from BaseException"},
      {"import sys\nsys.exit('bye')", "SystemExit: bye"},
      {"raise lingate.Error('mine')", "mine"},
  };
  for (const auto& [body, message] : cases) {
    auto instance = load("import lingate\n" + hook_around(body), {.memory = std::uint64_t{1} << 30});
    const auto verdict = run(*instance, a_call());
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << body;
    EXPECT_THAT(verdict.failure().message(), ::testing::StartsWith(message)) << body;
    EXPECT_LE(verdict.ByteSizeLong(), 4096U) << body;
  }
  EXPECT_FALSE(run("class D:\n    def __del__(self): raise ValueError('late')\nD()").has_failure());
  const auto lines = host_.take();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0].message, HasSubstr("ValueError: late"));
}

// Calls that end around their deadline, each followed by one that has all the time it wants.
TEST_F(PythonBudget, AnInterruptNeverHitsTheNextCall) {
  auto instance = load(
      "import lingate, time\n"
      "def request(req):\n"
      "    if req.headers.get('x-key') == 'abc':\n"
      "        end = time.perf_counter() + 0.0010\n"
      "        while time.perf_counter() < end: pass\n"
      "    return lingate.respond(204)\n");
  int timeouts = 0;
  int finished = 0;
  // The watchdog looks every 5 ms, so how many calls of 1 ms it meets is chance: on until there were enough of both.
  for (int i = 0; i < 3000 || (i < 60'000 && (timeouts <= 10 || finished <= 10)); ++i) {
    const auto near = start(*instance, a_call(), 1, std::chrono::microseconds(200 + i % 1600));
    if (near.verdict.has_failure()) {
      const auto kind = near.verdict.failure().kind();
      EXPECT_TRUE(kind == plugin::Failure::TIMEOUT || kind == plugin::Failure::UNAVAILABLE);
      ++timeouts;
    } else {
      ++finished;
    }
    const auto next = start(*instance, innocent(), 1, std::chrono::seconds(20));
    ASSERT_EQ(next.verdict.answer().status(), 204U) << i << ": " << next.verdict.ShortDebugString();
  }
  EXPECT_GT(timeouts, 10);
  EXPECT_GT(finished, 10);
}

TEST_F(PythonBudget, AThreadThatWaitsDoesNotPayForItsNeighbour) {
  auto looping = load(script("while True: pass"));
  auto other = load(script("pass"));
  std::thread busy([&] { expect_stopped(*looping, "loop", plugin::Failure::TIMEOUT, milliseconds(200)); });
  for (int i = 0; i < 20; ++i) {
    const auto outcome = start(*other, innocent(), 2, std::chrono::seconds(20));
    EXPECT_EQ(outcome.verdict.answer().status(), 204U);
  }
  busy.join();
}

}  // namespace
}  // namespace lingate::runtimes::python
