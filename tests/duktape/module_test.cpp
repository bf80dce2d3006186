#include <filesystem>
#include <fstream>

#include "tests/duktape/stage.h"

namespace lingate::runtimes::duktape::test {
namespace {

namespace fs = std::filesystem;

TEST(DuktapeModule, EncodesAndDecodes) {
  EXPECT_EQ(answer("return lingate.respond(200, lingate.json.encode({a: [1, 1.5, 'h\\u00e9', null, true], b: {}}));"),
            "{\"a\":[1,1.5,\"h\xC3\xA9\",null,true],\"b\":{}}");
  EXPECT_EQ(
      answer(
          "var v = lingate.json.decode('{\"__proto__\": 1, \"a\": {\"b\": [1, {}]}, \"s\": \"\\\\ud83d\\\\ude00\"}');"
          "return lingate.respond(200, Object.keys(v).join() + JSON.stringify(v.a) + v.s.length);"),
      "__proto__,a,s{\"b\":[1,{}]}2");
  EXPECT_EQ(answer("return lingate.respond(200, lingate.base64.encode('h\\u00e9?>') + ' ' + lingate.base64.encode("
                   "new Uint8Array([251, 255]), 'url') + ' ' + lingate.base64.decode('AP8=')[1]);"),
            "aMOpPz4= -_8 255");
  EXPECT_EQ(
      answer(
          "return lingate.respond(200, lingate.crypto.sha256('abc').slice(0, 8) + ' ' + lingate.crypto.hmac('k', 'x', "
          "'base64').length + ' ' + lingate.crypto.sha256('', 'raw').length + ' ' + lingate.crypto.equal('a', "
          "new Uint8Array([97])) + lingate.crypto.equal('a', 'b') + ' ' + lingate.crypto.random(9).length);"),
      "ba7816bf 44 32 truefalse 9");
  EXPECT_EQ(answer("var q = lingate.query.parse('a=1&b=x%20y&a=2'); return lingate.respond(200, JSON.stringify(q) + "
                   "lingate.query.build({n: 1, l: ['a', 'b c'], t: true}));"),
            "{\"a\":[\"1\",\"2\"],\"b\":\"x y\"}n=1&l=a&l=b+c&t=true");
  EXPECT_EQ(
      answer(
          "return lingate.respond(200, [lingate.null === null, lingate.array([1, 2]).length, lingate.array().length, "
          "Math.abs(lingate.now() - Date.now() / 1000) < 5].join());"),
      "true,2,0,true");
}

TEST(DuktapeModule, WrongArgumentsAreCatchableErrors) {
  for (const char* const statement : {"lingate.json.decode('{')",
                                      "lingate.json.decode(5)",
                                      "lingate.json.encode(undefined)",
                                      "lingate.json.encode(function () {})",
                                      "lingate.base64.decode('*')",
                                      "lingate.base64.encode({})",
                                      "lingate.base64.encode('a', 'x')",
                                      "lingate.crypto.sha256('a', 'x')",
                                      "lingate.crypto.sha256()",
                                      "lingate.crypto.random(0)",
                                      "lingate.crypto.random('x')",
                                      "lingate.query.parse('%ff')",
                                      "lingate.query.build({a: {}})",
                                      "lingate.query.build(5)",
                                      "lingate.array({})",
                                      "lingate.sleep('x')",
                                      "lingate.sleep(-1)",
                                      "lingate.log.info('x', 5)",
                                      "lingate.log.info('x', {f: function () {}})",
                                      "require('nothing')",
                                      "require(5)"})
    EXPECT_EQ(answer(std::string("try { ") + statement + "; } catch (e) { return lingate.respond(200, 'caught'); }"),
              "caught")
        << statement;
}

TEST(DuktapeModule, LogsWithLevelAndFields) {
  Stage stage(hook(
      "lingate.log.warn('h\\u00e9\\ud83d', {a: [1]}); console.log('x', {b: 1}, [2], null, undefined, 5); print('y');"
      "console.error(new Error('bad').message); lingate.log.debug(5); console.log(function () {} === 1, {toString: "
      "null}, req.client);"));
  EXPECT_FALSE(stage.run().has_failure());
  const auto& lines = stage.host.lines;
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0].level, LogLevel::warn);
  EXPECT_EQ(lines[0].message, "h\xC3\xA9\xEF\xBF\xBD");
  EXPECT_EQ(lines[0].fields, "{\"a\":[1]}");
  EXPECT_EQ(lines[0].tag, &stage);
  EXPECT_EQ(lines[1].message, "x {\"b\":1} [2] null undefined 5");
  EXPECT_EQ(lines[1].level, LogLevel::info);
  EXPECT_EQ(lines[3].level, LogLevel::error);
  EXPECT_EQ(lines[4].message, "5");
}

