// The step basic-auth: which names and passwords it lets in, what it remembers, and what happens while a hash is
// computed.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/codes.h"
#include "middleware/auth/base64.h"
#include "middleware/auth/password_crew.h"
#include "middleware/auth/proven_passwords.h"
#include "middleware/auth/users.h"
#include "middleware/builtin.h"
#include "runtimes/module.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

// "open sesame", as crypt(3) wrote it; cheap ones, so that tests are quick.
constexpr std::string_view kBcrypt = "$2y$04$Ci7aTyk08rN9LKVH44Wkfe4aycvMJZVDFRYE5AGNTPhE4yvKxLMby";
constexpr std::string_view kYescrypt = "$y$j75$NjogfcLRy6O3UZ33lgYQT/$qGyp7Q5uM4FG5uJhrrtg7LlXN8jeqg8NfGEogEy2iU3";
constexpr std::string_view kScrypt = "$7$BU..../....Hmkh37JeB9RhbHlKFNO.H.$evY24Pvz7aBX/ZJYT4d3T9bezmL5mB9hgKG.7lU3dh0";
constexpr std::string_view kSha512 =
    "$6$rounds=1000$w3HsetJY525d6hWC$6lp9cXSOavOiPCkJovtgtH0np8FA72na2ak/"
    "BT1qkVWloGBEdvYEVfgfROSzWmtyGMvP9Uf5.326HLawZyDZw0";
constexpr std::string_view kSha256 = "$5$rounds=1000$5y/D7AdcdnF1WIOn$yz60ZjTOY.6oJaOeLHSuMB5rFTQE/StTJ6A167jFoF0";

Settings text(std::string_view value) {
  return Settings(std::string(value));
}

std::string basic(std::string_view pair) {
  return "Basic " + runtimes::module::base64_encode(pair, runtimes::module::Base64::standard);
}

