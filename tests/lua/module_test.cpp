#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

std::string value_of(const std::string& expression) {
  return json_of("return lingate.respond(200, {" + expression + "})");
}

TEST(LuaModule, Json) {
  EXPECT_EQ(value_of("lingate.json.encode({b = 1, a = {1, 'x', true, lingate.null}, n = 1e15, f = 0.5})"),
            R"(["{\"a\":[1,\"x\",true,null],\"b\":1,\"f\":0.5,\"n\":1000000000000000}"])");
  EXPECT_EQ(value_of("lingate.json.encode({}), lingate.json.encode(lingate.array({})), lingate.json.encode('x')"),
            R"(["{}","[]","\"x\""])");
  EXPECT_EQ(value_of("lingate.json.encode(lingate.json.decode('{\"a\":[],\"b\":{},\"c\":null}'))"),
            R"(["{\"a\":[],\"b\":{},\"c\":null}"])");
  EXPECT_EQ(value_of("pcall(lingate.json.decode, '{\"a\":}')").substr(0, 7), "[false,");
  EXPECT_THAT(failure_of("lingate.json.encode({a = {b = print}})"), HasSubstr("value.a.b: a function is no value"));
}

TEST(LuaModule, Base64AndDigests) {
  EXPECT_EQ(value_of("lingate.base64.encode('\\251\\255'), lingate.base64.encode('\\251\\255', 'url'), "
                     "lingate.base64.decode('YWJj')"),
            R"(["+/8=","-_8","abc"])");
  EXPECT_EQ(value_of("lingate.crypto.sha256('abc')"),
            R"(["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"])");
  EXPECT_EQ(value_of("lingate.crypto.hmac('key', 'The quick brown fox jumps over the lazy dog')"),
            R"(["f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"])");
  EXPECT_EQ(value_of("lingate.crypto.equal('a', 'a'), lingate.crypto.equal('a', 'b'), #lingate.crypto.random(16)"),
            "[true,false,16]");
  EXPECT_NE(failure_of("lingate.base64.decode('?')"), "no failure");
  EXPECT_NE(failure_of("lingate.crypto.sha256('x', 'octal')"), "no failure");
  EXPECT_NE(failure_of("lingate.crypto.random(1e9)"), "no failure");
}

TEST(LuaModule, Query) {
  EXPECT_EQ(json_of("return lingate.respond(200, lingate.query.parse('a=1&b=x%20y&a=2'))"),
            R"({"a":["1","2"],"b":"x y"})");
  EXPECT_EQ(value_of("lingate.query.build({b = {'1', 2}, a = 'x y'})"), R"(["a=x+y&b=1&b=2"])");
}

TEST(LuaModule, LogsWithLevelsAndFields) {
  Loaded script(
      Loaded::request_hook("lingate.log.debug('d') lingate.log.warn('w', {a = 1}) print('a', nil, 5) "
                           "lingate.log.error(string.rep('x', 10000))"));
  int tag = 0;
  script.start(request_call(), 1, &tag);
  ASSERT_EQ(script.host.entries.size(), 4U);
  EXPECT_EQ(script.host.entries[0].level, LogLevel::debug);
  EXPECT_EQ(script.host.entries[0].tag, &tag);
  EXPECT_EQ(script.host.entries[1].fields, R"({"a":1})");
  EXPECT_EQ(script.host.entries[2].message, "a\tnil\t5");
  EXPECT_EQ(script.host.entries[2].level, LogLevel::info);
  EXPECT_LE(script.host.entries[3].message.size(), 4096U);
}

TEST(LuaModule, ConfigAndInit) {
  plugin::Value config;
  set_text(*config.mutable_members(), "header", "X-Tenant");
  Loaded::Options options;
  options.config = config.SerializeAsString();
  Loaded script(
      "local seen local M = {} function M.init(config) seen = config.header end "
      "function M.request(req) return lingate.respond(200, {seen, lingate.config.header}) end return M",
      options);
  EXPECT_EQ(script.call().answer().body(), R"(["X-Tenant","X-Tenant"])");
}

TEST(LuaModule, NowIsUnixTime) {
  EXPECT_EQ(value_of("math.abs(lingate.now() - os.time()) < 5"), "[true]");
}

TEST(LuaRespond, TakesTextBytesAndValues) {
  Loaded text(
      Loaded::request_hook("return lingate.respond(401, 'key required', {['X-B'] = '2', ['X-A'] = {'0', '1'}})"));
  const plugin::Answer answer = text.call().answer();
  EXPECT_EQ(answer.status(), 401U);
  EXPECT_EQ(answer.body(), "key required");
  std::vector<std::string> names;
  for (const auto& header : answer.headers())
    names.push_back(header.name() + "=" + header.value());
  EXPECT_THAT(names, testing::IsSupersetOf({"X-A=0", "X-A=1", "X-B=2"}));
  EXPECT_EQ(json_of("return lingate.respond(204)"), "");
  EXPECT_EQ(json_of("return lingate.respond(200, {})"), "{}");
}

TEST(LuaRespond, RefusesBadArgumentsAtTheCall) {
  for (const char* arguments :
       {"", "'200'", "0", "199", "600", "200.5", "0/0", "200, 5", "200, true", "200, print", "200, lingate.null",
        "200, {print}", "200, 'x', 5", "200, 'x', {5}", "200, 'x', {['X'] = 'a\\nb'}", "200, 'x', {['X'] = 5}",
        "200, 'x', {['a b'] = 'x'}", "200, 'x', {['Content-Length'] = '1'}"})
    EXPECT_EQ(json_of(std::string("local ok, message = pcall(lingate.respond") + (*arguments ? ", " : "") + arguments +
                      ") return lingate.respond(200, {ok, type(message)})"),
              R"([false,"string"])")
        << arguments;
}

