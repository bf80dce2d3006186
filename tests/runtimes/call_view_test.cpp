// The rules of req, res, session and respond, and the text of every refusal.
#include "runtimes/call_view.h"

#include <gtest/gtest.h>
#include <plugin.pb.h>

#include <cmath>

#include "runtimes/attributes.h"

namespace lingate::runtimes {
namespace {

using Text = CallView::RequestText;

void add_header(plugin::Request& request, const std::string& name, const std::string& value) {
  auto* const header = request.add_headers();
  header->set_name(name);
  header->set_value(value);
}

class CallViewTest : public testing::Test {
 protected:
  CallViewTest() {
    auto& request = *call.mutable_request();
    request.set_method("GET");
    request.set_path("/a");
    request.set_query("q=1");
    add_header(request, "Host", "h");
    add_header(request, "X-Twice", "1");
    add_header(request, "Accept", "*/*");
    add_header(request, "x-twice", "2");
    call.mutable_response()->set_status(200);
    auto* const header = call.mutable_response()->add_headers();
    header->set_name("Content-Type");
    header->set_value("text/plain");
  }

  CallView& begin(Hook hook = Hook::request) {
    bytes = call.SerializeAsString();
    view.begin(hook, bytes, limits);
    return view;
  }
  plugin::Verdict finish() {
    plugin::Verdict verdict;
    const std::string_view done = view.finish();
    EXPECT_TRUE(verdict.ParseFromArray(done.data(), static_cast<int>(done.size())));
    return verdict;
  }
  std::string lines() {
    std::string text;
    for (const HeadView::Line& line : view.request_head().lines())
      text += std::string(line.name) + "=" + std::string(line.value) + " ";
    return text;
  }
  Refusal set(std::string_view name, std::string_view value) { return view.request_head().set(name, {&value, 1}); }
  Refusal set_session(std::string_view json) {
    WireWriter& writer = view.begin_session();
    EXPECT_TRUE(parse_json(json, writer));
    return view.end_session();
  }

