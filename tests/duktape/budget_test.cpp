// Runaway scripts: each is stopped, and the next call on the same instance succeeds.
#include <thread>

#include <pthread.h>

#include "tests/duktape/stage.h"

namespace lingate::runtimes::duktape::test {
namespace {

using std::chrono::milliseconds;

// Lateness is measured in the thread's own CPU time: the machine may be busy with other things.
constexpr auto kBudget = milliseconds(30);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto kLatest = milliseconds(1000);
#else
constexpr auto kLatest = milliseconds(50);
#endif

std::chrono::nanoseconds cpu_time() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void expect_stopped(const std::string& body, std::uint64_t memory = 64 * 1024 * 1024) {
  Stage stage(
      "var lingate = require('lingate'), kept = [];\nexports.request = function (req, ctx) {\n"
      "  if (req.headers.innocent) return lingate.respond(200, 'well');\n" +
          body + "\n};",
      memory);
  stage.instance();
  stage.budget = kBudget;
  const auto before = cpu_time();
  const plugin::Verdict verdict = stage.run();
  const auto took = cpu_time() - before;
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::TIMEOUT) << body << ": " << verdict.failure().message();
  EXPECT_LT(took, kBudget + kLatest) << body;
  stage.budget = std::chrono::seconds(60);
  EXPECT_EQ(stage.run(call({{"innocent", "1"}})).answer().body(), "well") << body;
  EXPECT_TRUE(stage.instance().usable()) << body;
  ::testing::Test::RecordProperty(
      "late_us", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(took - kBudget).count()));
}

class DuktapeBudget : public ::testing::TestWithParam<const char*> {};

TEST_P(DuktapeBudget, StopsIt) {
  expect_stopped(GetParam());
}

constexpr const char* kLoops[] = {
    "for (;;);",
    "for (;;) { try { for (;;); } catch (e) {} }",
    "function f() { try { for (;;); } finally { f(); } } f();",
    "try { for (;;); } finally { for (;;); }",
    "for (;;) try { for (;;) ctx.x = 1; } catch (e) { continue; } finally { continue; }",
    "for (;;) { try { null.x; } catch (e) {} }",
    "var o = {get x() { return this.x2; }, get x2() { for (;;); }}; for (;;) try { o.x; } catch (e) {}",
    "[2, 1, 3].sort(function () { for (;;); });",
    "'' + {toString: function () { for (;;); }};",
    "JSON.stringify({toJSON: function () { for (;;); }});",
    "new Proxy({}, {get: function () { for (;;); }}).x;",
    "'x'.replace(/x/, function () { for (;;); });",
    "for (;;) req.headers.a;",
    "for (;;) try { req.path = 'x'; } catch (e) {}",
    "for (;;) try { req.nothing; } catch (e) {}",
    "for (;;) lingate.respond(200, {a: [1, 2, 3]});",
    "for (;;) eval('1 + 1');",
    "for (;;) Function('return 1')();",
    "ctx.x = 1; for (;;) Object.keys(ctx);",
    "throw {get message() { for (;;); }};",
    "throw {toString: function () { for (;;); }, get message() { for (;;); }};"};

INSTANTIATE_TEST_SUITE_P(Loops, DuktapeBudget, ::testing::ValuesIn(kLoops));

