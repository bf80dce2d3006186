#include "gateway/admin/operations.h"

#include "tests/admin/support.h"

namespace lingate::admin {
namespace {

int code_of(const Outcome& outcome) {
  return outcome ? 0 : outcome.error().code;
}

Json body_of(const Outcome& outcome) {
  return outcome ? Json::parse(outcome->body, nullptr, false) : Json(outcome.error().detail);
}

TEST(Operations, KeysAreMadeShownChangedListedAndRevoked) {
  Bench bench;
  const auto made = bench.run("POST", "/keys", R"({"id": "a/b", "org": "acme"})");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(body_of(made)["session"]["org"], "acme");
  EXPECT_TRUE(body_of(made)["key"].is_string());
  EXPECT_EQ(body_of(bench.run("GET", "/keys/a%2Fb"))["session"]["id"], "a/b");
  EXPECT_FALSE(body_of(bench.run("GET", "/keys/a%2Fb")).contains("key"));
  EXPECT_EQ(body_of(bench.run("PATCH", "/keys/a%2Fb", R"({"rate": 5, "per": 1})"))["session"]["rate"], 5);
  EXPECT_NE(body_of(bench.run("POST", "/keys/a%2Fb/rotate"))["key"], body_of(made)["key"]);
  EXPECT_EQ(body_of(bench.run("GET", "/keys?org=acme"))["sessions"].size(), 1U);
  EXPECT_EQ(body_of(bench.run("GET", "/keys?org=other"))["sessions"].size(), 0U);
  EXPECT_EQ(bench.run("DELETE", "/keys/a%2Fb")->status, 204);
  EXPECT_EQ(bench.run("GET", "/keys/a%2Fb").error().code, code::kNoSuchSession);
  EXPECT_EQ(bench.run("DELETE", "/keys/a%2Fb").error().code, code::kNoSuchSession);
}

TEST(Operations, WrongBodiesAreRefusedByField) {
  Bench bench;
  const auto refused = bench.run("POST", "/keys", R"({"aliass": "x"})");
  EXPECT_EQ(refused.error().code, code::kBadSession);
  EXPECT_EQ(refused.error().field, "aliass");
  EXPECT_EQ(bench.run("POST", "/keys", "{").error().code, code::kBadAdminRequest);
  EXPECT_EQ(bench.run("POST", "/keys", std::string(100'000, '[').c_str()).error().code, code::kBadAdminRequest);
  EXPECT_EQ(bench.run("POST", "/keys", "\"\xff\"").error().code, code::kBadAdminRequest);
  EXPECT_EQ(bench.run("GET", "/keys?limit=0").error().field, "limit");
  EXPECT_EQ(bench.run("GET", "/keys?limit=many").error().field, "limit");
  bench.run("POST", "/keys", R"({"id": "ada"})");
  EXPECT_EQ(bench.run("POST", "/keys", R"({"id": "ada"})").error().code, code::kSessionTaken);
  EXPECT_EQ(bench.run("POST", "/keys/ada/rotate", R"({"keep": 1})").error().field, "keep");
}

TEST(Operations, TheLogsLevelChanges) {
  Bench bench;
  EXPECT_EQ(body_of(bench.run("GET", "/log/level"))["level"], "error");
  EXPECT_EQ(body_of(bench.run("PUT", "/log/level", R"({"level": "warn"})"))["level"], "warn");
  EXPECT_EQ(body_of(bench.run("GET", "/log/level"))["level"], "warn");
  for (const char* wrong : {R"({"level": "loud"})", R"({"level": 1})", R"({})", R"({"level": "warn", "x": 1})", "[]"})
    EXPECT_EQ(bench.run("PUT", "/log/level", wrong).error().code, code::kBadAdminRequest) << wrong;
  EXPECT_EQ(body_of(bench.run("GET", "/log/level"))["level"], "warn");
}

TEST(Operations, ReadinessFollowsTheDrain) {
  Bench bench;
  EXPECT_EQ(bench.run("GET", "/readyz")->status, 200);
  bench.draining = true;
  EXPECT_EQ(bench.run("GET", "/readyz")->status, 503);
  EXPECT_EQ(bench.run("GET", "/healthz")->status, 200);
  EXPECT_EQ(bench.run("GET", "/metrics")->body, "figures\n");
}

TEST(Operations, ShowWhatIsConfigured) {
  Bench bench;
  const Json routes = body_of(bench.run("GET", "/routes"));
  EXPECT_EQ(routes["routes"][0]["name"], "r");
  EXPECT_EQ(routes["routes"][0]["upstream"][0]["name"], "u");
  const Json upstreams = body_of(bench.run("GET", "/upstreams"));
  EXPECT_EQ(upstreams["upstreams"][0]["targets"][0]["address"], "127.0.0.1:9001");
  EXPECT_EQ(body_of(bench.run("GET", "/runtimes"))["runtimes"].size(), 0U);
  EXPECT_EQ(body_of(bench.run("GET", "/version"))["engines"]["lua"], "LuaJIT");
  EXPECT_TRUE(body_of(bench.run("GET", "/config"))["yaml"].get<std::string>().starts_with("version: 1\n"));
}

TEST(Operations, AConfigurationIsCheckedAsItCame) {
  Bench bench;
  EXPECT_EQ(body_of(bench.run("POST", "/config/validate", "version: 1\n"))["ok"], true);
  EXPECT_EQ(bench.checked, "version: 1\n");
}

TEST(Operations, AConfigurationIsReplacedByWhoSaysWhich) {
  Bench bench;
  EXPECT_EQ(code_of(bench.run("PUT", "/config", "version: 1\n")), code::kConfigUnmatched);
  bench.if_match = "\"m-1\"";
  const auto replaced = bench.run("PUT", "/config?save=false", "version: 1\n");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(body_of(replaced)["generation"], 2);
  EXPECT_EQ(body_of(replaced)["notes"], Json::array({"workers"}));
  EXPECT_EQ(bench.configurations.asked.text, "version: 1\n");
  EXPECT_EQ(bench.configurations.asked.match, "\"m-1\"");
  EXPECT_EQ(bench.configurations.asked.save, Save::no);
  EXPECT_EQ(code_of(bench.run("PUT", "/config?save=perhaps", "version: 1\n")), code::kBadAdminRequest);
}

TEST(Operations, AMaskOfASecretIsNoSecret) {
  Bench bench;
  bench.if_match = "*";
  EXPECT_EQ(code_of(bench.run("PUT", "/config", "x-a: {password: \"<hidden>\"}\n")), code::kConfigRefused);
  EXPECT_EQ(bench.configurations.asked.text, "");
}

TEST(Operations, WhyAConfigurationIsRefusedIsTold) {
  Bench bench;
  config::Diagnostic diagnostic;
  diagnostic.code = code::kUnknownKey;
  diagnostic.message = "unknown key 'x'";
  bench.configurations.outcome = fail(NotReplaced{code::kConfigRefused, "it has errors", {diagnostic}});
  const auto refused = bench.run("POST", "/config/reload");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, code::kConfigRefused);
  EXPECT_EQ(refused.error().more["diagnostics"][0]["message"], "unknown key 'x'");
}

TEST(Operations, ATargetIsDrainedAndTakenBack) {
  Bench bench;
  const auto flag = bench.drains.flag_of("u", "127.0.0.1:9001");
  const Json drained = body_of(bench.run("POST", "/upstreams/u/targets/127.0.0.1%3A9001/drain"));
  EXPECT_EQ(drained["targets"][0]["draining"], true);
  EXPECT_TRUE(flag->load());
  EXPECT_EQ(body_of(bench.run("GET", "/upstreams"))["upstreams"][0], drained);
  EXPECT_EQ(body_of(bench.run("POST", "/upstreams/u/targets/127.0.0.1:9001/resume"))["targets"][0]["draining"], false);
  EXPECT_FALSE(flag->load());
  for (const char* path : {"/upstreams/v/targets/127.0.0.1:9001/drain", "/upstreams/u/targets/127.0.0.1:9002/drain",
                           "/upstreams/u/targets/127.0.0.1/resume"})
    EXPECT_EQ(code_of(bench.run("POST", path)), code::kNoSuchTarget) << path;
}

TEST(Drains, AreForgottenWithTheirTarget) {
  http::Drains drains;
  http::UpstreamOptions upstream;
  upstream.name = "u";
  for (const std::uint16_t port : {std::uint16_t{1}, std::uint16_t{2}}) {
    http::TargetOptions& target = upstream.targets.emplace_back();
    target.address.host = "::1";
    target.address.port = port;
  }
  drains.set("u", "[::1]:1", true);
  drains.set("u", "[::1]:2", true);
  const auto first = drains.flag_of("u", "[::1]:1");
  drains.keep_only({upstream});
  EXPECT_TRUE(drains.is_drained("u", "[::1]:1"));
  EXPECT_EQ(drains.flag_of("u", "[::1]:1"), first);
  upstream.targets.pop_back();
  drains.keep_only({upstream});
  EXPECT_TRUE(drains.is_drained("u", "[::1]:1"));
  EXPECT_FALSE(drains.is_drained("u", "[::1]:2"));
  drains.keep_only({});
  EXPECT_FALSE(drains.flag_of("u", "[::1]:1")->load());
  EXPECT_TRUE(first->load());  // who holds it still sees what it was
}
}  // namespace
}  // namespace lingate::admin
