// The rules of sessions, ctx and respond, and the text of every refusal; what a Verdict holds.
#include <gtest/gtest.h>

#include "tests/runtimes/call_stage.h"

namespace lingate::runtimes {
namespace {

using namespace test;

// ---- session ----

TEST_F(CallViewTest, AssignsASession) {
  begin();
  EXPECT_FALSE(view.has_session());
  EXPECT_FALSE(
      set_session(R"({"metadata":{"user":"u"},"id":"k1","tags":["a","b"],"rate":10,"org":null,"expires":1.5})"));
  EXPECT_TRUE(view.has_session());
  EXPECT_EQ(view.session_text(CallView::SessionText::id), "k1");
  EXPECT_EQ(view.session_text(CallView::SessionText::org), "");
  EXPECT_EQ(view.session_number(CallView::SessionNumber::rate), 10);
  EXPECT_EQ(view.session_number(CallView::SessionNumber::per), std::nullopt);
  std::vector<std::string_view> tags;
  view.session_tags(tags);
  EXPECT_EQ(tags.size(), 2U);
  const auto verdict = finish();
  EXPECT_EQ(verdict.session().assigned().id(), "k1");
  EXPECT_EQ(verdict.session().assigned().metadata().members(0).name(), "user");
}

TEST_F(CallViewTest, RefusesSessionsThatAreNone) {
  begin();
  EXPECT_EQ(set_session(R"({"alias":"x"})"), "a session needs an `id`: text that is not empty");
  EXPECT_EQ(set_session(R"({"id":""})"), "a session needs an `id`: text that is not empty");
  EXPECT_EQ(set_session(R"({"id":null})"), "a session needs an `id`: text that is not empty");
  EXPECT_EQ(set_session(R"({"id":1})"), "session.id must be text");
  EXPECT_EQ(set_session(R"({"id":"x","tags":"a"})"), "session.tags must be a list of texts");
  EXPECT_EQ(set_session(R"({"id":"x","tags":["a",1]})"), "session.tags must be a list of texts");
  EXPECT_EQ(set_session(R"({"id":"x","metadata":[]})"), "session.metadata must be a map");
  for (const char* rate : {"\"1\"", "-1"})
    EXPECT_EQ(set_session(R"({"id":"x","rate":)" + std::string(rate) + "}"),
              "session.rate must be a number that is not negative (without it there is no limit)");
  EXPECT_EQ(set_session(R"({"id":"x","quota":1})"), "a session has no field 'quota'");
  EXPECT_EQ(set_session(R"({"id":"x","meta_data":{}})"),
            "a session has no field 'meta_data'; did you mean 'metadata'?");
  EXPECT_EQ(set_session(R"([1])"), "req.session must be a map of a session's fields");
  EXPECT_EQ(set_session("7"), "req.session must be a map of a session's fields");
  EXPECT_FALSE(view.has_session());
  EXPECT_EQ(view.finish(), "");
  EXPECT_FALSE(set_session(R"({"id":"x","tags":{}})"));  // an empty table of Lua
}

TEST_F(CallViewTest, ClearsASession) {
  call.mutable_session()->set_id("s");
  begin();
  EXPECT_TRUE(view.has_session());
  EXPECT_FALSE(view.clear_session());
  EXPECT_FALSE(view.has_session());
  EXPECT_TRUE(finish().session().cleared());
}

TEST_F(CallViewTest, ClearingNoSessionIsNoEdit) {
  begin();
  EXPECT_FALSE(view.clear_session());
  EXPECT_EQ(view.finish(), "");
}

TEST_F(CallViewTest, AssignsNoSessionInResponse) {
  call.mutable_session()->set_id("s");
  begin(Hook::response);
  EXPECT_EQ(set_session(R"({"id":"x"})"),
            "req.session cannot be assigned in response: only its tags and metadata can be changed there");
  const std::string_view tag = "t";
  EXPECT_FALSE(view.keep_tags({&tag, 1}));
  EXPECT_EQ(finish().session().tags().tags(0), "t");
}

std::string members(std::string_view json) {
  WireWriter writer;
  EXPECT_TRUE(parse_json(json, writer));
  return std::string(writer.members());
}

TEST_F(CallViewTest, TellsWhichMetadataChanged) {
  call.mutable_session()->set_id("s");
  call.mutable_session()->mutable_metadata()->ParseFromString(members(R"({"same":1,"old":2,"gone":3})"));
  call.mutable_session()->add_tags("t");
  begin();
  EXPECT_FALSE(view.keep_metadata(view.session_metadata()));
  const std::string_view tag = "t";
  EXPECT_FALSE(view.keep_tags({&tag, 1}));
  EXPECT_EQ(view.finish(), "");
  EXPECT_FALSE(view.keep_metadata(members(R"({"old":20,"same":1,"new":{"a":[]}})")));
  const auto verdict = finish();
  ASSERT_EQ(verdict.session().metadata_size(), 2);
  EXPECT_EQ(verdict.session().metadata(0).name(), "old");
  EXPECT_EQ(verdict.session().metadata(1).name(), "new");
  ASSERT_EQ(verdict.session().removed_metadata_size(), 1);
  EXPECT_EQ(verdict.session().removed_metadata(0), "gone");
}

TEST_F(CallViewTest, HasNothingToEditWithoutASession) {
  begin();
  EXPECT_FALSE(view.keep_metadata(""));
  EXPECT_EQ(view.keep_metadata(members(R"({"a":1})")), "there is no session whose metadata could be changed");
  const std::string_view tag = "t";
  EXPECT_EQ(view.keep_tags({&tag, 1}), "there is no session whose tags could be changed");
}

// ---- ctx, respond ----

TEST_F(CallViewTest, KeepsTheContextOnlyWhereItChanged) {
  call.mutable_context()->ParseFromString(members(R"({"a":1})"));
  begin();
  view.keep_context(view.context());
  EXPECT_EQ(view.finish(), "");
  view.keep_context("");
  const auto verdict = finish();
  EXPECT_TRUE(verdict.context().has_replaced());
  EXPECT_EQ(verdict.context().replaced().members_size(), 0);
}

TEST_F(CallViewTest, ChoosesTheContentTypeByTheBody) {
  using Body = AnswerParts::Body;
  const auto type_of = [&](Body kind, std::span<const AnswerParts::Line> headers) {
    begin();
    EXPECT_FALSE(view.answer({.status = 200, .kind = kind, .body = "b", .headers = headers}));
    const auto verdict = finish();
    return verdict.answer().headers_size() == 0 ? "" : verdict.answer().headers(0).value();
  };
  EXPECT_EQ(type_of(Body::none, {}), "");
  EXPECT_EQ(type_of(Body::text, {}), "text/plain; charset=utf-8");
  EXPECT_EQ(type_of(Body::bytes, {}), "application/octet-stream");
  EXPECT_EQ(type_of(Body::json, {}), "application/json");
  const AnswerParts::Line given{"content-TYPE", "text/html"};
  EXPECT_EQ(type_of(Body::text, {&given, 1}), "text/html");
}

TEST_F(CallViewTest, RefusesAnswersThatAreNone) {
  begin();
  const auto with = [&](std::string_view name, std::string_view value) {
    const AnswerParts::Line line{name, value};
    return view.answer({.status = 200, .body = {}, .headers = {&line, 1}});
  };
  EXPECT_TRUE(view.answer({.status = 199, .body = {}, .headers = {}}));
  EXPECT_TRUE(view.answer({.status = 600, .body = {}, .headers = {}}));
  EXPECT_TRUE(view.answer({.status = 200.5, .body = {}, .headers = {}}));
  EXPECT_TRUE(with("X", "a\nb"));
  EXPECT_TRUE(with("X Y", "a"));
  EXPECT_TRUE(with("Content-Length", "1"));
  EXPECT_TRUE(with("Connection", "close"));
  EXPECT_TRUE(with("X", std::string(20000, 'x')));
  const std::vector<AnswerParts::Line> many(101, {"X", "1"});
  EXPECT_TRUE(view.answer({.status = 200, .body = {}, .headers = many}));
  EXPECT_EQ(view.finish(), "");
  EXPECT_FALSE(with("X", "a"));
  EXPECT_TRUE(finish().has_answer());
}

TEST_F(CallViewTest, ForgetsAnAnswerThatWasNotReturned) {
  begin();
  EXPECT_FALSE(view.answer({.status = 401, .body = {}, .headers = {}}));
  view.drop_answer();
  EXPECT_EQ(view.finish(), "");
}

TEST_F(CallViewTest, ReplacesTheResponseWithItsEdits) {
  begin(Hook::response);
  EXPECT_FALSE(view.set_status(201));
  EXPECT_FALSE(view.answer({.status = 500, .body = {}, .headers = {}}));
  const auto verdict = finish();
  EXPECT_FALSE(verdict.has_response());
  EXPECT_EQ(verdict.answer().status(), 500U);
}

TEST_F(CallViewTest, CostsNothingWhereNothingChanged) {
  begin();
  view.request_head().lines();
  view.request_text(Text::path);
  EXPECT_EQ(view.finish(), "");
}

TEST_F(CallViewTest, ForgetsTheCallBefore) {
  call.mutable_session()->set_id("s");
  begin();
  EXPECT_FALSE(set("X", "1"));
  EXPECT_FALSE(view.set_path("/x"));
  EXPECT_FALSE(view.set_body(Side::request, "b"));
  EXPECT_FALSE(view.clear_session());
  view.keep_context(members(R"({"a":1})"));
  EXPECT_FALSE(view.answer({.status = 200, .body = {}, .headers = {}}));
  begin();
  EXPECT_EQ(view.finish(), "");
  EXPECT_TRUE(view.has_session());
  EXPECT_EQ(view.request_text(Text::path), "/a");
  EXPECT_EQ(view.request_head().get("X"), nullptr);
}

TEST_F(CallViewTest, DropsEverythingWhenTheCallFails) {
  begin();
  EXPECT_FALSE(set("X", "1"));
  view.fail(FailureKind::exception, "boom", "a.lua", 7);
  const auto verdict = finish();
  EXPECT_FALSE(verdict.has_request());
  EXPECT_EQ(verdict.failure().message(), "boom");
  EXPECT_EQ(verdict.failure().line(), 7U);
}

}  // namespace
}  // namespace lingate::runtimes