constexpr const char* kNatives[] = {
    "Array.prototype.indexOf.call({length: 2147483647}, 1);",
    "Array.prototype.lastIndexOf.call({length: 2147483647}, 1);",
    "new Array(2147483647).join('');",
    "for (;;) try { [].indexOf.call({length: 2147483647}, 1); } catch (e) {}",
    "var a = []; a[2147483646] = 1; a[5] = 2; a.sort();",
    "var a = []; a.length = 4294967295; a.reverse();",
    "Array.prototype.forEach.call({length: 2147483647}, function () {});",
    "Array.prototype.every.call({length: 2147483647}, function () {});",
    "Array.prototype.reduce.call({length: 2147483647, 0: 1}, function () {});",
    "Array.prototype.slice.call({length: 2147483647});",
    "Array.prototype.splice.call({length: 2147483647}, 0, 0, 1);",
    "Array.prototype.shift.call({length: 2147483647});",
    "Array.prototype.unshift.call({length: 2147483647}, 1);",
    "Array.prototype.concat.call([], new Array(2147483647), new Array(2147483647));",
    "Array.prototype.join.call({length: 2147483647}, '');",
    "[].map.call({length: 2147483647}, function () {});",
    "new Uint8Array({length: 60000000});",
    "var u = new Uint8Array(10); for (;;) u.set({length: 10});",
    "var f = new Float64Array(3000000), i = new Int32Array(3000000); for (;;) f.set(i);",
    "for (;;) new Int16Array(new Float32Array(1000000));",
    "Object.keys(new Uint8Array(20000000));",
    "var s = 'a'.repeat(10000000), t = 'a'.repeat(5000000) + 'b'; for (;;) s.indexOf(t);",
    "var s = 'a'.repeat(10000000), t = 'a'.repeat(5000000) + 'b'; s.lastIndexOf(t);",
    "var s = 'a'.repeat(10000000), t = 'a'.repeat(5000000) + 'b'; s.replace(t, '');",
    "var s = 'a'.repeat(10000000), t = 'a'.repeat(5000000) + 'b'; s.split(t);",
    "var s = 'a'.repeat(10000000), t = 'a'.repeat(5000000) + 'b'; s.includes(t);",
    "var s = 'aB'.repeat(2000000); for (;;) s.toUpperCase();",
    "var s = ' '.repeat(9000000) + 'x'; for (;;) s.trim();",
    "var s = '\\u00e9'.repeat(2000000); for (;;) encodeURIComponent(s);",
    "var s = '%41'.repeat(2000000); for (;;) decodeURIComponent(s);",
    "var s = '\\u00e9'.repeat(2000000); for (;;) escape(s);",
    "var s = '1'.repeat(9000000); for (;;) Number(s);",
    "var s = '1'.repeat(9000000); for (;;) parseInt(s);",
    "var s = 'x'.repeat(9000000); for (;;) s + 'y' + Math.random();",
    "for (;;) 'xy'.repeat(5000000);",
    "var s = '\\u00e9'.repeat(5000000); for (;;) { s.charCodeAt(4999999); s.charCodeAt(1); }",
    "var a = 'x'.repeat(9000000) + 'a', b = 'x'.repeat(9000000) + 'b'; for (;;) a < b;",
    "var a = 'x'.repeat(9000000) + 'a', b = 'x'.repeat(9000000) + 'b'; for (;;) a.localeCompare(b);",
    "var s = '\"' + 'x'.repeat(9000000) + '\"'; for (;;) JSON.parse(s);",
    "var s = '[' + '1,'.repeat(1000000) + '1]'; for (;;) JSON.parse(s);",
    "var s = ' '.repeat(9000000) + '1'; for (;;) JSON.parse(s);",
    "var a = []; for (var i = 0; i < 300000; i++) a.push(i); for (;;) JSON.stringify(a);",
    "JSON.stringify(new Array(2147483647));",
    "var s = 'x\\n'.repeat(3000000); for (;;) JSON.stringify(s);",
    "var o = {}; for (var i = 0; i < 100000; i++) o['k' + i] = i; for (;;) JSON.stringify(o);",
    "var o = {}; for (var i = 90000; i > 0; i--) o[i] = i; for (;;) Object.keys(o);",
    "var s = 'y'.repeat(5000000); for (;;) new TextEncoder().encode(s);",
    "var u = new Uint8Array(4000000); for (;;) new TextDecoder().decode(u);",
    "var s = '//' + 'x'.repeat(20000000); for (;;) eval(s);",
    "var s = '1;'.repeat(1000000); for (;;) eval(s);",
    "var s = 'x'.repeat(20000000); for (;;) eval('\"' + s + '\"');",
    "var p = {}; for (var i = 0; i < 9000; i++) p = Object.create(p); for (;;) p.x;",
    "var p = {}; for (var i = 0; i < 9000; i++) p = Object.create(p); for (;;) p instanceof Array;",
    "var p = {}; for (var i = 0; i < 200000; i++) p = Object.create(p); for (;;) Object.setPrototypeOf({}, p);",
    "for (;;) Math.max.apply(null, new Array(200000));",
    "var s = 'x'.repeat(20000000); for (;;) lingate.log.info(s);",
    "var s = 'x'.repeat(1000000); for (;;) lingate.crypto.sha256(s);",
    "var a = []; for (var i = 0; i < 100000; i++) a.push('x' + i); for (;;) lingate.json.encode(a);"};

INSTANTIATE_TEST_SUITE_P(Natives, DuktapeBudget, ::testing::ValuesIn(kNatives));

