#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

plugin::Verdict run(const std::string& body, const plugin::Call& call = request_call()) {
  Loaded script(Loaded::request_hook(body));
  EXPECT_TRUE(script.instance) << script.error.message;
  return script.call(call);
}

TEST(LuaContext, WhatTheHookLeavesIsWhatTheNextStepSees) {
  const plugin::Verdict verdict =
      run("ctx.n = 1 ctx.list = {1, 'a', lingate.null, {x = true}} ctx.empty = {} "
          "ctx.none = lingate.array({})");
  ASSERT_TRUE(verdict.has_context()) << verdict.failure().message();
  const auto& members = verdict.context().replaced();
  ASSERT_EQ(members.members_size(), 4);
  EXPECT_EQ(members.members(0).name(), "empty");
  EXPECT_TRUE(members.members(0).value().has_members());
  EXPECT_EQ(members.members(1).value().list().values_size(), 4);
  EXPECT_EQ(members.members(2).value().number(), 1);
  EXPECT_TRUE(members.members(3).value().has_list());
}

TEST(LuaContext, ComesBackAsItWasSent) {
  plugin::Call call = request_call();
  set_text(*call.mutable_context(), "a", "text");
  call.mutable_context()->add_members()->set_name("b");
  call.mutable_context()->mutable_members(1)->mutable_value()->mutable_list();
  EXPECT_FALSE(run("local x = ctx.a", call).has_context());
  EXPECT_TRUE(run("ctx.a = nil", call).has_context());
}

TEST(LuaContext, IsNotDecodedForAHookThatDoesNotTakeIt) {
  Loaded script(
      "return {request = function(req) end, response = function(res, req, ctx) end, log = function(...) end}");
  EXPECT_EQ(script.instance->hooks().request, 1);
  EXPECT_EQ(script.instance->hooks().response, 3);
  EXPECT_EQ(script.instance->hooks().log, 3);
}

TEST(LuaContext, WhatIsNoValueFailsTheCallAsInvalidWithItsPath) {
  const std::pair<const char*, const char*> cases[] = {
      {"ctx.user = {fn = print}", "ctx.user.fn: a function is no value"},
      {"ctx.a = {1, {b = 0/0}}", "ctx.a[2].b: NaN is no value"},
      {"ctx.a = 1/0", "ctx.a: infinity is no value"},
      {"ctx.a = '\\255'", "ctx.a: text that is not UTF-8 is no value"},
      {"ctx.a = {1, x = 2}", "ctx.a: a table has either keys 1..n or names, not both"},
      {"ctx.a = {[1] = 1, [3] = 3}", "ctx.a: a list has gaps"},
      {"ctx.a = {[true] = 1}", "ctx.a: a boolean is no key"},
      {"ctx.a = req", "ctx.a: a userdata is no value"},
      {"ctx.a = coroutine.create(print)", "ctx.a: a thread is no value"},
  };
  for (const auto& [body, message] : cases) {
    const plugin::Verdict verdict = run(body);
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::INVALID) << body;
    EXPECT_EQ(verdict.failure().message(), message);
  }
}

TEST(LuaContext, CyclesAndDepthAndSizeAreBounded) {
  EXPECT_THAT(run("ctx.a = ctx").failure().message(), HasSubstr("deeper"));
  EXPECT_THAT(run("local t = ctx for i = 1, 40 do t.a = {} t = t.a end").failure().message(), HasSubstr("deeper"));
  EXPECT_FALSE(run("local t = ctx for i = 1, 30 do t.a = {} t = t.a end").has_failure());
  EXPECT_THAT(run("ctx.a = string.rep('x', 70000)").failure().message(), HasSubstr("bytes"));
}

TEST(LuaContext, AnythingElseThanAResponseIsNoReturnValue) {
  for (const char* value : {"5", "'x'", "{}", "true", "false", "print", "req", "1, 2", "nil, 5"}) {
    const plugin::Verdict verdict = run(std::string("return ") + value);
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::INVALID) << value;
  }
  EXPECT_FALSE(run("return nil").has_failure());
  EXPECT_FALSE(run("return").has_failure());
}

}  // namespace
}  // namespace lingate::runtimes::lua