TEST(LuaRespond, WhatIsNotReturnedIsNoAnswer) {
  Loaded script(Loaded::request_hook("lingate.respond(500, 'no')"));
  EXPECT_FALSE(script.call().has_answer());
}

TEST(LuaRespond, AnotherCallsResponseIsRefused) {
  Loaded script("local kept return {request = function() kept = kept or lingate.respond(200) return kept end}");
  EXPECT_TRUE(script.call().has_answer());
  EXPECT_EQ(script.call().failure().kind(), plugin::Failure::INVALID);
}

TEST(LuaSandbox, HasNoWayOut) {
  EXPECT_EQ(
      json_of("local found = lingate.array() for _, name in ipairs {'io', 'debug', 'package', 'jit', 'ffi', 'dofile', "
              "'loadfile', 'getfenv', 'setfenv', 'newproxy', 'collectgarbage', 'module', 'gcinfo'} do "
              "if _G[name] ~= nil then found[#found + 1] = name end end "
              "for _, name in ipairs {'execute', 'getenv', 'exit', 'remove', 'rename', 'tmpname'} do "
              "if os[name] then found[#found + 1] = name end end "
              "if string.dump then found[#found + 1] = 'dump' end return lingate.respond(200, found)"),
      "[]");
  EXPECT_THAT(failure_of("require('ffi')"), HasSubstr("only while the script loads"));
  EXPECT_EQ(value_of("(load('\\27LJ\\2\\0\\0'))  == nil, (load('return 1', 'x', 'b')) == nil, load('return 1 + 1')()"),
            "[true,true,2]");
  EXPECT_EQ(value_of("load('return x', 'n', 't', {x = 5})(), load(coroutine.wrap(function() coroutine.yield('return ') "
                     "coroutine.yield('7') end))()"),
            "[5,7]");
}

TEST(LuaSandbox, LibrariesAreReadOnly) {
  for (const char* write : {"string.find = print", "table.x = 1", "lingate.respond = print", "lingate.json.encode = 1",
                            "rawset(string, 'find', print)", "getmetatable('').__index = {}", "coroutine.wrap = nil",
                            "setmetatable(string, {})", "os.time = nil", "math.floor = nil", "table.insert(string, 1)",
                            "table.insert(lingate.json, 1, 1)"})
    EXPECT_NE(failure_of(write), "no failure") << write;
  EXPECT_EQ(json_of("local names = {} for name in pairs(os) do names[#names + 1] = name end table.sort(names) "
                    "return lingate.respond(200, names)"),
            R"(["clock","date","difftime","time"])");
  EXPECT_EQ(value_of("('x'):rep(3), #string.format('%5d', 7), bit.band(7, 3)"), R"(["xxx",5,3])");
}

TEST(LuaSandbox, GlobalsAreMadeWhileItLoadsAndReadOnlyInCalls) {
  for (const char* write : {"leaked = 1", "helper = nil", "print = 1", "rawset(_G, 'leaked', 1)",
                            "setmetatable(_G, {})", "table.insert(_G, 1)", "load('leaked = 1')()"})
    EXPECT_NE(failure_of(write), "no failure") << write;
  EXPECT_THAT(failure_of("leaked = 1"), HasSubstr("the global 'leaked' cannot be set in a call"));
  const char* script =
      "setmetatable(_G, {__index = function(_, name) return 'no ' .. name end, __metatable = 'mine'})\n"
      "function helper() return started end\n"
      "local M = {}\n"
      "function M.init() started = 'in init' end\n"
      "function M.request() return lingate.respond(200, {helper(), nothing, type(_G.print)}) end\n"
      "return M\n";
  Loaded loaded(script);
  ASSERT_TRUE(loaded.instance) << loaded.error.message;
  EXPECT_EQ(loaded.call().answer().body(), R"(["in init","no nothing","function"])");
}

TEST(LuaErrors, OfAnyKindAreABoundedFailure) {
  const std::pair<const char*, const char*> cases[] = {
      {"error('boom')", "boom"},
      {"error('boom', 0)", "boom"},
      {"error({code = 1})", "(the error is a table)"},
      {"error(nil)", "(the error is nil)"},
      {"error(5)", "5"},
      {"error(true)", "true"},
      {"error(print)", "(the error is a function)"},
      {"local t = {} t.t = t error(t)", "(the error is a table)"},
      {"error(setmetatable({}, {__tostring = function() return 'shown' end}))", "shown"},
      {"error(setmetatable({}, {__tostring = function() error('again') end}))",
       "(the error cannot be shown: its __tostring failed)"},
      {"error(setmetatable({}, {__tostring = function() return 5 end}))", "(the error is a table)"},
      {"coroutine.yield()", "attempt to yield from outside a coroutine"},
  };
  for (const auto& [body, message] : cases) {
    Loaded script(Loaded::request_hook(body));
    const plugin::Verdict verdict = script.call();
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << body;
    EXPECT_EQ(verdict.failure().message(), message) << body;
  }
  EXPECT_LE(failure_of("error(string.rep('x', 2e7))").size(), 5000U);
  EXPECT_LE(failure_of("error(string.rep('\\255', 1e6))").size(), 5000U);
}

TEST(LuaErrors, AFailedCallKeepsNoneOfItsEdits) {
  Loaded script(Loaded::request_hook("req.headers['X'] = '1' req.path = '/y' ctx.a = 1 error('late')"));
  const plugin::Verdict verdict = script.call();
  EXPECT_FALSE(verdict.has_request());
  EXPECT_FALSE(verdict.has_context());
  EXPECT_EQ(verdict.failure().line(), 3U);
}

}  // namespace
}  // namespace lingate::runtimes::lua