constexpr const char* kPatterns[] = {
    "/^(a+)+$/.test('a'.repeat(40) + 'b');",
    "/(x+x+)+y/.test('x'.repeat(40));",
    "for (;;) try { /^(a+)+$/.test('a'.repeat(40) + 'b'); } catch (e) {}",
    "'a'.repeat(30000).match(/a*a*a*b/);",
    "'a'.repeat(40).replace(/(a|aa)+$b/, '');",
    "('a'.repeat(40) + 'b').split(/(a|aa)+c/);",
    "var s = 'x'.repeat(3000000); for (;;) /y/.test(s);",
    "/(.{1,30000})\\1b/.test('a'.repeat(60000));",
    "for (;;) new RegExp('(' + 'a|'.repeat(5000) + 'b)');",
    "for (;;) new RegExp('[\\u0000-\\uffff]', 'i');",
    "for (;;) new RegExp('((a{1000}){1000}){100}');",
    "for (;;) 'abc'.search(/c/);",
    "var r = new RegExp('[' + 'a-bc-de-f'.repeat(20000) + ']'), s = 'x'.repeat(100000); for (;;) r.test(s);"};

INSTANTIATE_TEST_SUITE_P(Patterns, DuktapeBudget, ::testing::ValuesIn(kPatterns));

// ---- memory ----

void expect_out_of_memory(const std::string& body) {
  constexpr std::uint64_t kLimit = 16 * 1024 * 1024;
  Stage stage(
      "var lingate = require('lingate');\nexports.request = function (req, ctx) {\n"
      "  if (req.headers.innocent) return lingate.respond(200, 'well');\n" +
          body + "\n};",
      kLimit);
  const std::uint64_t base = stage.instance().memory().used;
  for (int round = 0; round < 2; ++round) {
    const plugin::Verdict verdict = stage.run();
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::MEMORY) << body << ": " << verdict.failure().message();
    EXPECT_LT(stage.instance().memory().used, base + base / 10) << body;
    EXPECT_EQ(stage.run(call({{"innocent", "1"}})).answer().body(), "well") << body;
  }
  EXPECT_TRUE(stage.instance().usable()) << body;
}

class DuktapeMemory : public ::testing::TestWithParam<const char*> {};

TEST_P(DuktapeMemory, EndsTheCallAndComesBack) {
  expect_out_of_memory(GetParam());
}

constexpr const char* kHungry[] = {
    "var a = []; for (;;) a.push({});",
    "var s = 'x'; for (;;) s += s;",
    "new Uint8Array(1000000000);",
    "for (;;) try { new Uint8Array(1000000000); } catch (e) {}",
    "try { 'x'.repeat(1000000000); } catch (e) { return lingate.respond(200, 'survived'); }",
    "try { 'x'.repeat(1000000000); } finally { return lingate.respond(200, 'survived'); }",
    "var a = []; for (;;) try { for (;;) a.push(new Array(1000)); } catch (e) {}",
    "var o = {}; for (var i = 0;; i++) o['k' + i] = i;",
    "var a = []; for (;;) a = [a, a];",
    "var l; for (;;) { var n = {l: l}; n.self = n; l = n; }",
    "new Array(100000000).join('xxxxxxxxxxxx');",
    "JSON.stringify(Array.apply(null, new Array(100000)).map(function () { return 'x'.repeat(1000); }));",
    "JSON.parse('[' + '[],'.repeat(400000) + '0]');",
    "lingate.json.decode('[' + '{\"a\":1},'.repeat(400000) + '0]');",
    "var s = ''; for (;;) s = [s, s, 'x'].join();",
    "throw new Error('x'.repeat(30000000));",
    "eval('var a = [' + '1,'.repeat(4000000) + ']');",
    "new RegExp('(((a|b){1000}){1000}){1000}');",
    "ctx.x = []; for (;;) ctx.x.push('y'.repeat(1000) + ctx.x.length);"};

INSTANTIATE_TEST_SUITE_P(All, DuktapeMemory, ::testing::ValuesIn(kHungry));

TEST(DuktapeModuleState, WhatModuleStateKeepsMakesTheInstanceUnusable) {
  Stage stage("var kept = []; exports.request = function () { for (;;) kept.push({}); };", 4 * 1024 * 1024);
  EXPECT_EQ(stage.run().failure().kind(), plugin::Failure::MEMORY);
  EXPECT_FALSE(stage.instance().usable());
}

TEST(DuktapeModuleState, GarbageInCyclesGoesInIdleTime) {
  Stage stage(hook("for (var i = 0; i < 5000; i++) { var n = {}; n.n = n; }"));
  const std::uint64_t base = stage.instance().memory().used;
  EXPECT_FALSE(stage.run().has_failure());
  EXPECT_GT(stage.instance().memory().used, base + 400000);
  stage.instance().idle_step();
  EXPECT_LT(stage.instance().memory().used, base + base / 10);
}

