// The rules of req and res, and the text of every refusal. Sessions, ctx and respond: call_verdict_test.cpp.
#include "runtimes/call_view.h"

#include <gmock/gmock.h>

#include <cmath>

#include "runtimes/attributes.h"
#include "tests/runtimes/call_stage.h"

namespace lingate::runtimes {
namespace {

using namespace test;

// ---- headers ----

TEST_F(CallViewTest, TakesAnEmptyTextAsTheFirstThatIsWritten) {
  EXPECT_FALSE(begin().set_query(""));
  const auto verdict = finish();
  EXPECT_TRUE(verdict.request().has_query());
  EXPECT_EQ(verdict.request().query(), "");
}

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

TEST_F(CallViewTest, RefusesValuesThatNoFieldMayHave) {
  begin();
  EXPECT_EQ(set("X", "a\r\nEvil: 1"), "header 'X': the value holds CR at byte 1, which no field may hold");
  EXPECT_EQ(set("X", "longer than eight bytes\n"),
            "header 'X': the value holds LF at byte 23, which no field may hold");
  EXPECT_EQ(set("X", std::string_view("a\0b", 3)),
            "header 'X': the value holds NUL at byte 1, which no field may hold");
  EXPECT_EQ(set("X", "\x7f"), "header 'X': the value holds the control byte \\x7f at byte 0, which no field may hold");
  EXPECT_EQ(set("X", "a\x01"), "header 'X': the value holds the control byte \\x01 at byte 1, which no field may hold");
  EXPECT_FALSE(set("X", "tab\tand \xff bytes"));
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
  EXPECT_FALSE(view.set_path("/b//x/../%41/%C3%BC"));
  EXPECT_FALSE(view.set_query(""));
  EXPECT_EQ(view.request_text(Text::method), "PATCH");
  EXPECT_EQ(view.request_text(Text::path), "/b/A/%C3%BC");
  EXPECT_EQ(view.request_text(Text::query), "");
  const auto verdict = finish();
  EXPECT_TRUE(verdict.request().has_query());
  EXPECT_EQ(verdict.request().path(), "/b/A/%C3%BC");
}

TEST_F(CallViewTest, RefusesMethodsThatNoRequestHas) {
  begin();
  EXPECT_THAT(view.set_method("CONNECT").value_or(""), testing::HasSubstr("asks for a tunnel"));
  EXPECT_THAT(view.set_method(std::string(33, 'M')).value_or(""), testing::HasSubstr("more than the limit of 32"));
  EXPECT_FALSE(view.set_method(std::string(32, 'M')));
}

TEST_F(CallViewTest, RefusesAHostThatIsNone) {
  begin();
  const std::string_view bad = "a b/c@d";
  EXPECT_THAT(view.request_head().set("Host", {&bad, 1}).value_or(""), testing::HasSubstr("is no host"));
  const std::string_view good = "[::1]:8080";
  EXPECT_FALSE(view.request_head().set("Host", {&good, 1}));
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

TEST(Attributes, SayWhatIsMeant) {
  EXPECT_EQ(unknown_attribute(Object::req, "hots"), "req has no attribute 'hots'; did you mean 'host'?");
  EXPECT_EQ(unknown_attribute(Object::res, "zzzzzz"), "res has no attribute 'zzzzzz'");
  EXPECT_EQ(unwritable_attribute(Object::req, "host"), "req.host is read-only");
  EXPECT_EQ(unwritable_attribute(Object::session, "metdata"),
            "session has no attribute 'metdata'; did you mean 'metadata'?");
}

}  // namespace
}  // namespace lingate::runtimes
