#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "middleware/builtin.h"
#include "middleware/log_writer.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

Settings text(std::string value) {
  return Settings(std::move(value));
}
Settings map(Settings::Map members) {
  return Settings(std::move(members));
}
Settings list(Settings::List items) {
  return Settings(std::move(items));
}

std::unique_ptr<const Middleware> make(std::string_view kind, const Settings& settings) {
  auto made = find_step(kind)->make(settings, {});
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
  return made ? std::move(*made) : nullptr;
}

std::string error_of(std::string_view kind, const Settings& settings) {
  auto made = find_step(kind)->make(settings, {});
  EXPECT_FALSE(made.has_value());
  return made ? "" : made.error().message;
}

TEST(BuiltinSteps, AreFoundByName) {
  for (const StepKind& step : builtin_steps())
    EXPECT_EQ(find_step(step.kind), &step);
  EXPECT_EQ(find_step("use"), nullptr);
  EXPECT_EQ(find_step("headerz"), nullptr);
}

// ---- request-id ----

struct RequestIdStage : Stage {
  explicit RequestIdStage(const Middleware& step) : Stage({&step}) {}
  std::string upstream_id() { return std::string(exchange.request.headers.value("x-request-id")); }
  std::string trace() { return std::string(exchange.request.headers.value("traceparent")); }
};

TEST(RequestId, IsSentUpstreamAndBack) {
  const auto step = make("request-id", map({}));
  RequestIdStage stage(*step);
  stage.run();
  EXPECT_EQ(stage.upstream_id(), stage.exchange.id());
  EXPECT_EQ(stage.exchange.response.headers.value("X-Request-Id"), stage.exchange.id());
}

TEST(RequestId, AStrangersIsReplaced) {
  const auto step = make("request-id", map({}));
  RequestIdStage stage(*step);
  stage.receive("X-Request-Id", "theirs");
  stage.run();
  EXPECT_NE(stage.upstream_id(), "theirs");
  EXPECT_EQ(stage.upstream_id().size(), 36U);
}

TEST(RequestId, ATrustedPeersIsKept) {
  const auto step = make("request-id", map({{"header", text("X-Correlation-Id")}}));
  RequestIdStage stage(*step);
  stage.exchange.request.peer_trusted = true;
  stage.receive("x-correlation-id", "from-the-edge/1");
  stage.run();
  EXPECT_EQ(stage.exchange.id(), "from-the-edge/1");
  EXPECT_EQ(stage.exchange.response.headers.value("X-Correlation-Id"), "from-the-edge/1");
}

TEST(RequestId, ATrustedPeersNonsenseIsNot) {
  const auto step = make("request-id", map({}));
  for (const std::string& id : {std::string(), std::string("a b"), std::string("\"x\""), std::string(129, 'a')}) {
    RequestIdStage stage(*step);
    stage.exchange.request.peer_trusted = true;
    stage.receive("X-Request-Id", id);
    stage.run();
    EXPECT_EQ(stage.upstream_id().size(), 36U) << id;
  }
}

