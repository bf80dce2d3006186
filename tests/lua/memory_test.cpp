// Scripts that allocate without end: only that call fails, with kind memory, and what it held comes back.
#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

struct Hungry {
  const char* name;
  const char* body;
};

void PrintTo(const Hungry& each, std::ostream* out) {
  *out << each.name;
}

class LuaMemory : public testing::TestWithParam<Hungry> {};

TEST_P(LuaMemory, StopsIt) {
  Loaded::Options options;
  options.memory = 32 << 20;
  Loaded script(std::string("return {request = function(req) if req.headers['Run'] then ") + GetParam().body +
                    " end req.headers['X-Ok'] = 'yes' end}",
                options);
  ASSERT_TRUE(script.instance) << script.error.message;
  const std::uint64_t before = script.instance->memory().used;
  for (int round = 0; round < 3; ++round) {
    const plugin::Verdict verdict = script.call(request_call({{"Run", "1"}}));
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::MEMORY) << verdict.failure().message();
    EXPECT_FALSE(verdict.has_request());
    EXPECT_LT(script.instance->memory().used, before + before / 4 + (1 << 20));
    ASSERT_TRUE(script.instance->usable());
    EXPECT_FALSE(script.call().has_failure());
  }
}

const Hungry kHungry[] = {
    {"Table", "local t = {} for i = 1, 1e9 do t[i] = i end"},
    {"TableOfTables", "local t = {} while true do t = {t} end"},
    {"StringDoubling", "local s = 'x' while true do s = s .. s end"},
    {"Rep", "local s = string.rep('x', 1e9)"},
    {"RepTooLongForTheEngine", "local s = string.rep('xx', 2 ^ 31 - 1)"},
    {"RepInPcall", "pcall(string.rep, 'x', 1e9)"},
    {"RepTooLongInPcall", "pcall(string.rep, 'xxx', 2 ^ 31 - 1)"},
    {"TableInPcall", "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end"},
    {"ReturnedPcall", "return pcall(string.rep, 'x', 1e9)"},
    {"InXpcall", "xpcall(function() local t = {} while true do t[#t + 1] = {} end end, function() return 'ok' end)"},
    {"InACoroutine", "local co = coroutine.wrap(function() local t = {} while true do t[#t + 1] = {} end end) co()"},
    {"Coroutines", "local t = {} while true do t[#t + 1] = coroutine.create(print) end"},
    {"Closures", "local t = {} while true do t[#t + 1] = function() return t end end"},
    {"Gsub", "local s = string.rep('x', 1e6) s = s:gsub('x', string.rep('y', 1000))"},
    {"ConcatInPcall",
     "local piece, t = string.rep('x', 1e5), {} for i = 1, 1e5 do t[i] = piece end "
     "while true do pcall(table.concat, t) end"},
    {"JsonDecode",
     "local t = {} local s = '[' .. string.rep('{},', 1e5) .. '1]' "
     "while true do t[#t + 1] = lingate.json.decode(s) end"},
    {"Base64", "local s = string.rep('abcd', 3e6) while true do s = lingate.base64.encode(s) end"},
    {"Bodies", "local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end"},
};

INSTANTIATE_TEST_SUITE_P(Hungry, LuaMemory, testing::ValuesIn(kHungry),
                         [](const auto& run) { return std::string(run.param.name); });

TEST(LuaMemoryGarbage, IsCollectedBeforeTheLimitCounts) {
  Loaded::Options options;
  options.memory = 32 << 20;
  for (const char* body :
       {"for i = 1, 200 do local s = string.rep('x', 4e6) .. i end", "for i = 1, 1e6 do local t = {i, {}} end",
        "for i = 1, 60 do local t = {} for j = 1, 1e5 do t[j] = j end end"}) {
    Loaded script(Loaded::request_hook(body), options);
    const plugin::Verdict verdict = script.call();
    EXPECT_FALSE(verdict.has_failure()) << body << ": " << verdict.failure().message();
  }
}

TEST(LuaMemory, WhatIsMadeOutsideOfTheVmIsBoundedToo) {
  Loaded::Options options;
  options.memory = 32 << 20;
  Loaded script(Loaded::request_hook("lingate.json.encode({string.rep('\\1', tonumber(req.query:sub(3)))})"), options);
  plugin::Call call = request_call();
  call.mutable_request()->set_query("n=" + std::to_string(1 << 20));
  EXPECT_FALSE(script.call(call).has_failure());
  call.mutable_request()->set_query("n=" + std::to_string(2 << 20));  // six times that as text
  EXPECT_EQ(script.call(call).failure().kind(), plugin::Failure::EXCEPTION);
}

TEST(LuaMemoryModule, AnInstanceThatItsModuleFillsIsThrownAway) {
  Loaded::Options options;
  options.memory = 16 << 20;
  Loaded script("local kept = {} return {request = function() while true do kept[#kept + 1] = {1, 2, 3} end end}",
                options);
  EXPECT_EQ(script.call().failure().kind(), plugin::Failure::MEMORY);
  EXPECT_FALSE(script.instance->usable());
}

TEST(LuaMemoryLoad, TheTopLevelIsBounded) {
  Loaded::Options options;
  options.memory = 16 << 20;
  Loaded script("local t = {} for i = 1, 1e9 do t[i] = {} end", options);
  EXPECT_EQ(script.error.kind, FailureKind::memory);
}

TEST(LuaRecursion, EndsAsAnException) {
  for (const char* body : {
           "local function f() return 1 + f() end f()",
           "local function f(s) return (s:gsub('.', f)) end f('x')",
           "local function f() table.sort({2, 1, 3}, f) return true end f()",
           "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return tostring(t) .. 'x' end "
           "tostring(t)",
           "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return string.format('%s', t) end "
           "tostring(t)",
           "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. 'x'] end local _ = "
           "t.x",
           "local t = setmetatable({}, {}) getmetatable(t).__lt = function(a, b) table.sort({t, t, t}) return true end "
           "table.sort({t, t, t})",
           "local function f() coroutine.wrap(f)() end f()",
           "local function f() assert(coroutine.resume(coroutine.create(f))) end f()",
           "local function f() local ok, e = pcall(f) error(e, 0) end f()",
           "local s = string.rep('(', 1e5) .. string.rep(')', 1e5) assert(load('return ' .. s))",
           "string.find(string.rep('a', 1e5), string.rep('(a', 1e4))",
           "string.find(string.rep('a', 1e5), string.rep('a?', 1e5))",
           "lingate.json.decode(string.rep('[', 1e6))",
           "local t = {} t.t = t lingate.json.encode(t)",
       }) {
    Loaded script(Loaded::request_hook(std::string("if req.query == 'a=1' then ") + body + " end"));
    ASSERT_TRUE(script.instance) << body;
    for (int round = 0; round < 5; ++round) {
      const plugin::Verdict verdict = script.call();
      EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION) << body << ": " << verdict.failure().message();
    }
    plugin::Call next = request_call();
    next.mutable_request()->set_query("");
    EXPECT_FALSE(script.call(next).has_failure());
  }
}

}  // namespace
}  // namespace lingate::runtimes::lua
