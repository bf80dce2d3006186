// The step jwt-auth: who is let in with a token, what becomes of its claims, what goes upstream.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/codes.h"
#include "middleware/builtin.h"
#include "tests/middleware/fake_host.h"
#include "tests/middleware/tokens.h"

namespace lingate::middleware {
namespace {

Settings text(std::string_view value) {
  return Settings(std::string(value));
}

MadeStep make(Settings::Map more) {
  Settings::Map settings{{"algorithms", Settings(Settings::List{text("HS256")})}};
  for (auto& each : more)
    settings.push_back(std::move(each));
  return find_step("jwt-auth")->make(Settings(std::move(settings)), {});
}

std::unique_ptr<const Middleware> with_secret(Settings::Map more = {}) {
  more.emplace_back("secret", text(test::kSecret));
  auto made = make(std::move(more));
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return std::move(*made);
}

std::string bearer(std::string_view claims, std::string_view secret = test::kSecret) {
  return "Bearer " + test::signed_with_secret(R"({"alg":"HS256","typ":"JWT"})", claims, secret);
}

std::string caller(const Exchange& exchange) {
  return exchange.session() ? std::string(exchange.session()->id()) : "nobody";
}

TEST(JwtAuth, LetsInWhoHasAToken) {
  const auto step = with_secret();
  const std::string token = bearer(R"({"sub":"ann","exp":99999999999,"role":"x"})");
  for (int round = 0; round < 3; ++round) {
    Stage stage({step.get()});
    stage.receive("authorization", token);
    EXPECT_EQ(stage.run(), 200);
    EXPECT_EQ(caller(stage.exchange), "ann");
    EXPECT_EQ(test::as_json(*stage.exchange.session()),
              R"({"id":"ann","metadata":{"sub":"ann","exp":99999999999,"role":"x"},"expires":99999999999})");
    EXPECT_EQ(stage.exchange.request.headers.value("Authorization"), token);
  }
}

TEST(JwtAuth, RefusesAsRfc6750Says) {
  const auto step = with_secret();
  Stage missing({step.get()});
  EXPECT_EQ(missing.run(), 401);
  EXPECT_EQ(missing.exchange.facts.fault, code::kCredentialsMissing);
  EXPECT_EQ(missing.exchange.response.headers.value("WWW-Authenticate"), "Bearer realm=\"lingate\"");
  for (const std::string& token :
       {bearer(R"({"sub":"ann"})", "another secret"), bearer(R"({"sub":"ann","exp":1})"), bearer("{}"),
        std::string("Bearer x"), std::string("Bearer a.b.c"), std::string("Bearer ..")}) {
    Stage wrong({step.get()});
    wrong.receive("Authorization", token);
    EXPECT_EQ(wrong.run(), 401) << token;
    EXPECT_EQ(wrong.exchange.facts.fault, code::kCredentialsWrong);
    EXPECT_EQ(wrong.exchange.response.headers.value("WWW-Authenticate"),
              "Bearer realm=\"lingate\", error=\"invalid_token\"");
    EXPECT_EQ(caller(wrong.exchange), "nobody");
  }
}

TEST(JwtAuth, MayLetStrangersPassButNoWrongTokens) {
  const auto step = with_secret({{"required", Settings(false)}});
  Stage stranger({step.get()});
  EXPECT_EQ(stranger.run(), 200);
  Stage wrong({step.get()});
  wrong.receive("Authorization", "Bearer x");
  EXPECT_EQ(wrong.run(), 401);
}

TEST(JwtAuth, LooksWhereItIsToldAndHidesWhatItFound) {
  const Settings place(Settings::Map{{"cookie", text("t")}});
  const auto step = with_secret({{"from", Settings(Settings::List{place})}, {"hide", Settings(true)}});
  const std::string cookie = "a=1; t=" + bearer(R"({"sub":"ann"})").substr(7);
  Stage stage({step.get()});
  stage.receive("Cookie", cookie);
  EXPECT_EQ(stage.run(), 200);
  EXPECT_EQ(stage.exchange.request.headers.value("Cookie"), "a=1");
  const std::string token = bearer(R"({"sub":"ann"})");
  Stage elsewhere({step.get()});
  elsewhere.receive("Authorization", token);
  EXPECT_EQ(elsewhere.run(), 401);
}

TEST(JwtAuth, AsksForIssuerAndAudience) {
  const auto step = with_secret({{"issuer", text("joe")}, {"audience", Settings(Settings::List{text("api")})}});
  const auto status = [&step](std::string_view claims) {
    const std::string token = bearer(claims);
    Stage stage({step.get()});
    stage.receive("Authorization", token);
    return stage.run();
  };
  EXPECT_EQ(status(R"({"sub":"a","iss":"joe","aud":["api"]})"), 200);
  EXPECT_EQ(status(R"({"sub":"a","iss":"jim","aud":["api"]})"), 401);
  EXPECT_EQ(status(R"({"sub":"a","iss":"joe","aud":["web"]})"), 401);
}

TEST(JwtAuth, NeedsOneKeyThatServes) {
  EXPECT_FALSE(make({}));
  EXPECT_FALSE(make({{"secret", text("short")}}));
  EXPECT_FALSE(make({{"key", text(test::pem_of_rsa_key())}}));
  EXPECT_FALSE(make({{"secret", text(test::kSecret)}, {"key", text(test::pem_of_rsa_key())}}));
  EXPECT_FALSE(make({{"jwks", Settings(Settings::Map{{"url", text("http://127.0.0.1:1/")}})}}));
  EXPECT_FALSE(make({{"jwks", Settings(Settings::Map{})}}));
}

}  // namespace
}  // namespace lingate::middleware