TEST(DuktapeModule, LongLogLinesAreCut) {
  Stage stage(hook("lingate.log.info('h\\u00e9'.repeat(1000000));"));
  EXPECT_FALSE(stage.run().has_failure());
  EXPECT_LE(stage.host.lines.at(0).message.size(), 4096U);
}

TEST(DuktapeModule, ConfigAndInit) {
  plugin::Value config;
  auto& member = *config.mutable_members()->add_members();
  member.set_name("header");
  member.mutable_value()->set_text("X-Tenant");
  Stage stage(
      "var lingate = require('lingate'), name;\n"
      "exports.init = function (config) { name = config.header + (config === lingate.config); };\n"
      "exports.request = function () { return lingate.respond(200, name); };");
  stage.script.config = config.SerializeAsString();
  EXPECT_EQ(stage.run().answer().body(), "X-Tenanttrue");
}

TEST(DuktapeModule, TheGlobalEnvironmentIsFrozen) {
  for (const char* const statement : {"Object.prototype.x = 1",
                                      "Array.prototype.push = null",
                                      "x = 1",
                                      "globalThis.x = 1",
                                      "Math.max = null",
                                      "lingate.log.info = null",
                                      "JSON.parse = null",
                                      "console.log = null",
                                      "RegExp.prototype.exec = null",
                                      "String.prototype.x = 1",
                                      "Date.now = null",
                                      "Date.prototype.setTime(1)",
                                      "Date.prototype.setUTCFullYear(1)",
                                      "require.x = 1",
                                      "require.prototype.x = 1",
                                      "Uint8Array.prototype.set = null",
                                      "Error.prototype.name = 'x'",
                                      "(function () {}).constructor.prototype.x = 1",
                                      "Object.getPrototypeOf(Uint8Array.prototype).x = 1",
                                      "lingate.config = 1",
                                      "delete Object.prototype.toString",
                                      "Object.defineProperty(Object.prototype, 'x', {value: 1})",
                                      "Object.setPrototypeOf(Array.prototype, {})",
                                      "Symbol.iterator = 1",
                                      "Symbol.prototype.x = 1",
                                      "Reflect.get = 1",
                                      "new TextDecoder().constructor.prototype.x = 1"})
    EXPECT_EQ(answer(std::string("try { ") + statement + "; } catch (e) { return lingate.respond(200, 'caught'); }"),
              "caught")
        << statement;
  EXPECT_EQ(answer("Function('y = 1; this.z = 2; Object.prototype.w = 3')(); return lingate.respond(200, typeof y + "
                   "typeof z + ({}).w);"),
            "undefinedundefinedundefined");
}

TEST(DuktapeModule, OwnPropertiesMayHideFrozenOnes) {
  EXPECT_EQ(answer("function Mine(m) { this.message = m; } Mine.prototype = Object.create(Error.prototype);"
                   "Mine.prototype.constructor = Mine; Mine.prototype.name = 'Mine'; Mine.prototype.toString = "
                   "function () { return 'm'; };"
                   "var e = new Mine('x'), o = {}; o.toString = function () { return 'o'; }; o.constructor = 5;"
                   "return lingate.respond(200, e.name + e + o + o.constructor + (e instanceof Error));"),
            "Minemo5true");
}

TEST(DuktapeModule, NothingOfTheEngineIsReachable) {
  EXPECT_EQ(
      answer("return lingate.respond(200, [typeof Duktape, typeof CBOR, typeof Buffer, typeof String.fromBufferRaw, "
             "typeof Uint8Array.allocPlain, typeof process, typeof setTimeout, typeof module, typeof Thread].join());"),
      "undefined,undefined,undefined,undefined,undefined,undefined,undefined,object,undefined");
}

TEST(DuktapeModule, ModuleStateLastsBetweenCalls) {
  Stage stage("var n = 0; exports.request = function () { return require('lingate').respond(200, String(++n)); };");
  EXPECT_EQ(stage.run().answer().body(), "1");
  EXPECT_EQ(stage.run().answer().body(), "2");
}

// ---- require ----

class DuktapeRequire : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("lingate-js-" + std::to_string(::getpid()) + "-" +
                                         ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_ / "scripts/sub");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  void place(Stage& stage) { stage.script.path = (root_ / "scripts/main.js").string(); }

  fs::path root_;
};

TEST_F(DuktapeRequire, FindsModulesBesideTheScript) {
  write("scripts/a.js", "exports.b = require('./sub/b'); exports.name = 'a';");
  write("scripts/sub/b.js",
        "module.exports = function () { return require('../a').name + require('./c').n + require('sub/c').n; };");
  write("scripts/sub/c.js", "exports.n = (exports.n || 0) + 1;");
  Stage stage(
      "var a = require('./a'), text = a.b() + (a === require('a.js'));\n"
      "exports.request = function () { return require('lingate').respond(200, text); };");
  place(stage);
  EXPECT_EQ(stage.run().answer().body(), "a11true");
  const auto files = stage.instance().dependencies();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0], (root_ / "scripts/a.js").string());
}