class BasicAuth : public testing::Test {
 protected:
  std::unique_ptr<const Middleware> make(Settings::Map more = {}) {
    Settings::Map users{{"ann", text(kBcrypt)}, {"bo", text(kYescrypt)}, {"cy", text(kScrypt)}, {"dé", text(kSha512)}};
    Settings::Map settings{{"users", Settings(std::move(users))}};
    for (auto& each : more)
      settings.push_back(std::move(each));
    auto made = find_step("basic-auth")->make(Settings(std::move(settings)), {.passwords = &crew});
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  // Status of a request that carries this Authorization.
  static std::uint16_t ask(Stage& stage, std::string_view authorization) {
    if (!authorization.empty()) stage.receive("Authorization", authorization);
    const int overs = stage.host.request_overs;
    if (stage.exchange.run.request() == ChainRun::Answer::wait) {
      EXPECT_TRUE(stage.host.fake_loop.run_until([&] { return stage.host.request_overs > overs; }));
    }
    if (stage.exchange.response.source == Response::Source::none) stage.upstream();
    EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
    return stage.exchange.response.status;
  }

  auth::PasswordCrew crew{1};
};

std::string caller(const Exchange& exchange) {
  return exchange.session() ? std::string(exchange.session()->id()) : "nobody";
}

TEST_F(BasicAuth, LetsInWhoKnowsThePassword) {
  const auto step = make();
  for (const std::string_view name : {"ann", "bo", "cy", "dé"}) {
    Stage stage({step.get()});
    EXPECT_EQ(ask(stage, basic(std::string(name) + ":open sesame")), 200) << name;
    EXPECT_EQ(caller(stage.exchange), name);
    EXPECT_EQ(stage.exchange.session()->alias(), name);
  }
}

TEST_F(BasicAuth, RefusesAllElse) {
  const auto step = make();
  const std::string whole = basic("ann:open sesame");
  std::vector<std::string> wrong{basic("ann:open sesam"),
                                 basic("ann:open sesame "),
                                 basic("ann:Open sesame"),
                                 basic("ann:"),
                                 basic(":open sesame"),
                                 basic("eve:open sesame"),
                                 basic("Ann:open sesame"),
                                 basic("ann"),
                                 basic(""),
                                 basic(std::string("ann:open sesame\0", 16)),
                                 basic(std::string("ann:open sesame\0x", 17)),
                                 basic("ann:" + std::string(4000, 'x')),
                                 basic("ann:" + std::string(600, 'x')),
                                 "Basic ann:open sesame",
                                 "Basic " + whole.substr(6) + "=",
                                 "Basic " + whole.substr(6) + ", x=y",
                                 whole.substr(0, whole.size() - 1),
                                 "Basic ====",
                                 "Basic A",
                                 "Basic \xff\xfe"};
  for (const std::string& each : wrong) {
    Stage stage({step.get()});
    EXPECT_EQ(ask(stage, each), 401) << each;
    EXPECT_EQ(caller(stage.exchange), "nobody");
    EXPECT_EQ(stage.exchange.response.headers.value("WWW-Authenticate"), "Basic realm=\"lingate\", charset=\"UTF-8\"");
  }
}

TEST_F(BasicAuth, TellsMissingFromWrong) {
  const auto step = make({{"realm", text("a \"b\" \\")}});
  for (const std::string missing : {"", "Bearer abc", "Basic", "Basicx"}) {
    Stage stage({step.get()});
    EXPECT_EQ(ask(stage, missing), 401);
    EXPECT_EQ(stage.exchange.facts.fault, code::kCredentialsMissing) << missing;
    EXPECT_EQ(stage.exchange.response.headers.value("WWW-Authenticate"),
              R"(Basic realm="a \"b\" \\", charset="UTF-8")");
  }
  Stage wrong({step.get()});
  EXPECT_EQ(ask(wrong, basic("ann:x")), 401);
  EXPECT_EQ(wrong.exchange.facts.fault, code::kCredentialsWrong);
}

TEST_F(BasicAuth, MayLetStrangersPassButNoWrongPasswords) {
  const auto step = make({{"required", Settings(false)}});
  Stage stranger({step.get()});
  EXPECT_EQ(ask(stranger, ""), 200);
  EXPECT_EQ(caller(stranger.exchange), "nobody");
  Stage wrong({step.get()});
  EXPECT_EQ(ask(wrong, basic("ann:x")), 401);
}

TEST_F(BasicAuth, HidesThePasswordFromTheUpstream) {
  const auto step = make({{"hide", Settings(true)}});
  Stage stage({step.get()});
  EXPECT_EQ(ask(stage, basic("ann:open sesame")), 200);
  EXPECT_EQ(stage.exchange.request.headers.find("Authorization"), nullptr);
}

TEST_F(BasicAuth, WhatWasRightIsKnownWithoutItsHash) {
  const auto step = make();
  Stage first({step.get()});
  EXPECT_EQ(ask(first, basic("ann:open sesame")), 200);
  const std::string right = basic("ann:open sesame");
  const std::string not_right = basic("ann:open sesame!");
  Stage again({step.get()});
  again.receive("Authorization", right);
  EXPECT_EQ(again.run(), 200);  // at once
  Stage wrong({step.get()});
  wrong.receive("Authorization", not_right);
  EXPECT_EQ(wrong.exchange.run.request(), ChainRun::Answer::wait);
  wrong.exchange.end();
  crew.close();  // before the loop goes, as the gateway does
}

TEST_F(BasicAuth, ARequestMayGoWhileItsHashIsComputed) {
  const auto step = make();
  Stage stage({step.get()});
  for (int round = 0; round < 20; ++round) {
    const std::string wrong = basic("ann:" + std::to_string(round));
    stage.receive("Authorization", wrong);
    EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::wait);
    stage.exchange.end();
    stage.begin();
  }
  EXPECT_EQ(ask(stage, basic("ann:open sesame")), 200);
}

TEST_F(BasicAuth, AnswersWhenTooManyWait) {
  const auto step = make();
  std::vector<std::unique_ptr<Stage>> stages;
  const std::string wrong = basic("cy:wrong");
  std::size_t refused = 0;
  for (std::size_t k = 0; k < 2 * auth::PasswordCrew::kMostWaiting; ++k) {
    stages.push_back(std::make_unique<Stage>(std::vector<const Middleware*>{step.get()}));
    stages.back()->receive("Authorization", wrong);
    if (stages.back()->exchange.run.request() == ChainRun::Answer::wait) continue;
    ++refused;
    EXPECT_EQ(stages.back()->exchange.response.status, 503);
    EXPECT_EQ(stages.back()->exchange.facts.fault, code::kPasswordsBusy);
  }
  EXPECT_GT(refused, 0U);
  for (const auto& stage : stages)
    stage->exchange.end();
  crew.close();
}

