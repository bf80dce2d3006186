// `tracing`: where spans go, how many, and what is wrong with it.
#include "gateway/config/hide.h"
#include "gateway/config/values.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Tracing, IsOffWhereNothingIsSaid) {
  EXPECT_FALSE(load("version: 1\nlisten: \":0\"\nroutes: []\n").model->tracing);
}

TEST(Tracing, NamesACollectorAndAShare) {
  const auto loaded = load(
      "version: 1\nlisten: \":0\"\nroutes: []\n"
      "tracing: {otlp: {url: \"https://[::1]:4318/v1/traces\", headers: {X-Key: {env: TENANT_KEY}}}, sample: 0.25%}\n");
  ASSERT_TRUE(loaded.model) << testing::PrintToString(show(loaded.diagnostics));
  const Tracing& tracing = *loaded.model->tracing;
  EXPECT_EQ(tracing.sample, 2'500U);
  EXPECT_EQ(tracing.otlp.service, "lingate");
  EXPECT_TRUE(tracing.otlp.url.secure);
  EXPECT_EQ(tracing.otlp.url.host, "::1");
  EXPECT_EQ(tracing.otlp.url.authority, "[::1]:4318");
  EXPECT_EQ(tracing.otlp.url.target, "/v1/traces");
  EXPECT_EQ(tracing.otlp.timeout, std::chrono::seconds(5));
  EXPECT_THAT(tracing.otlp.headers, ElementsAre(std::pair("X-Key", "s3cret")));
}

TEST(Tracing, TakesABareUrl) {
  const auto loaded = load("version: 1\nlisten: \":0\"\nroutes: []\ntracing: {otlp: \"http://c:1/v1/traces\"}\n");
  ASSERT_TRUE(loaded.model) << testing::PrintToString(show(loaded.diagnostics));
  EXPECT_EQ(loaded.model->tracing->otlp.url.port, "1");
  EXPECT_EQ(loaded.model->tracing->sample, 10'000U);
}

TEST(Mistakes, ACollectorThatIsNone) {
  const auto with = [](const std::string& otlp) { return mistakes_above("tracing: {otlp: " + otlp + "}"); };
  EXPECT_THAT(mistakes_above("tracing: {}"), ElementsAre(HasSubstr("LG2005")));
  EXPECT_THAT(with("{}"), ElementsAre(HasSubstr("LG2005")));
  EXPECT_THAT(with("\"grpc://c:4317\""), ElementsAre(HasSubstr("LG2017 'url' in 'tracing.otlp': 'grpc://c:4317': this "
                                                               "is no URL of a collector | write http://HOST:4318")));
  EXPECT_THAT(with("\"http://c:4318\""), ElementsAre(HasSubstr("has no path")));
  EXPECT_THAT(with("\"http://c:0/v1/traces\""), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(with("\"http://u:p@c/v1/traces\""), ElementsAre(HasSubstr("no fragment and no user")));
  EXPECT_THAT(with("{url: \"http://c/t\", headers: [a]}"), ElementsAre(HasSubstr("LG2004")));
  EXPECT_THAT(with("{url: \"http://c/t\", headers: {\"a b\": c}}"), ElementsAre(HasSubstr("LG2015")));
  EXPECT_THAT(with("{url: \"http://c/t\", headers: {a: 1}}"), ElementsAre(HasSubstr("LG2004 'a' has no text")));
  EXPECT_THAT(with("{url: \"http://c/t\", timeout: 5}"), ElementsAre(HasSubstr("LG2008")));
  EXPECT_THAT(with("{url: \"https://c/t\", ca: nowhere.pem}"), ElementsAre(HasSubstr("nowhere.pem")));
  EXPECT_THAT(with("{url: \"https://c/t\", ca: /dev/null}"), ElementsAre(HasSubstr("'ca' in 'tracing.otlp'")));
  EXPECT_THAT(with("{url: \"http://c/t\", ca: /etc/hostname}"),
              ElementsAre(HasSubstr("'ca' in 'tracing.otlp' is given, and the URL is not https://")));
}

TEST(Mistakes, AShareThatIsNone) {
  const auto with = [](const std::string& share) {
    return mistakes_above("tracing: {otlp: \"http://c/t\", sample: " + share + "}");
  };
  for (const char* good : {"0%", "100%", "0.0001%", "12.5%"})
    EXPECT_THAT(with(good), ElementsAre()) << good;
  for (const char* bad : {"1", "0.01", "101%", "1.%", "\"%\"", "-1%", "1.00001%", "99999999999%"})
    EXPECT_THAT(with(bad), ElementsAre(HasSubstr("is no share"))) << bad;
}

TEST(HideSecrets, HidesAnAuthorization) {
  EXPECT_THAT(hide_secrets("tracing: {otlp: {headers: {Authorization: Bearer abc}}}\n"), Not(HasSubstr("abc")));
}

}  // namespace
}  // namespace lingate::config
