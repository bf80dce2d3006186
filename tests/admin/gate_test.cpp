#include "gateway/admin/gate.h"

#include "tests/admin/support.h"

namespace lingate::admin {
namespace {

int refusal(const Head& asked, std::vector<std::string> hosts = {}) {
  const auto admitted = Gate(kToken, std::move(hosts)).admit(asked);
  return admitted ? 0 : admitted.error().code;
}

TEST(Gate, TakesHostsThatNobodyElseCanClaim) {
  const Gate gate(kToken, {"gateway.internal", "*.ops.example"});
  for (const char* host : {"127.0.0.1", "127.0.0.1:9901", "[::1]:9901", "[::1]", "10.1.2.3:80", "localhost",
                           "LocalHost:9901", "gateway.internal", "Gateway.Internal:9901", "a.ops.example"})
    EXPECT_TRUE(gate.takes_host(host)) << host;
  for (const char* host : {"", "evil.example", "evil.example:9901", "localhost.evil.example", "127.0.0.1.evil.example",
                           "xgateway.internal", "ops.example", "evilops.example", "user@localhost", "local host",
                           "127.0.0.1:port", "[::1"})
    EXPECT_FALSE(gate.takes_host(host)) << host;
}

TEST(Gate, TakesTheTokenAndNothingElse) {
  const Gate gate(kToken, {});
  EXPECT_TRUE(gate.takes_token(std::string("Bearer ") + kToken));
  EXPECT_TRUE(gate.takes_token(std::string("bearer  ") + kToken));
  for (const std::string& wrong : {std::string(), std::string("Bearer"), std::string("Bearer "), std::string(kToken),
                                   std::string("Basic ") + kToken, std::string("Bearer ") + kToken + "0",
                                   std::string("Bearer 0123456789abcdef"), "Bearer " + std::string(100'000, 'x')})
    EXPECT_FALSE(gate.takes_token(wrong)) << wrong.substr(0, 60);
}

TEST(Gate, EveryOperationThatIsNotOpenNeedsTheToken) {
  for (const Operation& each : operations()) {
    std::string path(each.path);
    if (const auto brace = path.find("{id}"); brace != std::string::npos) path.replace(brace, 4, "ada");
    Head asked = head(each.method, path);
    EXPECT_EQ(refusal(asked), 0) << each.id;
    asked.authorization = "Bearer 0123456789abcdef0123456789abcdee";
    EXPECT_EQ(refusal(asked), each.access == Access::token ? code::kAdminTokenWrong : 0) << each.id;
    asked.authorization = "";
    EXPECT_EQ(refusal(asked), each.access == Access::token ? code::kAdminTokenWrong : 0) << each.id;
  }
}

TEST(Gate, OnlyTheFourOpenOperationsAreOpen) {
  std::vector<std::string_view> open;
  for (const Operation& each : operations())
    if (each.access != Access::token) open.push_back(each.path);
  EXPECT_THAT(open, testing::ElementsAre("/healthz", "/readyz", "/metrics", "/openapi.json"));
}

TEST(Gate, ForeignNamesAndPagesAreRefused) {
  Head asked = head("GET", "/keys");
  asked.hosts = {"evil.example"};
  EXPECT_EQ(refusal(asked), code::kAdminHost);
  EXPECT_EQ(refusal(asked, {"evil.example"}), 0);
  asked.hosts = {};
  EXPECT_EQ(refusal(asked), code::kBadHost);
  asked.hosts = {"127.0.0.1", "127.0.0.1"};
  EXPECT_EQ(refusal(asked), code::kBadHost);

  asked = head("GET", "/keys");
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:9901",
                             "http://127.0.0.1:9901.evil.example"}) {
    asked.origin = origin;
    EXPECT_EQ(refusal(asked), code::kAdminOrigin) << origin;
  }
  asked.origin = "http://127.0.0.1:9901";
  EXPECT_EQ(refusal(asked), 0);
  for (const char* site : {"cross-site", "same-site", "whatever"}) {
    asked.fetch_site = site;
    EXPECT_EQ(refusal(asked), code::kAdminOrigin) << site;
  }
  asked.fetch_site = "same-origin";
  EXPECT_EQ(refusal(asked), 0);
}

TEST(Gate, MetricsAreForKnownNamesAndProbesForAny) {
  Head asked = head("GET", "/metrics");
  asked.hosts = {"evil.example"};
  EXPECT_EQ(refusal(asked), code::kAdminHost);
  asked.target = "/healthz";
  EXPECT_EQ(refusal(asked), 0);
  asked.hosts = {};
  EXPECT_EQ(refusal(asked), 0) << "as HTTP/1.0 has it";
  asked.origin = "http://evil.example";
  EXPECT_EQ(refusal(asked), code::kAdminOrigin);
}

TEST(Gate, WhatIsNotThereIsToldToThoseWithTheToken) {
  EXPECT_EQ(refusal(head("GET", "/nothing")), code::kNoSuchOperation);
  EXPECT_EQ(refusal(head("GET", "/keys/a/b")), code::kNoSuchOperation);
  EXPECT_EQ(refusal(head("GET", "/keys/")), code::kNoSuchOperation);
  EXPECT_EQ(refusal(head("GET", "http://x/keys")), code::kNoSuchOperation);
  const auto refused = Gate(kToken, {}).admit(head("PUT", "/keys"));
  EXPECT_EQ(refused.error().code, code::kMethodNotAllowed);
  EXPECT_EQ(refused.error().allow, "POST, GET, HEAD");
  Head asked = head("GET", "/nothing");
  asked.authorization = "";
  EXPECT_EQ(refusal(asked), code::kAdminTokenWrong);
  asked = head("POST", "/metrics");
  asked.authorization = "";
  EXPECT_EQ(refusal(asked), code::kMethodNotAllowed);
}

TEST(Gate, ParametersAreDecodedAndUnknownOnesRefused) {
  const auto admitted = Gate(kToken, {}).admit(head("GET", "/keys/a%2Fb%20c+d"));
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->call.parameter("id"), "a/b c+d");
  EXPECT_EQ(Gate(kToken, {}).admit(head("GET", "/keys?org=a+b&limit=5"))->call.parameter("org"), "a b");
  EXPECT_EQ(refusal(head("GET", "/keys?nothing=1")), code::kBadAdminRequest);
  EXPECT_EQ(refusal(head("GET", "/keys/a%2")), code::kBadAdminRequest);
  EXPECT_EQ(refusal(head("GET", "/keys/a%ff")), code::kBadAdminRequest);
  EXPECT_EQ(refusal(head("GET", "/keys?org=%zz")), code::kBadAdminRequest);
}

TEST(Gate, BodiesAreOfTheRightKindAndSize) {
  Head asked = head("POST", "/keys");
  asked.content_length = 10;
  EXPECT_EQ(refusal(asked), code::kAdminMediaType);
  asked.content_type = "Application/JSON; charset=utf-8";
  EXPECT_EQ(refusal(asked), 0);
  asked.content_length = kMostBody + 1;
  EXPECT_EQ(refusal(asked), code::kAdminBodyTooLarge);
  asked = head("POST", "/config/validate");
  asked.chunked = true;
  asked.content_type = "application/json";
  EXPECT_EQ(refusal(asked), code::kAdminMediaType);
  asked.content_type = "application/yaml";
  EXPECT_EQ(refusal(asked), 0);
}

}  // namespace
}  // namespace lingate::admin