TEST_F(BasicAuth, NeedsUsersAndACrew) {
  EXPECT_FALSE(find_step("basic-auth")->make(Settings(Settings::Map{}), {.passwords = &crew}));
  EXPECT_FALSE(find_step("basic-auth")->make(Settings(Settings::Map{}), {}));
}

TEST(ProvenPasswords, ForgetAfterAWhile) {
  auth::ProvenPasswords proven(auth::ProvenPasswords::draw_key(), 2);
  const Clock::time_point now = Clock::now();
  const auto mark = proven.mark(0, "x");
  proven.learn(0, mark, now);
  EXPECT_TRUE(proven.knows(0, proven.mark(0, "x"), now + std::chrono::minutes(4)));
  EXPECT_FALSE(proven.knows(0, proven.mark(0, "x"), now + auth::ProvenPasswords::kFor));
  EXPECT_FALSE(proven.knows(0, proven.mark(0, "y"), now));
  EXPECT_FALSE(proven.knows(1, proven.mark(1, "x"), now));
  EXPECT_NE(proven.mark(0, "x"), proven.mark(1, "x"));
  EXPECT_FALSE(proven.knows(1, auth::ProvenPasswords::Mark{}, now));
  auth::ProvenPasswords other(auth::ProvenPasswords::draw_key(), 1);
  EXPECT_NE(other.mark(0, "x"), mark);
}

TEST(PasswordHash, IsOneOfTheSlowForms) {
  for (const std::string_view good : {kBcrypt, kYescrypt, kScrypt, kSha512, kSha256})
    EXPECT_TRUE(auth::check_password_hash(good)) << good;
  const std::string bcrypt(kBcrypt);
  for (const std::string& bad :
       {std::string(), std::string("secret"), std::string("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="),
        std::string("$apr1$ab$ZrB8Q5SGlJpVkZxY7h3Wk/"), std::string("$1$ab$Gq1uv6YvRr0fwTnvV3iTm0"),
        std::string("rqXexS6ZhobKA"), bcrypt.substr(0, 59), bcrypt + "x", bcrypt.substr(0, 28), std::string("$2y$"),
        std::string("$6$"), std::string("$y$"), "$2y$31" + bcrypt.substr(6), std::string("$2y$99") + bcrypt.substr(6),
        "$6$rounds=999999999" + std::string(kSha512.substr(14)), std::string(500, '$')})
    EXPECT_FALSE(auth::check_password_hash(bad)) << bad;
}

TEST(Htpasswd, IsNamesAndHashesALineEach) {
  const std::string hash(kBcrypt);
  const auto users = auth::parse_htpasswd("# people\r\n\nann:" + hash + "\r\n  bo:" + hash);
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 2U);
  EXPECT_EQ((*users)[1].name, "bo");
  EXPECT_EQ((*users)[0].hash, hash);
  for (const std::string& bad : {"ann:" + hash + "\nann:" + hash, std::string("ann"), ":" + hash, "a\x01:" + hash,
                                 "a\xff:" + hash, std::string(257, 'a') + ":" + hash, std::string("ann:")})
    EXPECT_FALSE(auth::parse_htpasswd(bad)) << bad;
  EXPECT_EQ(auth::parse_htpasswd("#\n\nann:plain").error().what.substr(0, 7), "line 3:");
}

TEST(Base64, IsReadStrictly) {
  Arena arena;
  using auth::Alphabet;
  EXPECT_EQ(auth::decode_base64("Zm9vYg==", Alphabet::standard, arena), "foob");
  EXPECT_EQ(auth::decode_base64("Zm9vYg", Alphabet::url, arena), "foob");
  EXPECT_EQ(auth::decode_base64("-_8", Alphabet::url, arena), "\xfb\xff");
  EXPECT_EQ(auth::decode_base64("", Alphabet::url, arena), "");
  for (const std::string_view bad : {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9v\n", "Zm 9v===", "Z===", "-_8=", "===="})
    EXPECT_FALSE(auth::decode_base64(bad, Alphabet::standard, arena)) << bad;
  for (const std::string_view bad : {"Zm9vYg==", "Zm9vYh", "Z", "+/8", "Zm9v "})
    EXPECT_FALSE(auth::decode_base64(bad, Alphabet::url, arena)) << bad;
}

}  // namespace
}  // namespace lingate::middleware