// ---- collecting ----

std::chrono::nanoseconds time_to_collect(int nodes) {
  Stage stage("var head = {}; for (var i = 0, tail = head; i < " + std::to_string(nodes) +
              "; i++) tail = tail.n = {};\n"
              "exports.request = function () { for (var i = 0; i < 5000; i++) { var n = {}; n.n = n; } };");
  auto best = std::chrono::nanoseconds::max();
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(stage.run().has_failure());
    const auto begin = cpu_time();
    stage.instance().idle_step();
    best = std::min(best, cpu_time() - begin);
  }
  return best;
}

TEST(DuktapeCollection, TakesTimeInProportionToWhatIsThere) {
  // Sixteen times as much is there, which caches make 60 times at most. With a new search for each deep place it was
  // some 300 times: each node is newer than the one that leads to it, so that a search finds one place.
  EXPECT_LT(time_to_collect(240'000), 128 * time_to_collect(15'000));
}

// ---- recursion, also on a small stack ----

constexpr const char* kDeep[] = {
    "function f() { f(); } f();",
    "function f() { [1].forEach(f); } f();",
    "JSON.parse('['.repeat(100000));",
    "JSON.parse('{\"a\":'.repeat(100000));",
    "var a = []; for (var i = 0; i < 100000; i++) a = [a]; JSON.stringify(a);",
    "var a = []; for (var i = 0; i < 100000; i++) a = [a]; String(a);",
    "var a = []; for (var i = 0; i < 100000; i++) a = {a: a, toJSON: function () { return this.a; }}; "
    "JSON.stringify(a, null, 2);",
    "var o = {toJSON: function () { return JSON.stringify(o); }}; JSON.stringify(o);",
    "var o = {toString: function () { return '' + o; }}; '' + o;",
    "var o = {get x() { return this.x; }}; o.x;",
    "var p = new Proxy({}, {get: function (t, k) { return p[k]; }}); p.x;",
    "new RegExp('('.repeat(100000));",
    "new RegExp('(?:'.repeat(50000) + ')'.repeat(50000));",
    "/(?:a|b)*c/.test('ab'.repeat(500000));",
    "/^(.)*$/.test('x'.repeat(1000000));",
    "eval('('.repeat(100000));",
    "eval('['.repeat(100000));",
    "eval('-'.repeat(100001) + '1');",
    "eval('x' + '.x'.repeat(10) + '=function(){'.repeat(1) + 'function f(){'.repeat(20000));",
    "eval('if(1)'.repeat(100000) + ';');",
    "eval('{'.repeat(100000));",
    "var s = 'return 1'; for (var i = 0; i < 3000; i++) Function(s);  eval('1+('.repeat(50000) + '1' + "
    "')'.repeat(50000));",
    "var f = function () { throw new Error('end'); }; for (var i = 0; i < 20000; i++) f = f.bind(null); f();",
    "'x'.replace(/x/, function f() { return 'x'.replace(/x/, f); });",
    "[1, 2].sort(function f() { [1, 2].sort(f); });",
    "(function f() { f.apply(null, arguments); })();",
    "(function f() { new f(); })();",
    "(function f() { eval('f()'); })();",
    "var o = {valueOf: function () { return +o; }}; +o;",
    "var a = []; a[0] = a; for (var i = 0; i < 9; i++) a = [a]; (function f(x) { x.map(f); })(a);",
    "Object.defineProperty({}, 'x', {get: function f() { return this.x; }}).x;",
    "require('lingate').json.encode((function d(n) { var a = []; for (var i = 0; i < n; i++) a = [a]; return a; "
    "})(100000));",
};

void expect_deep_is_an_exception() {
  for (const char* const body : kDeep) {
    Stage stage(
        "var lingate = require('lingate');\nexports.request = function (req, ctx) {\n"
        "  if (req.headers.innocent) return lingate.respond(200, 'well');\n" +
        std::string(body) + "\n};");
    const plugin::Verdict verdict = stage.run();
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << body << ": " << verdict.failure().message();
    EXPECT_EQ(stage.run(call({{"innocent", "1"}})).answer().body(), "well") << body;
  }
}

TEST(DuktapeRecursion, IsAnException) {
  expect_deep_is_an_exception();
}

TEST(DuktapeRecursion, IsAnExceptionOnASmallStack) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 512 * 1024), 0);
  pthread_t thread;
  const auto run = [](void*) -> void* {
    expect_deep_is_an_exception();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace
}  // namespace lingate::runtimes::duktape::test