  plugin::Call call;
  std::string bytes;
  ScriptLimits limits;
  CallView view;
};

// ---- headers ----

TEST_F(CallViewTest, ReadsTheFirstLineWithoutCase) {
  begin();
  ASSERT_TRUE(view.request_head().get("x-TWICE"));
  EXPECT_EQ(*view.request_head().get("X-twice"), "1");
  EXPECT_EQ(view.request_head().get("missing"), nullptr);
  std::vector<std::string_view> all;
  view.request_head().values("X-Twice", all);
  EXPECT_EQ(all, (std::vector<std::string_view>{"1", "2"}));
  view.request_head().names(all);
  EXPECT_EQ(all, (std::vector<std::string_view>{"Host", "X-Twice", "Accept"}));
}

TEST_F(CallViewTest, ReplacesInPlaceAndDropsTheOthers) {
  begin();
  EXPECT_FALSE(set("X-TWICE", "new"));
  EXPECT_EQ(lines(), "Host=h X-TWICE=new Accept=*/* ");
  EXPECT_EQ(*view.request_head().get("x-twice"), "new");
  const auto verdict = finish();
  ASSERT_EQ(verdict.request().headers_size(), 1);
  EXPECT_EQ(verdict.request().headers(0).name(), "X-TWICE");
  EXPECT_EQ(verdict.request().headers(0).values(0), "new");
  EXPECT_FALSE(verdict.request().headers(0).append());
}

TEST_F(CallViewTest, PutsAListWhereTheFirstLineWas) {
  begin();
  const std::string_view values[] = {"a", "b", "c"};
  EXPECT_FALSE(view.request_head().set("X-Twice", values));
  EXPECT_EQ(lines(), "Host=h X-Twice=a X-Twice=b X-Twice=c Accept=*/* ");
}

TEST_F(CallViewTest, AppendsAndAddsAndRemoves) {
  begin();
  EXPECT_FALSE(set("X-New", "1"));
  EXPECT_FALSE(view.request_head().add("Accept", "b"));
  EXPECT_FALSE(view.request_head().remove("x-twice"));
  EXPECT_FALSE(view.request_head().remove("missing"));
  EXPECT_EQ(lines(), "Host=h Accept=*/* X-New=1 Accept=b ");
  const auto verdict = finish();
  ASSERT_EQ(verdict.request().headers_size(), 3);  // removing what is missing is no edit
  EXPECT_TRUE(verdict.request().headers(1).append());
  EXPECT_EQ(verdict.request().headers(2).values_size(), 0);
}

TEST_F(CallViewTest, TakesAnEmptyListAsRemoval) {
  begin();
  EXPECT_FALSE(view.request_head().set("Accept", {}));
  EXPECT_EQ(view.request_head().get("Accept"), nullptr);
}

TEST_F(CallViewTest, RefusesFramingAndHopByHopFields) {
  begin();
  for (const char* name : {"Connection", "keep-alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
                           "UPGRADE", "Content-Length"}) {
    const std::string text = "header '" + std::string(name) +
                             "' cannot be written by a script: framing and hop-by-hop fields belong to the gateway";
    EXPECT_EQ(set(name, "1"), text);
    EXPECT_EQ(view.request_head().add(name, "1"), text);
    EXPECT_EQ(view.request_head().remove(name), text);
  }
  EXPECT_FALSE(set("Content-Lengths", "1"));
  EXPECT_FALSE(set("Upgrade-Insecure-Requests", "1"));
}

TEST_F(CallViewTest, RefusesNamesThatAreNoTokens) {
  begin();
  EXPECT_EQ(set("", "1"), "a header name must not be empty");
  for (const char* name : {"X A", "X:A", "X\r\nY", "X\xc3\xa4", "X(", "X/Y", " X"}) {
    const Refusal refusal = set(name, "1");
    ASSERT_TRUE(refusal) << name;
    EXPECT_NE(refusal->find("is no token"), std::string::npos);
  }
  EXPECT_FALSE(set("X-!#$%&'*+-.^_`|~9", "1"));
}

TEST_F(CallViewTest, RefusesValuesThatWouldEndTheField) {
  begin();
  EXPECT_EQ(set("X", "a\r\nEvil: 1"), "header 'X': the value holds CR at byte 1, which would end the field");
  EXPECT_EQ(set("X", "longer than eight bytes\n"),
            "header 'X': the value holds LF at byte 23, which would end the field");
  EXPECT_EQ(set("X", std::string_view("a\0b", 3)),
            "header 'X': the value holds NUL at byte 1, which would end the field");
  EXPECT_FALSE(set("X", "tab\tand \xff\x01 bytes"));
  EXPECT_EQ(finish().request().headers_size(), 1);  // refused writes leave nothing
}

TEST_F(CallViewTest, HoldsTheLimitOfOneLine) {
  limits.field_line = 20;
  begin();
  EXPECT_FALSE(set("X", std::string(17, 'x')));
  EXPECT_EQ(set("X", std::string(18, 'x')), "header 'X': the line would take 21 bytes, more than the limit of 20");
}

TEST_F(CallViewTest, HoldsTheLimitOfLines) {
  limits.fields = 5;
  begin();
  EXPECT_FALSE(view.request_head().add("A", "1"));
  EXPECT_EQ(view.request_head().add("B", "1"), "header 'B': the head would have 6 lines, more than the limit of 5");
  EXPECT_FALSE(set("X-Twice", "1"));  // two become one
  EXPECT_FALSE(view.request_head().add("B", "1"));
}

TEST_F(CallViewTest, HoldsTheLimitOfTheHead) {
  limits.head = 200;
  begin();
  const Refusal refusal = set("X", std::string(190, 'x'));
  ASSERT_TRUE(refusal);
  EXPECT_NE(refusal->find("more than the limit of 200"), std::string::npos);
  EXPECT_FALSE(set("X", std::string(100, 'x')));
}

TEST_F(CallViewTest, StopsAScriptThatWritesForEver) {
  begin();
  Refusal refusal;
  int writes = 0;
  for (; writes < 1000000 && !refusal; ++writes)
    refusal = set("X", "value");
  EXPECT_EQ(refusal, "too much is written in one call: headers, path, query or session");
  EXPECT_GT(writes, 1000);
}

// ---- req and res ----

TEST_F(CallViewTest, ChangesTheTargetAndReadsItBack) {
  begin();
  EXPECT_FALSE(view.set_method("PATCH"));
  EXPECT_FALSE(view.set_path("/b/%41/ü"));
  EXPECT_FALSE(view.set_query(""));
  EXPECT_EQ(view.request_text(Text::method), "PATCH");
  EXPECT_EQ(view.request_text(Text::path), "/b/%41/ü");
  EXPECT_EQ(view.request_text(Text::query), "");
  const auto verdict = finish();
  EXPECT_TRUE(verdict.request().has_query());
  EXPECT_EQ(verdict.request().path(), "/b/%41/ü");
}

TEST_F(CallViewTest, RefusesPathsThatAreNone) {
  begin();
  EXPECT_EQ(view.set_path(""), "path must begin with '/', not ''");
  EXPECT_EQ(view.set_path("a"), "path must begin with '/', not 'a'");
  EXPECT_EQ(view.set_path("/a%2"), "path has '%' without two hexadecimal digits at byte 2: a literal '%' is '%25'");
  EXPECT_EQ(view.set_path("/%00"), "path must not hold an encoded NUL (at byte 1)");
  for (const char* path : {"/a b", "/a?b", "/a#b", "/a\nb", "/a\x7f"})
    EXPECT_TRUE(view.set_path(path)) << path;
  EXPECT_EQ(view.request_text(Text::path), "/a");
  EXPECT_EQ(finish().ByteSizeLong(), 0U);
}

TEST_F(CallViewTest, RefusesQueriesAndMethodsThatAreNone) {
  begin();
  for (const char* query : {"a b", "a#b", "a\r", "\x7f"})
    EXPECT_TRUE(view.set_query(query)) << query;
  for (const char* method : {"", "G T", "GET\n", "GÉT"})
    EXPECT_TRUE(view.set_method(method)) << method;
  EXPECT_FALSE(view.set_query("a=?&b=%"));
  limits.target = 10;
  begin();
  EXPECT_EQ(view.set_path("/1234567"), "path and query would take 12 bytes, more than the limit of 10");
  EXPECT_FALSE(view.set_path("/12345"));
}

TEST_F(CallViewTest, TakesAStatusFrom200To599) {
  begin(Hook::response);
  for (const double status : {0.0, 100.0, 199.0, 600.0, 1000.0, 200.5, -200.0, std::nan(""), 1e300})
    EXPECT_TRUE(view.set_status(status)) << status;
  EXPECT_EQ(view.set_status(99), "status must be a whole number from 200 to 599, not 99");
  EXPECT_EQ(view.set_status(std::nan("")), "status must be a whole number from 200 to 599, not NaN");
  EXPECT_EQ(view.status(), 200U);
  EXPECT_FALSE(view.set_status(599));
  EXPECT_EQ(view.status(), 599U);
  EXPECT_EQ(finish().response().status(), 599U);
}

TEST_F(CallViewTest, KeepsReqReadOnlyInResponse) {
  begin(Hook::response);
  const std::string text = "req is read-only in response: it shows what was sent upstream";
  EXPECT_EQ(view.set_path("/"), text);
  EXPECT_EQ(view.set_method("GET"), text);
  EXPECT_EQ(view.set_query(""), text);
  EXPECT_EQ(view.set_body(Side::request, ""), text);
  EXPECT_EQ(set("X", "1"), text);
  EXPECT_EQ(view.request_head().remove("X"), text);
  const std::string_view value = "1";
  EXPECT_FALSE(view.response_head().set("X", {&value, 1}));
  EXPECT_FALSE(view.set_body(Side::response, "b"));
}

TEST_F(CallViewTest, KeepsEverythingReadOnlyInLog) {
  begin(Hook::log);
  EXPECT_TRUE(view.set_path("/"));
  EXPECT_TRUE(set("X", "1"));
  EXPECT_TRUE(view.set_status(200));
  EXPECT_TRUE(view.response_head().add("X", "1"));
  EXPECT_TRUE(view.set_body(Side::response, "b"));
  EXPECT_TRUE(view.clear_session());
  EXPECT_TRUE(set_session(R"({"id":"x"})"));
  EXPECT_TRUE(view.answer({.status = 200, .body = {}, .headers = {}}));
  view.keep_context("\x0a\x07\x0a\x01k\x12\x02\x08\x01");
  EXPECT_EQ(view.finish(), "");
}

// ---- bodies ----

TEST_F(CallViewTest, RefusesToReadABodyThatNobodyAskedFor) {
  begin();
  EXPECT_EQ(view.body(Side::request).refusal,
            "req.body is not there: bodies stream past unless the step says `body: request` or `body: both`");
  EXPECT_FALSE(view.set_body(Side::request, "mine"));
  EXPECT_EQ(view.body(Side::request).bytes, "mine");  // what the script itself put there can be read
  EXPECT_EQ(finish().request().body(), "mine");
}

TEST_F(CallViewTest, ReadsTheBodyThatCame) {
  limits.request_body = true;
  call.mutable_request()->set_body(std::string("\0\xff", 2));
  begin();
  EXPECT_EQ(view.body(Side::request).bytes, std::string_view("\0\xff", 2));
  EXPECT_FALSE(view.set_body(Side::request, ""));
  EXPECT_TRUE(finish().request().has_body());
}

TEST_F(CallViewTest, HoldsTheLimitOfABody) {
  limits.body = 4;
  begin();
  EXPECT_FALSE(view.set_body(Side::request, "1234"));
  EXPECT_EQ(view.set_body(Side::request, "12345"), "body would take 5 bytes, more than the limit of 4");
  EXPECT_EQ(finish().request().body(), "1234");
}

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
  EXPECT_EQ(set_session(R"({"id":"x","rate":"1"})"), "session.rate must be a number");
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
  const std::string_view done = view.fail(FailureKind::exception, "boom", "a.lua", 7);
  plugin::Verdict verdict;
  ASSERT_TRUE(verdict.ParseFromArray(done.data(), static_cast<int>(done.size())));
  EXPECT_FALSE(verdict.has_request());
  EXPECT_EQ(verdict.failure().message(), "boom");
  EXPECT_EQ(verdict.failure().line(), 7U);
}

TEST(Attributes, SayWhatIsMeant) {
  EXPECT_EQ(unknown_attribute(Object::req, "hots"), "req has no attribute 'hots'; did you mean 'host'?");
  EXPECT_EQ(unknown_attribute(Object::res, "zzzzzz"), "res has no attribute 'zzzzzz'");
  EXPECT_EQ(unwritable_attribute(Object::req, "host"), "req.host is read-only");
  EXPECT_EQ(unwritable_attribute(Object::session, "metdata"),
            "session has no attribute 'metdata'; did you mean 'metadata'?");
}

}  // namespace
}  // namespace lingate::runtimes