TEST_F(DuktapeRequire, CyclesSeeWhatIsThereSoFar) {
  write("scripts/a.js", "exports.early = 1; exports.seen = require('./b').seen; exports.late = 1;");
  write("scripts/b.js", "var a = require('./a'); exports.seen = a.early + ' ' + a.late;");
  Stage stage(
      "exports.request = function () {}; if (require('./a').seen !== '1 undefined') throw new "
      "Error(require('./a').seen);");
  place(stage);
  EXPECT_FALSE(stage.run().has_failure());
}

TEST_F(DuktapeRequire, NothingOutsideTheFolder) {
  write("outside.js", "exports.x = 1;");
  fs::create_symlink(root_ / "outside.js", root_ / "scripts/link.js");
  for (const std::string& name :
       {std::string("../outside"), (root_ / "outside").string(), std::string("./link"),
        std::string("sub/../../outside"), std::string("."), std::string("./sub"), std::string("x\\0y")}) {
    Stage stage("var message = 'none'; try { require('" + name +
                "'); } catch (e) { message = e.message; }\n"
                "exports.request = function () { return require('lingate').respond(200, message); };");
    place(stage);
    EXPECT_EQ(stage.run().answer().body().substr(0, 9), "require('") << name;
  }
}

TEST_F(DuktapeRequire, FilesAreReadOnlyWhileLoading) {
  write("scripts/a.js", "");
  Stage stage("exports.request = function () { require('./a'); };");
  place(stage);
  EXPECT_EQ(stage.run().failure().kind(), plugin::Failure::EXCEPTION);
}

TEST_F(DuktapeRequire, ErrorsNameTheModule) {
  write("scripts/bad.js", "var x = 1;\nvar y = ;\n");
  write("scripts/throws.js", "\n\nthrow new Error('no');");
  Stage syntax("require('./bad');");
  place(syntax);
  const LoadError first = syntax.load_error();
  EXPECT_EQ(first.file, (root_ / "scripts/bad.js").string());
  EXPECT_EQ(first.line, 2U);
  Stage thrown("\nrequire('./throws');");
  place(thrown);
  const LoadError second = thrown.load_error();
  EXPECT_EQ(second.line, 3U);
  EXPECT_EQ(second.message, "no");
  ASSERT_EQ(second.stack.size(), 2U);
}

// ---- load errors ----

TEST(DuktapeLoad, ErrorsHaveTheirPlace) {
  const LoadError syntax = Stage("var a = 1;\nvar b = (;\n").load_error();
  EXPECT_EQ(syntax.kind, FailureKind::exception);
  EXPECT_EQ(syntax.file, "scripts/test.js");
  EXPECT_EQ(syntax.line, 2U);
  EXPECT_NE(syntax.message.find("SyntaxError"), std::string::npos) << syntax.message;
  const LoadError thrown = Stage("exports.request = function () {};\n\nnull.x;").load_error();
  EXPECT_EQ(thrown.line, 3U);
  EXPECT_EQ(thrown.message.substr(0, 10), "TypeError:");
  EXPECT_EQ(Stage("exports.request = 5;").load_error().message, "exports.request is no function");
  EXPECT_EQ(Stage("exports.init = function () {};").load_error().message.substr(0, 22), "the script has no hook");
  EXPECT_EQ(Stage("exports.request = function () {}; exports.init = function () {\n throw new Error('x'); };")
                .load_error()
                .line,
            2U);
  EXPECT_EQ(Stage("exports.request = function () {}; require('lingate').sleep(1);").load_error().message,
            "lingate.sleep cannot wait while the script is loaded");
  EXPECT_EQ(Stage("}); (function () {").load_error().kind, FailureKind::exception);
}

TEST(DuktapeLoad, BudgetAndMemoryHold) {
  Stage endless("for (;;) { try { for (;;); } catch (e) {} }");
  endless.script.init_budget = std::chrono::milliseconds(50);
  EXPECT_EQ(endless.load_error().kind, FailureKind::timeout);
  Stage large("var a = []; for (;;) a.push('x'.repeat(1000) + a.length);", 4 * 1024 * 1024);
  EXPECT_EQ(large.load_error().kind, FailureKind::memory);
  Stage tiny("exports.request = function () {};", 1000);
  EXPECT_EQ(tiny.load_error().kind, FailureKind::memory);
  Stage small("exports.request = function () {};", 64 * 1024);
  EXPECT_EQ(small.load_error().kind, FailureKind::memory);
}

}  // namespace
}  // namespace lingate::runtimes::duktape::test
