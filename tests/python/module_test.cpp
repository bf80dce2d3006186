// The lingate module, imports, logs, loading.
#include "tests/python/stage.h"

namespace lingate::runtimes::python {
namespace {

using ::testing::HasSubstr;

class PythonModule : public Stage {};

TEST_F(PythonModule, FunctionsGiveWhatEveryLanguageGives) {
  EXPECT_EQ(eval("1.7e9 < lingate.now() < 1e11, lingate.null is None, lingate.array((1, 2))"), "[true,true,[1,2]]");
  EXPECT_EQ(eval("lingate.json.encode({'a': [1, 2.5, None]}), lingate.json.decode('[1, {\"b\": \"\\u00e9\"}]')"),
            "[\"{\\\"a\\\":[1,2.5,null]}\",[1,{\"b\":\"\xc3\xa9\"}]]");
  EXPECT_EQ(eval("lingate.base64.encode('a?>~'), lingate.base64.encode(b'a?>~', 'url'), "
                 "len(lingate.base64.decode('/wA='))"),
            R"(["YT8+fg==","YT8-fg",2])");
  EXPECT_EQ(eval("lingate.crypto.sha256('abc')[:8], len(lingate.crypto.sha256(b'abc', 'raw')), "
                 "lingate.crypto.hmac('key', 'data')[:8], lingate.crypto.equal('ab', b'ab'), "
                 "len(lingate.crypto.random(16))"),
            R"(["ba7816bf",32,"5031fe3d",true,16])");
  EXPECT_EQ(eval("lingate.query.parse('a=1&b=x+y%21&a=2&c'), lingate.query.build({'a': ['1', 'x y']})"),
            R"([{"a":["1","2"],"b":"x y!","c":""},"a=1&a=x+y"])");
  for (const char* bad : {"lingate.json.decode('{')", "lingate.json.encode({1, 2})", "lingate.base64.decode('!')",
                          "lingate.crypto.random(0)", "lingate.crypto.sha256('a', 'octal')",
                          "lingate.query.parse('%ff')", "lingate.base64.encode(5)"})
    EXPECT_EQ(run(bad).failure().kind(), plugin::Failure::EXCEPTION) << bad;
}

TEST_F(PythonModule, NoneIsNeverAnEmptyValue) {
  for (const char* bad :
       {"lingate.crypto.equal(None, None)", "lingate.crypto.equal('', None)", "lingate.crypto.hmac(None, 'x')",
        "lingate.crypto.hmac('x', None)", "lingate.crypto.sha256(None)", "lingate.base64.encode(None)",
        "lingate.base64.decode(None)", "lingate.query.parse(None)", "lingate.json.decode(None)"}) {
    const auto failure = run(bad).failure();
    EXPECT_EQ(failure.kind(), plugin::Failure::EXCEPTION) << bad;
    EXPECT_THAT(failure.message(), HasSubstr("must be str or bytes, not NoneType")) << bad;
  }
  EXPECT_TRUE(run("req.body = None\nassert req.body == b''").request().has_body());
  EXPECT_EQ(run("return lingate.respond(200, None)").answer().body(), "");
}

TEST_F(PythonModule, ConfigBelongsToTheInstance) {
  plugin::Value one;
  auto& member = *one.mutable_members()->add_members();
  member.set_name("who");
  member.mutable_value()->set_text("one");
  plugin::Value two = one;
  two.mutable_members()->mutable_members(0)->mutable_value()->set_text("two");
  const std::string source =
      "import lingate\nfrom lingate import config\n"
      "count = 0\n"
      "def init(given): assert given == config\n"
      "def request():\n"
      "    global count\n"
      "    count += 1\n"
      "    return lingate.respond(200, [lingate.config['who'], count])\n";
  auto first = load(source, {.config = one});
  auto second = load(source, {.config = two});
  EXPECT_EQ(run(*first, a_call()).answer().body(), R"(["one",1])");
  EXPECT_EQ(run(*first, a_call()).answer().body(), R"(["one",2])");
  EXPECT_EQ(run(*second, a_call()).answer().body(), R"(["two",1])");
}

TEST_F(PythonModule, ScriptsAndHelpersOfOneNameDoNotClash) {
  for (const char* place : {"a", "b"}) {
    const std::string folder = place;
    write(folder + "/helper.py", "import lingate, json\nname = '" + folder + "'\ncount = 0\nwho = lingate.config\n");
    write(folder + "/pack/__init__.py", "from . import part\nfrom .part import deep\nimport helper\n");
    write(folder + "/pack/part.py", "import helper as h\ndeep = h.name + '!'\n");
  }
  const std::string source =
      "import lingate, helper, pack.part, json, os.path\n"
      "from pack import deep\n"
      "from helper import name as n\n"
      "def request():\n"
      "    helper.count += 1\n"
      "    import helper as again\n"
      "    return lingate.respond(200, [n, deep, pack.part.deep, again.count, json.dumps(1), pack.helper is helper])\n";
  auto a = load(source, {.name = "a/same.py"});
  auto b = load(source, {.name = "b/same.py"});
  auto again = load(source, {.name = "a/same.py"});
  ASSERT_TRUE(a && b && again);
  EXPECT_EQ(run(*a, a_call()).answer().body(), R"(["a","a!","a!",1,"1",true])");
  EXPECT_EQ(run(*a, a_call()).answer().body(), R"(["a","a!","a!",2,"1",true])");
  EXPECT_EQ(run(*b, a_call()).answer().body(), R"(["b","b!","b!",1,"1",true])");
  EXPECT_EQ(run(*again, a_call()).answer().body(), R"(["a","a!","a!",1,"1",true])");
  EXPECT_THAT(a->dependencies(), ::testing::UnorderedElementsAre((folder_ / "a/helper.py").string(),
                                                                 (folder_ / "a/pack/__init__.py").string(),
                                                                 (folder_ / "a/pack/part.py").string()));
}

TEST_F(PythonModule, DataclassesAndPickleFindTheirModule) {
  EXPECT_EQ(run("from dataclasses import dataclass\n"
                "@dataclass\n"
                "class Point:\n"
                "    x: int\n"
                "assert Point(1) == Point(1)")
                .failure()
                .message(),
            "");
}

TEST_F(PythonModule, LoadErrorsNameFileAndLine) {
  const auto syntax = try_load("x = 1\ndef request(:\n");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.error().line, 2U);
  EXPECT_EQ(syntax.error().file, (folder_ / "script.py").string());
  EXPECT_THAT(syntax.error().message, HasSubstr("SyntaxError"));
  const auto top = try_load("def helper():\n    raise ValueError('boom')\nhelper()\n");
  ASSERT_FALSE(top);
  EXPECT_EQ(top.error().line, 2U);
  EXPECT_EQ(top.error().message, "ValueError: boom");
  EXPECT_THAT(top.error().stack[0], HasSubstr("script.py:2: in helper"));
  const auto init = try_load("def init(config): {}['x']\ndef request(): pass\n");
  ASSERT_FALSE(init);
  EXPECT_EQ(init.error().line, 1U);
  EXPECT_THAT(try_load("x = 1").error().message, HasSubstr("no hook"));
  EXPECT_THAT(try_load("request = 5").error().message, HasSubstr("a hook is a function"));
  EXPECT_THAT(try_load("import nowhere\ndef request(): pass").error().message, HasSubstr("No module named 'nowhere'"));
  EXPECT_THAT(try_load("import nosuch.thing\ndef request(): pass").error().message, HasSubstr("nosuch"));
  EXPECT_THAT(try_load("async def init(c): pass\ndef request(): pass").error().message, HasSubstr("cannot wait"));
  EXPECT_THAT(try_load("import sys\nsys.exit(3)").error().message, HasSubstr("SystemExit"));
}

TEST_F(PythonModule, LoadingHasABudgetAndALimit) {
  const auto slow = try_load("while True:\n    try:\n        while True: pass\n    except BaseException: pass\n",
                             {.init_budget = std::chrono::milliseconds(50)});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, FailureKind::timeout);
  const auto big = try_load("x = [0] * 10**9\ndef request(): pass");
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().kind, FailureKind::memory);
  EXPECT_FALSE(run("pass").has_failure());
}

