#include <nlohmann/json.hpp>
#include <set>

#include "base/codes.h"
#include "middleware/error.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

TEST(Exchange, IdIsAUuidOfVersionSevenAndStays) {
  Stage stage;
  const std::string id(stage.exchange.id());
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[8], '-');
  EXPECT_EQ(id[14], '7');
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_EQ(stage.exchange.id(), id);
  const auto milliseconds = std::stoull(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_NEAR(static_cast<double>(milliseconds),
              static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()), 60'000);
}

TEST(Exchange, IdsDiffer) {
  Stage stage;
  std::set<std::string> ids;
  for (int k = 0; k < 1000; ++k) {
    ids.emplace(stage.exchange.id());
    stage.exchange.end();
    stage.begin();
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(Exchange, FailMakesAProblemDocument) {
  Stage stage;
  stage.exchange.fail({.code = code::kRouteTimeout, .detail = "the secret cause"});
  const Response& response = stage.exchange.response;
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(response.source, Response::Source::gateway);
  EXPECT_EQ(response.headers.value("content-type"), "application/problem+json");
  const auto problem = nlohmann::json::parse(response.body.bytes);
  EXPECT_EQ(problem["status"], 504);
  EXPECT_EQ(problem["code"], "LG4009");
  EXPECT_EQ(problem["title"], "route timed out");
  EXPECT_TRUE(problem["type"].get<std::string>().ends_with("LG4009"));
  EXPECT_EQ(problem["request_id"], std::string(stage.exchange.id()));
  EXPECT_EQ(std::string(response.body.bytes).find("secret"), std::string::npos);
}

TEST(Exchange, FailLogsOnceWithTheDetail) {
  Stage stage;
  stage.exchange.fail({.code = code::kScriptException, .detail = "boom", .step = "a.lua", .file = "a.lua", .line = 3});
  const auto entries = stage.host.memory_log.entries();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].message, "boom");
  EXPECT_EQ(entries[0].code, code::kScriptException);
  EXPECT_EQ(entries[0].request_id, stage.exchange.id());
  EXPECT_EQ(entries[0].route, "users");
  EXPECT_EQ(entries[0].line, 3U);
}

TEST(Exchange, EveryCodeWithAStatusBecomesThatStatus) {
  for (const CodeInfo& info : all_codes()) {
    Stage stage;
    stage.exchange.fail({.code = info.code, .detail = {}});
    EXPECT_EQ(stage.exchange.response.status, info.status == 0 ? 500 : info.status) << info.code;
    EXPECT_EQ(nlohmann::json::parse(stage.exchange.response.body.bytes)["code"], code_name(info.code));
  }
}

TEST(Exchange, AnUnknownCodeIsAnInternalError) {
  Stage stage;
  stage.exchange.fail({.code = 1, .detail = {}});
  EXPECT_EQ(stage.exchange.response.status, 500);
}

TEST(Exchange, AReplacedBodyHasItsLengthAndNoOldDigests) {
  Stage stage;
  stage.upstream(200, streaming());
  Headers& headers = stage.exchange.response.headers;
  for (const std::string_view name : {"ETag", "Digest", "Content-Digest", "Repr-Digest", "Content-MD5", "X-Kept"})
    Stage::receive(headers, name, "old");
  Stage::receive(headers, "Transfer-Encoding", "chunked");
  stage.exchange.replace_response_body("12345");
  EXPECT_EQ(text_of(headers), "X-Kept: old\nContent-Length: 5\n");
  EXPECT_EQ(stage.exchange.response.body.bytes, "12345");
  EXPECT_TRUE(stage.exchange.response.body.replaced);
}

TEST(Exchange, EditsOfTheRequestChangeItsVersion) {
  Stage stage;
  const auto before = stage.exchange.texts_version();
  stage.exchange.edit_path("/v2");
  EXPECT_NE(before, stage.exchange.texts_version());
  const auto lines = stage.exchange.request.headers.version();
  stage.exchange.request.headers.set("X", "1");
  EXPECT_NE(stage.exchange.request.headers.version(), lines);
  EXPECT_TRUE(stage.exchange.request.target_edited);
}

TEST(Exchange, EndForgetsEverything) {
  Stage stage;
  stage.receive("X-Secret", "1");
  stage.exchange.edit_query("a=b");
  stage.exchange.set_context("\x0a\x00");
  stage.exchange.fail({.code = code::kInternal, .detail = {}});
  const std::string id(stage.exchange.id());
  stage.exchange.end();
  Chain chain;
  stage.exchange.begin(chain, "other");
  EXPECT_TRUE(stage.exchange.request.headers.all().empty());
  EXPECT_TRUE(stage.exchange.request.path.empty());
  EXPECT_TRUE(stage.exchange.context().empty());
  EXPECT_EQ(stage.exchange.response.status, 0);
  EXPECT_EQ(stage.exchange.facts.fault, 0);
  EXPECT_EQ(stage.exchange.session(), nullptr);
  EXPECT_NE(stage.exchange.id(), id);
}

TEST(ErrorLevels, ClientsMistakesAreNoErrorsOfOurs) {
  EXPECT_EQ(level_of(code::kNoRoute), LogLevel::debug);
  EXPECT_EQ(level_of(code::kBodyOverLimit), LogLevel::debug);
  EXPECT_EQ(level_of(code::kConnectFailed), LogLevel::warn);
  EXPECT_EQ(level_of(code::kScriptTimeout), LogLevel::error);
  EXPECT_EQ(level_of(code::kInternal), LogLevel::error);
}

}  // namespace
}  // namespace lingate::middleware