TEST(Traceparent, AValidOneKeepsItsTraceAndGetsASpanOfOurs) {
  const auto step = make("request-id", map({}));
  RequestIdStage stage(*step);
  stage.receive("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  stage.receive("tracestate", "a=1");
  stage.run();
  EXPECT_EQ(stage.trace().size(), 55U);
  EXPECT_EQ(stage.trace().substr(0, 36), "00-4bf92f3577b34da6a3ce929d0e0e4736-");
  EXPECT_NE(stage.trace().substr(36, 16), "00f067aa0ba902b7");
  EXPECT_EQ(stage.trace().substr(52), "-01");
  EXPECT_EQ(stage.exchange.request.headers.value("tracestate"), "a=1");
  EXPECT_EQ(stage.exchange.facts.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(Traceparent, UnsampledStaysUnsampled) {
  const auto step = make("request-id", map({}));
  RequestIdStage stage(*step);
  stage.receive("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  stage.run();
  EXPECT_TRUE(stage.trace().ends_with("-00"));
}

TEST(Traceparent, AnythingElseStartsANewTrace) {
  const auto step = make("request-id", map({}));
  for (const std::string_view bad : {"", "garbage", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                     "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                     "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"}) {
    RequestIdStage stage(*step);
    stage.receive("traceparent", bad);
    stage.receive("tracestate", "a=1");
    stage.run();
    EXPECT_EQ(stage.trace().size(), 55U);
    EXPECT_EQ(stage.trace().find("4bf92f3577b34da6a3ce929d0e0e4736"), std::string::npos) << bad;
    EXPECT_EQ(stage.exchange.request.headers.find("tracestate"), nullptr);
  }
}

// ---- headers ----

TEST(HeadersStep, RemovesThenSetsThenAdds) {
  const auto step =
      make("headers",
           map({{"request", map({{"set", map({{"X-A", text("1")}, {"X-Many", list({text("a"), text("b")})}})},
                                 {"add", map({{"Accept", text("text/html")}})},
                                 {"remove", list({text("x-gone"), text("X-A")})}})},
                {"response", map({{"set", map({{"X-Frame-Options", text("DENY")}})}, {"remove", text("Server")}})}}));
  Stage stage({step.get()});
  stage.receive("X-Gone", "1");
  stage.receive("Accept", "*/*");
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::over);
  EXPECT_EQ(text_of(stage.exchange.request.headers), "Accept: */*\nX-A: 1\nX-Many: a\nX-Many: b\nAccept: text/html\n");
  stage.upstream();
  Stage::receive(stage.exchange.response.headers, "Server", "nginx");
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
  EXPECT_EQ(text_of(stage.exchange.response.headers), "X-Frame-Options: DENY\n");
}

TEST(HeadersStep, HasOnlyTheSidesThatItEdits) {
  const auto step = make("headers", map({{"response", map({{"remove", text("Server")}})}}));
  EXPECT_FALSE(step->needs().request);
  EXPECT_TRUE(step->needs().response);
}

TEST(HeadersStep, RefusesWhatMayNotBeWritten) {
  const auto with = [](std::string name, std::string value) {
    return map({{"request", map({{"set", map({{std::move(name), text(std::move(value))}})}})}});
  };
  EXPECT_NE(error_of("headers", with("Content-Length", "1")).find("Content-Length"), std::string::npos);
  EXPECT_NE(error_of("headers", with("bad name", "1")).find("bad name"), std::string::npos);
  EXPECT_NE(error_of("headers", with("X", "a\r\nY: b")).find("CR, LF"), std::string::npos);
}

// ---- rewrite ----

std::string rewritten(const Settings& settings, std::vector<Param> params) {
  const auto step = make("rewrite", settings);
  Stage stage({step.get()});
  stage.exchange.request.params = std::move(params);
  stage.run();
  const Request& request = stage.exchange.request;
  EXPECT_TRUE(request.target_edited);
  return std::string(request.method) + " " + std::string(request.path) + (request.has_query ? "?" : "") +
         std::string(request.query);
}

TEST(Rewrite, FillsInParameters) {
  EXPECT_EQ(rewritten(map({{"path", text("/v2/users/{id}/x/{*}")}}), {{"id", "7", "7"}, {"*", "a/b", "a/b"}}),
            "GET /v2/users/7/x/a/b?x=1");
}

TEST(Rewrite, KeepsTheEncodingOfAParameterInThePath) {
  EXPECT_EQ(rewritten(map({{"path", text("/f/{id}")}}), {{"id", "a/b", "a%2Fb"}}), "GET /f/a%2Fb?x=1");
}

TEST(Rewrite, AParameterCannotAddToTheQuery) {
  EXPECT_EQ(rewritten(map({{"query", text("id={id}")}}), {{"id", "1&admin=1#x", "1&admin=1%23x"}}),
            "GET /users/7?id=1%26admin%3D1%23x");
}

TEST(Rewrite, ChangesTheMethodAndDropsAnEmptyQuery) {
  EXPECT_EQ(rewritten(map({{"method", text("POST")}, {"query", text("")}}), {}), "POST /users/7");
}

TEST(Rewrite, RefusesTemplatesThatCannotStand) {
  for (const char* bad : {"no-slash", "/a{b", "/a}b", "/a b", "/a?b", "/a\r\n", "/%zz", "/%00"})
    EXPECT_FALSE(error_of("rewrite", map({{"path", text(bad)}})).empty()) << bad;
}

// ---- respond ----

TEST(Respond, AnswersWithAJsonBody) {
  const auto step = make("respond", map({{"status", Settings(std::int64_t{201})},
                                         {"json", map({{"ok", Settings(true)}, {"n", Settings(std::int64_t{3})}})},
                                         {"headers", map({{"X-A", text("1")}})}}));
  Stage stage({step.get()});
  EXPECT_EQ(stage.run(), 201);
  EXPECT_EQ(stage.exchange.response.source, Response::Source::step);
  EXPECT_EQ(stage.exchange.response.body.bytes, R"({"ok":true,"n":3})");
  EXPECT_EQ(text_of(stage.exchange.response.headers), "Content-Type: application/json\nX-A: 1\n");
}

TEST(Respond, AGivenContentTypeWins) {
  const auto step =
      make("respond", map({{"text", text("<p>")}, {"headers", map({{"content-type", text("text/html")}})}}));
  Stage stage({step.get()});
  EXPECT_EQ(stage.run(), 200);
  EXPECT_EQ(text_of(stage.exchange.response.headers), "content-type: text/html\n");
}

TEST(Respond, WithoutABodyThereIsNoType) {
  const auto step = make("respond", map({{"status", Settings(std::int64_t{204})}}));
  Stage stage({step.get()});
  EXPECT_EQ(stage.run(), 204);
  EXPECT_EQ(text_of(stage.exchange.response.headers), "");
}

TEST(Respond, RefusesAStatusThatIsNone) {
  EXPECT_FALSE(error_of("respond", map({{"status", Settings(std::int64_t{99})}})).empty());
}

// ---- cors ----

Settings one_origin() {
  return map({{"origins", list({text("https://app.example.com")})},
              {"methods", list({text("GET"), text("PUT")})},
              {"headers", list({text("X-Api-Key")})},
              {"expose", text("X-Request-Id")},
              {"credentials", Settings(true)},
              {"max_age", Settings(Settings::Duration(std::chrono::minutes(10)))}});
}

void ask(Stage& stage, std::string_view origin) {
  stage.exchange.request.method = "OPTIONS";
  stage.receive("Origin", origin);
  stage.receive("Access-Control-Request-Method", "PUT");
  stage.receive("Access-Control-Request-Headers", "x-api-key,authorization");
}

TEST(Cors, AnswersAPreflight) {
  const auto step = make("cors", one_origin());
  Stage stage({step.get()});
  ask(stage, "https://app.example.com");
  EXPECT_EQ(stage.run(), 204);
  EXPECT_EQ(text_of(stage.exchange.response.headers),
            "Access-Control-Allow-Origin: https://app.example.com\n"
            "Access-Control-Allow-Credentials: true\n"
            "Access-Control-Allow-Methods: GET, PUT\n"
            "Access-Control-Allow-Headers: X-Api-Key\n"
            "Access-Control-Max-Age: 600\n"
            "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\n");
}

TEST(Cors, RefusesThePreflightOfAnotherOrigin) {
  const auto step = make("cors", one_origin());
  Stage stage({step.get()});
  ask(stage, "https://evil.example");
  EXPECT_EQ(stage.run(), 403);
  EXPECT_EQ(stage.exchange.facts.fault, code::kOriginNotAllowed);
  EXPECT_EQ(stage.exchange.response.headers.find("access-control-allow-origin"), nullptr);
  EXPECT_EQ(stage.exchange.response.headers.value("Vary"), "Origin");
}

TEST(Cors, AStarAnswersWithWhatWasAskedFor) {
  const auto step =
      make("cors", map({{"origins", text("*")}, {"methods", list({text("*")})}, {"headers", list({text("*")})}}));
  Stage stage({step.get()});
  ask(stage, "https://any.example");
  EXPECT_EQ(stage.run(), 204);
  const Headers& headers = stage.exchange.response.headers;
  EXPECT_EQ(headers.value("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(headers.value("Access-Control-Allow-Methods"), "PUT");
  EXPECT_EQ(headers.value("Access-Control-Allow-Headers"), "x-api-key,authorization");
}

TEST(Cors, AnOptionsRequestThatIsNoPreflightGoesOn) {
  const auto step = make("cors", one_origin());
  Stage stage({step.get()});
  stage.exchange.request.method = "OPTIONS";
  stage.receive("Origin", "https://app.example.com");
  EXPECT_EQ(stage.run(), 200);
}

TEST(Cors, ResponsesSayWhoMayReadThem) {
  const auto step = make("cors", one_origin());
  Stage stage({step.get()});
  stage.receive("Origin", "https://app.example.com");
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::over);
  stage.upstream();
  Stage::receive(stage.exchange.response.headers, "Access-Control-Allow-Origin", "*");
  Stage::receive(stage.exchange.response.headers, "Vary", "Accept, origin");
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
  EXPECT_EQ(text_of(stage.exchange.response.headers),
            "Vary: Accept, origin\n"
            "Access-Control-Allow-Origin: https://app.example.com\n"
            "Access-Control-Allow-Credentials: true\n"
            "Access-Control-Expose-Headers: X-Request-Id\n");
}

TEST(Cors, AnotherOriginGetsTheResponseWithoutLeaveToReadIt) {
  const auto step = make("cors", one_origin());
  Stage stage({step.get()});
  stage.receive("Origin", "https://evil.example");
  EXPECT_EQ(stage.run(), 200);
  EXPECT_EQ(text_of(stage.exchange.response.headers), "Vary: Origin\n");
}

// ---- body-limit ----

Settings five_bytes() {
  return map({{"size", Settings(ByteSize{5})}});
}

TEST(BodyLimit, RefusesByContentLengthAtOnce) {
  const auto step = make("body-limit", five_bytes());
  Stage stage({step.get()});
  stage.receive("Content-Length", "6");
  stage.exchange.request.body = streaming();
  EXPECT_EQ(stage.run(), 413);
  EXPECT_EQ(stage.exchange.facts.fault, code::kBodyOverLimit);
}

TEST(BodyLimit, ALengthThatFitsNoNumberIsTooLarge) {
  const auto step = make("body-limit", five_bytes());
  Stage stage({step.get()});
  stage.receive("Content-Length", "99999999999999999999999");
  EXPECT_EQ(stage.run(), 413);
}

TEST(BodyLimit, TellsTheConnectionWhatToCountTo) {
  const auto step = make("body-limit", five_bytes());
  Stage stage({step.get()});
  stage.receive("Content-Length", "5");
  EXPECT_EQ(stage.run(), 200);
  EXPECT_EQ(stage.exchange.body_limit, 5U);
}

// ---- access-log ----

TEST(AccessLogStep, NeedsItsLogFiles) {
  EXPECT_FALSE(error_of("access-log", map({})).empty());
  LogFiles files(1);
  auto made = find_step("access-log")->make(map({{"file", text("stderr")}}), {.logs = &files});
  ASSERT_TRUE(made);
  EXPECT_TRUE((*made)->needs().log_unreached);
}

}  // namespace
}  // namespace lingate::middleware