TEST_F(PythonModule, PrintAndLogGoToTheHostWithTheCallsTag) {
  auto instance = load(
      "import lingate, sys\n"
      "print('loading')\n"
      "def request(req):\n"
      "    print('a', 1)\n"
      "    print('no line break', end='')\n"
      "    print('bad', file=sys.stderr)\n"
      "    lingate.log.error('m' * 10000, {'n': 1})\n");
  auto lines = host_.take();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].tag, nullptr);
  int tag = 0;
  start(*instance, a_call(), 1, std::chrono::seconds(5), &tag);
  lines = host_.take();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].message, "a 1");
  EXPECT_EQ(lines[0].level, LogLevel::info);
  EXPECT_EQ(lines[1].message, "bad");
  EXPECT_EQ(lines[1].level, LogLevel::warn);
  EXPECT_EQ(lines[2].message.size(), 4096U);
  EXPECT_EQ(lines[2].fields, R"({"n":1})");
  EXPECT_EQ(lines[3].message, "no line break");
  for (const Logged& line : lines)
    EXPECT_EQ(line.tag, &tag);
}

TEST_F(PythonModule, NothingOfTheEnvironmentReachesTheInterpreter) {
  EXPECT_EQ(eval("__import__('sys').flags.isolated, __import__('sys').path, __import__('sys').argv, "
                 "'site' in __import__('sys').modules, __import__('sys').dont_write_bytecode"),
            R"([1,["/usr/lib/python3.11","/usr/lib/python3.11/lib-dynload"],[],false,true])");
}

TEST_F(PythonModule, UnloadedInstancesAreCollected) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps what was freed";
#endif
  const std::string source =
      "import lingate\n"
      "class Big:\n"
      "    data = bytearray(2_000_000)\n"
      "    def method(self): return Big\n"
      "def request(): return lingate.respond(200, str(Big))\n";
  auto resident = [] {
    long pages = 0;
    long ignored = 0;
    std::ifstream("/proc/self/statm") >> ignored >> pages;
    return pages * 4096;
  };
  for (int i = 0; i < 20; ++i)
    load(source);
  const long before = resident();
  for (int i = 0; i < 100; ++i)
    load(source);
  EXPECT_LT(resident() - before, 40'000'000);
}

}  // namespace
}  // namespace lingate::runtimes::python
