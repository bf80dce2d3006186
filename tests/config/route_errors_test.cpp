// Mistakes of routes: conditions that no request meets, destinations by the thousand that are not there.
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Mistakes, AScriptsConfigOfMoreThan64KiB) {
  const auto with = [](std::size_t size) {
    return mistakes_in_step("script: {file: scripts/tenant.lua, config: {a: [" + std::string(size, 'x') + "]}}");
  };
  EXPECT_THAT(with(65'000), IsEmpty());
  EXPECT_THAT(with(66'000), ElementsAre("4:107 LG2023 the config of a script: the value takes more than 65536 bytes "
                                        "encoded | shorten it to less than 64KiB"));
}

std::vector<std::string> mistakes_in_condition(const std::string& condition) {
  return mistakes("routes:\n  - {name: r, match: {headers: {" + condition + "}}, respond: {}}\n");
}

TEST(Mistakes, HeaderConditionsThatNoRequestMeets) {
  const std::string where = "in 'headers' of 'match' of route 'r': ";
  EXPECT_THAT(mistakes_in_condition("X_V: \"1\""),
              ElementsAre("4:33 LG2015 'X_V' " + where +
                          "the gateway removes fields with '_' in their name | no request "
                          "has it when routes are matched: send and match 'X-V'"));
  EXPECT_THAT(mistakes_in_condition("X_V: false"), ElementsAre(testing::HasSubstr("removes fields with '_'")));
  for (const char* value : {"\" a\"", "\"a \"", "\"a\\t\"", "\" \""})
    EXPECT_THAT(mistakes_in_condition(std::string("X-V: ") + value),
                ElementsAre("4:38 LG2015 'X-V' " + where +
                            "white space around the value | it is removed from fields "
                            "before routes are matched: write the value without"));
  for (const char* value : {"\"a\\r\"", "\"a\\nb\"", "\"\\0\"", "\"a\\eb\""})
    EXPECT_THAT(mistakes_in_condition(std::string("X-V: ") + value),
                ElementsAre(testing::HasSubstr("the value holds")));
  EXPECT_THAT(mistakes_in_condition("X-V: \"a\\tb c\", X-W: \"\""), IsEmpty());
}

TEST(Mistakes, QueryConditionsMayHoldAnything) {
  EXPECT_THAT(mistakes("routes:\n  - {match: {query: {a_b: \" x\\n\"}}, respond: {}}\n"), IsEmpty());
}

TEST(Mistakes, ThousandsOfDanglingNamesAreCounted) {
  std::string upstreams = "upstreams:\n";
  std::string routes = "routes:\n";
  for (int i = 1'000; i < 5'000; ++i) {
    upstreams += fmt::format("  users-{}: {{targets: [\"http://h\"]}}\n", i);
    routes += fmt::format("  - {{match: {{path: /{0}}}, upstream: user-{0}}}\n", i);
  }
  const auto diagnostics = load("version: 1\nlisten: :0\n" + upstreams + routes).diagnostics;
  ASSERT_EQ(diagnostics.size(), Report::kMost);
  EXPECT_EQ(diagnostics.back().cure, "did you mean 'users-1199'?");
  EXPECT_EQ(diagnostics.back().notes.back().text, "3800 more errors are not shown");
}

}  // namespace
}  // namespace lingate::config
