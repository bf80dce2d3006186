#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

plugin::Call session_call() {
  plugin::Call call = request_call();
  plugin::Session& session = with_session(call);
  session.set_org("acme");
  session.add_tags("a");
  session.set_rate(5);
  set_text(*session.mutable_metadata(), "user", "u-7");
  return call;
}

TEST(LuaSession, IsNilForTheAnonymous) {
  EXPECT_EQ(json_of("return lingate.respond(200, {req.session == nil})"), "[true]");
}

TEST(LuaSession, ReadsItsFields) {
  EXPECT_EQ(json_of("local s = req.session return lingate.respond(200, {s.id, s.org, s.tags, s.metadata.user, s.rate, "
                    "tostring(s.per), tostring(s.alias)})",
                    session_call()),
            R"(["s-1","acme",["a"],"u-7",5,"nil","nil"])");
}

TEST(LuaSession, ReadingAloneIsNoEdit) {
  Loaded script(Loaded::request_hook("local x = req.session.metadata.user, req.session.tags[1]"));
  EXPECT_FALSE(script.call(session_call()).has_session());
}

TEST(LuaSession, MetadataAndTagsAreEdited) {
  Loaded script(
      Loaded::request_hook("local s = req.session s.metadata.seen = true s.metadata.user = nil "
                           "table.insert(s.tags, 'b')"));
  const plugin::Verdict verdict = script.call(session_call());
  ASSERT_EQ(verdict.session().metadata_size(), 1);
  EXPECT_EQ(verdict.session().metadata(0).name(), "seen");
  ASSERT_EQ(verdict.session().removed_metadata_size(), 1);
  EXPECT_EQ(verdict.session().removed_metadata(0), "user");
  EXPECT_EQ(verdict.session().tags().tags_size(), 2);
}

TEST(LuaSession, AWholeOneIsAssignedAndSeenAtOnce) {
  Loaded script(
      Loaded::request_hook("req.session = {id = 'new', metadata = {user = 'x'}, tags = {'t'}, rate = 3} "
                           "req.headers['X'] = req.session.id .. req.session.metadata.user"));
  const plugin::Verdict verdict = script.call(session_call());
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.session().assigned().id(), "new");
  EXPECT_EQ(verdict.session().assigned().rate(), 3);
  EXPECT_EQ(verdict.request().headers(0).values(0), "newx");
}

TEST(LuaSession, NilMakesTheRequestAnonymous) {
  Loaded script(Loaded::request_hook("req.session = nil req.headers['X'] = tostring(req.session)"));
  const plugin::Verdict verdict = script.call(session_call());
  EXPECT_TRUE(verdict.session().cleared());
  EXPECT_EQ(verdict.request().headers(0).values(0), "nil");
}

TEST(LuaSession, ABadOneIsRefused) {
  for (const char* session : {"{}", "{id = 5}", "{id = 'x', nope = 1}", "{id = 'x', rate = 'fast'}", "5", "'s'",
                              "{id = 'x', metadata = {f = print}}", "{id = 'x', tags = {1}}"})
    EXPECT_NE(failure_of(std::string("req.session = ") + session), "no failure") << session;
  EXPECT_THAT(failure_of("req.session.id = 'x'", session_call()), HasSubstr("read-only"));
  EXPECT_THAT(failure_of("return req.session.metadat", session_call()), HasSubstr("did you mean"));
}

TEST(LuaSession, WhatIsNoValueFailsTheCallAsInvalid) {
  Loaded script(Loaded::request_hook("req.session.metadata.f = print"));
  const plugin::Verdict verdict = script.call(session_call());
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::INVALID);
  EXPECT_EQ(verdict.failure().message(), "session.metadata.f: a function is no value");
}

}  // namespace
}  // namespace lingate::runtimes::lua
