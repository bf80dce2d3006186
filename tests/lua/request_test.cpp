#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

TEST(LuaRequest, ReadsEveryField) {
  EXPECT_EQ(json_of("return lingate.respond(200, {req.id, req.method, req.scheme, req.host, req.path, req.query, "
                    "req.version, req.route, req.client.ip, req.client.port})"),
            R"(["r-1","GET","http","example.com","/users/7","a=1","1.1","users","10.0.0.1",4711])");
}

TEST(LuaRequest, ParamsAreAReadOnlyMap) {
  plugin::Call call = request_call();
  plugin::Header& param = *call.mutable_request()->add_params();
  param.set_name("id");
  param.set_value("7");
  EXPECT_EQ(json_of("local n = 0 for k, v in pairs(req.params) do n = n + 1 end "
                    "return lingate.respond(200, {req.params.id, tostring(req.params.nope), n})",
                    call),
            R"(["7","nil",1])");
  EXPECT_THAT(failure_of("req.params.id = 'x'", call), HasSubstr("read-only"));
}

TEST(LuaRequest, WritesBecomeEdits) {
  Loaded script(Loaded::request_hook("req.method = 'POST' req.path = '/x' req.query = 'b=2' req.body = 'hi'"));
  const plugin::Verdict verdict = script.call();
  EXPECT_EQ(verdict.request().method(), "POST");
  EXPECT_EQ(verdict.request().path(), "/x");
  EXPECT_EQ(verdict.request().query(), "b=2");
  EXPECT_EQ(verdict.request().body(), "hi");
}

TEST(LuaRequest, UnknownAndReadOnlyAttributesAreErrorsThatNameThem) {
  EXPECT_THAT(failure_of("return req.hots"), HasSubstr("did you mean 'host'"));
  EXPECT_THAT(failure_of("req.foo = 1"), HasSubstr("foo"));
  EXPECT_THAT(failure_of("req.host = 'x'"), HasSubstr("read-only"));
  EXPECT_THAT(failure_of("return req.client.prot"), HasSubstr("port"));
  EXPECT_THAT(failure_of("return lingate.respnod(200)"), HasSubstr("respond"));
  EXPECT_THAT(failure_of("req.method = 5"), HasSubstr("string"));
}

TEST(LuaRequest, ErrorsCarryTheScriptsPosition) {
  Loaded script(Loaded::request_hook("local x = 1\nreq.host = 'x'"));
  const plugin::Verdict verdict = script.call();
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION);
  EXPECT_EQ(verdict.failure().file(), "scripts/test.lua");
  EXPECT_EQ(verdict.failure().line(), 4U);
  ASSERT_GE(verdict.failure().stack_size(), 1);
  EXPECT_THAT(verdict.failure().stack(0), HasSubstr("scripts/test.lua:4"));
}

TEST(LuaBody, ReadsBytesTextAndJson) {
  plugin::Call call = request_call();
  call.mutable_request()->set_body(R"({"a":[1,null,{}],"b":[]})");
  EXPECT_EQ(
      json_of("local v = req:json() return lingate.respond(200, {#req.body, v.a[1], v.a[2] == lingate.null, v})", call),
      R"([24,1,true,{"a":[1,null,{}],"b":[]}])");
  call.mutable_request()->set_body("\xff\xfe");
  EXPECT_EQ(json_of("return lingate.respond(200, {#req.body})", call), "[2]");
  EXPECT_THAT(failure_of("return req:text()", call), HasSubstr("UTF-8"));
  EXPECT_THAT(failure_of("return req:json()", call), HasSubstr("no JSON"));
}

TEST(LuaBody, IsRefusedWithoutTheOption) {
  Loaded::Options options;
  options.limits = {};
  Loaded script(Loaded::request_hook("return req.body"), options);
  EXPECT_THAT(script.call().failure().message(), HasSubstr("body:"));
}

TEST(LuaBody, NilMakesItEmpty) {
  plugin::Call call = request_call();
  call.mutable_request()->set_body("abc");
  Loaded script(Loaded::request_hook("req.body = nil"));
  const plugin::Verdict verdict = script.call(call);
  ASSERT_TRUE(verdict.request().has_body());
  EXPECT_EQ(verdict.request().body(), "");
}

TEST(LuaResponse, StatusHeadersAndBodyAreEdited) {
  Loaded script(
      "return {response = function(res, req) res.status = res.status + 1 res.headers['X'] = req.method "
      "res.headers:add('Y', '2') res.body = 'new' end}");
  const plugin::Verdict verdict = script.call(response_call({{"A", "1"}}, 201));
  EXPECT_EQ(verdict.response().status(), 202U);
  EXPECT_EQ(verdict.response().headers_size(), 2);
  EXPECT_EQ(verdict.response().headers(0).values(0), "GET");
  EXPECT_EQ(verdict.response().body(), "new");
}

TEST(LuaResponse, TheRequestIsReadOnlyThere) {
  Loaded script("return {response = function(res, req) req.headers['X'] = '1' end}");
  EXPECT_EQ(script.call(response_call()).failure().kind(), plugin::Failure::EXCEPTION);
}

TEST(LuaResponse, ABadStatusIsRefused) {
  for (const char* status : {"'abc'", "0", "1000", "200.5", "0/0", "nil"}) {
    Loaded script(std::string("return {response = function(res) res.status = ") + status + " end}");
    EXPECT_EQ(script.call(response_call()).failure().kind(), plugin::Failure::EXCEPTION) << status;
  }
}

TEST(LuaObjects, AreStaleAfterTheirCall) {
  Loaded script(R"(
    local kept = {}
    return {request = function(req, ctx)
      if kept.req then
        local out = {}
        for i, try in ipairs {
          function() return kept.req.id end, function() return kept.headers['A'] end,
          function() kept.headers['A'] = '1' end, function() return kept.session.id end,
          function() return kept.metadata_owner.metadata end, function() return kept.req:text() end,
          function() return kept.headers:lines() end, function() for _ in pairs(kept.headers) do end end,
          function() return kept.params.id end, function() return kept.client.ip end,
        } do
          local ok, message = pcall(try)
          out[i] = ok and 'alive' or (message:find('the call is over', 1, true) and 'stale' or message)
        end
        return lingate.respond(200, out)
      end
      kept = {req = req, headers = req.headers, session = req.session, metadata_owner = req.session,
              params = req.params, client = req.client}
    end})");
  plugin::Call call = request_call({{"A", "1"}});
  with_session(call);
  EXPECT_FALSE(script.call(call).has_failure());
  EXPECT_EQ(script.call(call).answer().body(),
            R"(["stale","stale","stale","stale","stale","stale","stale","stale","stale","stale"])");
}

TEST(LuaObjects, HideTheirMetatables) {
  EXPECT_EQ(json_of("return lingate.respond(200, {tostring(getmetatable(req)), tostring(getmetatable('')), "
                    "tostring(req), tostring(lingate.null), pcall(setmetatable, req, {})})"),
            "[\"false\",\"false\",\"req\",\"null\",false,\"bad argument #1 to '?' (table expected, got userdata)\"]");
}

TEST(LuaObjects, MethodsRefuseForeignValues) {
  EXPECT_THAT(failure_of("req.text(5)"), HasSubstr("colon"));
  EXPECT_THAT(failure_of("req.headers.values(req, 'A')"), HasSubstr("colon"));
  EXPECT_THAT(failure_of("req.headers.lines(lingate.null)"), HasSubstr("colon"));
}

}  // namespace
}  // namespace lingate::runtimes::lua
