#include "runtimes/value.h"
#include "tests/duktape/stage.h"

namespace lingate::runtimes::duktape::test {
namespace {

plugin::Failure fail(const std::string& body) {
  Stage stage(hook(body));
  const plugin::Verdict verdict = stage.run();
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << body;
  EXPECT_LE(verdict.failure().message().size(), 5000U);
  EXPECT_TRUE(is_utf8(verdict.failure().message()));
  EXPECT_FALSE(Stage::read(stage.start(2, Hook::request, call())).failure().message().empty());
  return verdict.failure();
}

TEST(DuktapeFailure, HasMessagePlaceAndStack) {
  const plugin::Failure failure =
      fail("function inner() {\n  throw new TypeError('h\\u00e9 \\ud83d\\ude00');\n}\ninner();");
  EXPECT_EQ(failure.message(), "TypeError: h\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(failure.file(), "scripts/test.js");
  EXPECT_EQ(failure.line(), 4U);
  ASSERT_EQ(failure.stack_size(), 2);
  EXPECT_EQ(failure.stack(0), "scripts/test.js:4: in inner");
  EXPECT_EQ(failure.stack(1).substr(0, 21), "scripts/test.js:6: in");
}

TEST(DuktapeFailure, RefusalsHaveTheLineOfTheScript) {
  const plugin::Failure failure = fail("\nreq.headers['Content-Length'] = '5';");
  EXPECT_EQ(failure.line(), 4U);
  EXPECT_EQ(fail("\n\nlingate.respond('x');").line(), 5U);
}

TEST(DuktapeFailure, StacksHaveAtMostTwentyFrames) {
  EXPECT_EQ(fail("function f(n) { if (n) return 1 + f(n - 1); throw new Error('deep'); } f(100);").stack_size(), 20);
}

TEST(DuktapeFailure, AnythingMayBeThrown) {
  const std::pair<const char*, const char*> cases[] = {
      {"throw null;", "null"},
      {"throw undefined;", "undefined"},
      {"throw 5;", "5"},
      {"throw 'text';", "text"},
      {"throw '\\ud83d';", "\xEF\xBF\xBD"},
      {"throw Symbol('x');", "a symbol was thrown"},
      {"throw {};", "an object was thrown"},
      {"throw {message: 'mine'};", "mine"},
      {"var a = []; a[0] = a; throw a;", "an object was thrown"},
      {"throw {get message() { throw 1; }};", "an error that itself fails when it is read"},
      {"throw {message: {toString: function () { throw 1; }}};", "an object was thrown"},
      {"throw new Proxy({}, {get: function () { throw 1; }});", "an error that itself fails when it is read"},
      {"var e = new Error('x'); Object.defineProperty(e, 'message', {get: function () { throw e; }}); throw e;",
       "an error that itself fails when it is read"},
      {"var e = new Error('x'); Object.defineProperty(e, 'name', {get: function () { throw e; }}); throw e;",
       "an error that itself fails when it is read"},
      {"var e = new Error('x'); e.stack = 5; e.fileName = {}; e.lineNumber = 'x'; throw e;", "x"},
      {"throw new Error();", "Error"},
      {"throw new TypeError();", "TypeError"},
      {"throw req;", "an error that itself fails when it is read"},
      {"throw function () {};", "an object was thrown"},
      {"throw new Uint8Array(5);", "an object was thrown"},
  };
  for (const auto& [body, message] : cases) {
    const plugin::Failure failure = fail(body);
    EXPECT_EQ(failure.message(), message) << body;
    EXPECT_EQ(failure.file(), "scripts/test.js") << body;
  }
}

TEST(DuktapeFailure, HugeMessagesAreCut) {
  EXPECT_LE(fail("throw new Error('x'.repeat(10000000));").message().size(), 4200U);
  EXPECT_LE(fail("throw '\\ud83d\\ude00'.repeat(1000000);").message().size(), 4200U);
  EXPECT_LE(fail("var f = function () { throw new Error('x'); }; Object.defineProperty(f, 'name', {value: "
                 "'n'.repeat(9000000)}); f();")
                .stack(0)
                .size(),
            300U);
}

TEST(DuktapeFailure, FunctionNamesAreReadWithoutRunningThem) {
  EXPECT_EQ(fail("function f() { throw new Error('x'); } Object.defineProperty(f, 'name', {get: function () { for "
                 "(;;); }}); f();")
                .message(),
            "x");
}

TEST(DuktapeFailure, NothingOfAFailedCallApplies) {
  Stage stage(
      hook("req.headers.A = '1'; ctx.x = 1; req.path = '/y'; lingate.respond(200, 'x'); throw new Error('no');"));
  const plugin::Verdict verdict = stage.run();
  EXPECT_FALSE(verdict.has_request());
  EXPECT_FALSE(verdict.has_context());
  EXPECT_FALSE(verdict.has_answer());
}

TEST(DuktapeFailure, TimeoutsSayWhere) {
  Stage stage(hook("function spin() { for (;;); }\nspin();"));
  stage.instance();
  stage.budget = std::chrono::milliseconds(300);
  const plugin::Verdict verdict = stage.run();
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::TIMEOUT);
  EXPECT_EQ(verdict.failure().line(), 3U);
  EXPECT_EQ(verdict.failure().message(), "the script ran past its budget");
}

}  // namespace
}  // namespace lingate::runtimes::duktape::test
