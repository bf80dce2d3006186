// Mistakes of chains that use chains: circles, growth without end, too deep; what scripts in them can reach.
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Mistakes, CyclicUse) {
  const auto diagnostics =
      load("version: 1\nlisten: :0\nroutes: []\nchains:\n  a: [use: b]\n  b: [request-id, use: c]\n  c: [use: a]\n")
          .diagnostics;
  EXPECT_THAT(show(diagnostics),
              ElementsAre("7:12 LG2012 chain 'a' contains itself | take one 'use' out of the circle"));
  ASSERT_EQ(diagnostics[0].notes.size(), 2U);
  EXPECT_EQ(diagnostics[0].notes[0].text, "chain 'a' uses 'b' here");
  EXPECT_EQ(diagnostics[0].notes[1].text, "chain 'b' uses 'c' here");
  EXPECT_EQ(diagnostics[0].notes[1].place.line, 6U);
}

TEST(Mistakes, AChainThatUsesItself) {
  EXPECT_THAT(mistakes_above("chains: {a: [use: a]}"),
              ElementsAre("3:19 LG2012 chain 'a' contains itself | take one 'use' out of the circle"));
}

TEST(Mistakes, ChainsThatGrowWithoutEnd) {
  std::string chains = "chains:\n  c0: []\n";
  for (int i = 1; i < 30; ++i)
    chains += fmt::format("  c{0}: [use: c{1}, use: c{1}, use: c{1}]\n", i, i - 1);
  EXPECT_THAT(mistakes(chains + "routes:\n  - {match: {}, chain: [use: c29], respond: {}}\n"),
              ElementsAre(testing::HasSubstr("LG2023 the chain has more than 200 steps")));
}

TEST(Mistakes, ChainsThatGoTooDeepInWhateverOrderTheyStand) {
  std::string rising;
  std::string falling;
  for (int i = 1; i < 5'000; ++i) {
    const std::string line = fmt::format("  d{0:04}: [use: d{1:04}]\n", i, i - 1);
    rising += line;
    falling.insert(0, fmt::format("  d{1:04}: [use: d{0:04}]\n", i, i - 1));
  }
  const std::string too_deep = "LG2023 chains that use each other deeper than 32 levels | make it flatter";
  EXPECT_THAT(
      mistakes("chains:\n  d0000: []\n" + rising + "routes:\n  - {match: {}, chain: [use: d4999], respond: {}}\n"),
      ElementsAre(testing::HasSubstr(too_deep)));
  EXPECT_THAT(
      mistakes("chains:\n  d4999: []\n" + falling + "routes:\n  - {match: {}, chain: [use: d0000], respond: {}}\n"),
      ElementsAre(testing::HasSubstr(too_deep)));
}

TEST(Mistakes, ThousandsOfChainsAreQuicklyChecked) {
  std::string chains = "chains:\n  d0: []\n";
  std::string route = "routes:\n  - {match: {}, respond: {}, chain: [";
  for (int i = 1; i < 20'000; ++i)
    chains += fmt::format("  d{0}: [use: d{1}]\n", i, i % 30 == 0 ? 0 : i - 1);
  EXPECT_TRUE(load("version: 1\nlisten: :0\n" + chains + route + "use: d29]}\n").model);
}

TEST(Warnings, WhatIsNotForAScriptLiesBelowItsFolder) {
  folder().write("beside.py", "");
  const auto load_with = [](const std::string& sections, const std::string& step) {
    return mistakes(sections + "\nroutes: [{match: {path: /}, respond: {}, chain: [script: {" + step + "}]}]\n");
  };
  EXPECT_THAT(load_with("admin: {address: \"127.0.0.1:0\"}", "file: beside.py, isolation: process"),
              ElementsAre("warning 4:65 LG2103 this script can read 'data/admin.token', which lies below its folder | "
                          "put scripts in a folder of their own, for example scripts/"));
  EXPECT_THAT(load_with("store: {path: keys}", "file: beside.py, isolation: process"),
              ElementsAre(HasSubstr("this script can read 'keys'")));
  EXPECT_THAT(load_with("store: {kind: memory}", "file: beside.py, isolation: process"), IsEmpty());
  EXPECT_THAT(load_with("admin: {address: \"127.0.0.1:0\"}", "file: scripts/sign.py, isolation: process"), IsEmpty());
  EXPECT_THAT(load_with("", "file: beside.py, isolation: process"), IsEmpty());
}

}  // namespace
}  // namespace lingate::config
