// One mistake, one message: ten different ones in one file give ten messages, and a mistake that others depend on does
// not drag them along.
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;

TEST(TenMistakes, AreAllReportedInOneRunWithPlaceAndCure) {
  const Loaded loaded = load(R"(version: 1
listen:
  - adress: 0.0.0.0:8080
workers: many
limits:
  head: 32
upstreams:
  users:
    targets: ["127.0.0.1:9001"]
    balance: least-requests
    timeout: {connect: 300}
routes:
  - name: users
    match: {path: "/users/{id}", methods: [get]}
    chain: [use: base]
    upstream: usres
  - name: users
    match: {path: /b}
    respond: {status: 999}
)");
  EXPECT_FALSE(loaded.model);
  EXPECT_THAT(
      show(loaded.diagnostics),
      ElementsAre("3:5 LG2001 unknown key 'adress' in listener 1 | did you mean 'address'?",
                  "4:10 LG2004 'workers': a number or 'auto' is needed, not the text 'many' | for example: workers: 4",
                  "6:9 LG2009 'head' in 'limits': '32' is no size | a unit is missing: '32KiB' or '32MiB'?",
                  "9:15 LG2017 'url' in target 1 of upstream 'users': '127.0.0.1:9001' is no upstream URL | write "
                  "'http://127.0.0.1:9001'",
                  "10:14 LG2006 'balance' in upstream 'users': 'least-requests' is none of the choices | did you mean "
                  "'least-request'?",
                  "11:24 LG2008 'connect' in 'timeout' of upstream 'users': '300' is no duration | a unit is missing: "
                  "'300s' or "
                  "'300ms'?",
                  "14:44 LG2024 'methods' in 'match' of route 'users': 'get' is not the method GET | methods are "
                  "case-sensitive: "
                  "write 'GET'",
                  "15:18 LG2010 there is no chain 'base' | define it under 'chains'",
                  "16:15 LG2010 there is no upstream 'usres' | did you mean 'users'?",
                  "17:11 LG2011 two routes have the name 'users' | rename one of them",
                  "19:23 LG2007 'status' in 'respond' of route 'users': '999' is out of range | from 200 to 599"));
}

TEST(Cascades, AMisspeltSectionStillDefinesItsNames) {
  EXPECT_THAT(mistakes("upstream: {users: {targets: \"http://h\"}}\nroutes:\n  - {match: {}, upstream: users}\n"),
              ElementsAre("3:1 LG2001 unknown key 'upstream' | did you mean 'upstreams'?"));
}

TEST(Cascades, AMisspeltRequiredKeyIsNotMissingToo) {
  EXPECT_THAT(mistakes_above("admin: {adress: \":0\"}"),
              ElementsAre("3:9 LG2001 unknown key 'adress' in 'admin' | did you mean 'address'?"));
}

TEST(Cascades, WhatIsBelowAMisspeltKeyIsStillChecked) {
  EXPECT_THAT(mistakes_above("limts: {head: 5}"),
              ElementsAre("3:1 LG2001 unknown key 'limts' | did you mean 'limits'?",
                          "3:15 LG2009 'head' in 'limits': '5' is no size | a unit is missing: '5KiB' or '5MiB'?"));
}

TEST(Cascades, AnUpstreamWithMistakesIsStillDefined) {
  EXPECT_THAT(
      mistakes("upstreams: {users: {targets: 5}}\nroutes:\n  - {match: {}, upstream: users}\n"),
      ElementsAre("3:30 LG2017 'url' in 'targets' of upstream 'users': '5' is no upstream URL | write 'http://5'"));
}

TEST(Cascades, ABrokenMatchConflictsWithNobody) {
  EXPECT_THAT(mistakes("routes:\n  - {name: a, match: {methods: [get]}, respond: {}}\n"
                       "  - {name: b, match: {}, respond: {}}\n"),
              ElementsAre(testing::HasSubstr("4:33 LG2024")));
}

TEST(Cascades, AnAnchorWithAMistakeIsReportedOnceForAllItsAliases) {
  EXPECT_THAT(mistakes("x-r: &r {text: 5}\nroutes:\n  - {name: a, match: {path: /a}, respond: *r}\n"
                       "  - {name: b, match: {path: /b}, respond: *r}\n"),
              ElementsAre(testing::HasSubstr("3:16 LG2004 'text' in 'respond' of route 'a'")));
}

TEST(Cascades, AnUnknownAliasIsNotAWrongTypeToo) {
  EXPECT_THAT(mistakes_above("limits: *missing\nlog: {level: *missing}"), testing::SizeIs(2));
}

TEST(Report, ShowsTheFirstErrorsAndCountsTheRest) {
  std::string text;
  for (std::size_t i = 0; i < Report::kMost + 50; ++i)
    text += fmt::format("key-{}: 1\n", i);
  const auto diagnostics = load("version: 1\nlisten: :0\nroutes: []\n" + text).diagnostics;
  ASSERT_EQ(diagnostics.size(), Report::kMost);
  EXPECT_EQ(diagnostics.back().notes.at(0).text, "50 more errors are not shown");
}

}  // namespace
}  // namespace lingate::config
