#include "gateway/routing/match.h"

#include <gtest/gtest.h>

#include "tests/routing/request.h"

namespace lingate::routing {
namespace {

std::string fault(std::string_view pattern) {
  const auto parsed = parse_path(pattern);
  if (parsed) return "valid";
  const PatternFault& found = parsed.error();
  return std::to_string(found.offset) + "+" + std::to_string(found.length) + " " + found.message + "; " + found.cure;
}

TEST(ParsePath, TakesLiteralsParametersAndOneTrailingWildcard) {
  const auto segments = parse_path("/a/{user-id}/b%20c;v=1/*");
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 4U);
  EXPECT_EQ((*segments)[1].kind, Segment::Kind::param);
  EXPECT_EQ((*segments)[1].text, "user-id");
  EXPECT_EQ((*segments)[2].text, "b%20c;v=1");
  EXPECT_EQ((*segments)[3].kind, Segment::Kind::wildcard);
  EXPECT_EQ(fault("/"), "valid");
  EXPECT_EQ(fault("/a/"), "valid");
}

TEST(ParsePath, SaysWhereWhatAndWhatToDoInstead) {
  EXPECT_EQ(fault("users"), "0+5 a path that does not begin with '/'; write '/users'");
  EXPECT_EQ(fault("/a/*/b"),
            "3+1 a wildcard before the end; only the last segment may be '*'; name this one: '{name}'");
  EXPECT_EQ(fault("/a*"), "2+1 a '*' inside a segment; only the last segment may be a wildcard, alone: '/files/*'");
  EXPECT_EQ(fault("/{id}.json"), "1+1 a '{' inside a segment; a parameter takes a whole segment: '/users/{id}'");
  EXPECT_EQ(fault("/{}"),
            "1+2 '{}' is no parameter; a parameter is a name in braces, letters, digits, '_' and '-': '{id}'");
  EXPECT_EQ(fault("/{a}/{a}"), "5+3 the parameter 'a' stands twice; give each its own name");
  EXPECT_EQ(fault("/a//b"), "3+1 an empty segment; repeated slashes are merged before routes are matched: write one");
  EXPECT_EQ(fault("/a/../b"),
            "3+2 a dot segment; dot segments are removed before routes are matched: write the path without");
  EXPECT_EQ(fault("/a?b"), "2+1 a '?' in a path; conditions on the query go into 'match.query'");
  EXPECT_EQ(fault("/a b"), "2+1 a byte that no path holds unencoded; write '%20'");
  EXPECT_EQ(fault("/caf\xC3\xA9"), "4+1 a byte that no path holds unencoded; write '%C3'");
  EXPECT_EQ(fault("/%7Euser"), "1+3 '%7E' is decoded before routes are matched; write '~'");
  EXPECT_EQ(fault("/100%"), "4+1 a '%' without two hexadecimal digits; write '%25' for the sign itself");
}

TEST(ParsePath, BoundsSegmentsAndParameters) {
  std::string segments;
  for (std::size_t i = 0; i < kMaxSegments; ++i)
    segments += "/a";
  EXPECT_EQ(fault(segments), "valid");
  EXPECT_NE(fault(segments + "/a"), "valid");
  std::string parameters;
  for (std::size_t i = 0; i < kMaxParams; ++i)
    parameters += "/{p" + std::to_string(i) + "}";
  EXPECT_EQ(fault(parameters), "valid");
  EXPECT_NE(fault(parameters + "/*"), "valid");
}

TEST(ParseHost, TakesNamesSuffixesAndAddressesInLowerCase) {
  EXPECT_EQ(parse_host("API.Example.com").value(), "api.example.com");
  EXPECT_EQ(parse_host("*.example.com").value(), "*.example.com");
  EXPECT_EQ(parse_host("127.0.0.1").value(), "127.0.0.1");
  EXPECT_EQ(parse_host("[::1]").value(), "[::1]");
  EXPECT_EQ(parse_host("example.com.").value(), "example.com");
}

TEST(ParseHost, RefusesPortsPathsAndStarsInside) {
  EXPECT_EQ(parse_host("example.com:80").error().cure, "routes are matched without port: leave it out");
  EXPECT_EQ(parse_host("example.com/x").error().cure, "paths go into 'match.path'");
  EXPECT_EQ(parse_host("a.*.com").error().cure, "a wildcard stands in front only: '*.example.com'");
  EXPECT_EQ(parse_host("*").error().cure, "leave 'host' out to match every host");
  EXPECT_EQ(parse_host("a..b").error().offset, 2U);
}

std::size_t conflicts(std::vector<Match> matches) {
  return find_conflicts(matches).size();
}

TEST(FindConflicts, ParameterNamesDoNotTellRoutesApart) {
  EXPECT_EQ(conflicts({on("/u/{id}"), on("/u/{name}")}), 1U);
  EXPECT_EQ(conflicts({on("/u/{id}"), on("/u/id"), on("/u/*"), on("/u/{id}/")}), 0U);
}

TEST(FindConflicts, NamesEachLaterRouteWithTheFirst) {
  const std::vector<Match> matches = {on("/b"), on("/a"), on("/a"), on("/a")};
  const auto found = find_conflicts(matches);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].first, 1U);
  EXPECT_EQ(found[0].second, 2U);
  EXPECT_EQ(found[1].first, 1U);
  EXPECT_EQ(found[1].second, 3U);
}

TEST(FindConflicts, MethodsConflictWhereTheyOverlap) {
  EXPECT_EQ(conflicts({on({"GET", "PUT"}, "/a"), on({"PUT"}, "/a")}), 1U);
  EXPECT_EQ(conflicts({on({"GET"}, "/a"), on({"PUT"}, "/a"), on("/a"), on({"HEAD"}, "/a")}), 0U);
}

TEST(FindConflicts, DifferentHostsDoNotConflict) {
  Match other = on("/a");
  other.host = "b.test";
  EXPECT_EQ(conflicts({on("/a"), other}), 0U);
  EXPECT_EQ(conflicts({other, other}), 1U);
}

TEST(FindConflicts, ConditionsThatExcludeEachOtherDoNotConflict) {
  const auto with = [](Condition condition) {
    Match match = on("/a");
    match.headers = {std::move(condition)};
    return match;
  };
  EXPECT_EQ(conflicts({with(equals("X-V", "1")), with(equals("x-v", "2"))}), 0U);
  EXPECT_EQ(conflicts({with(present("X-V")), with(absent("X-V"))}), 0U);
  EXPECT_EQ(conflicts({with(equals("X-V", "1")), with(present("X-V"))}), 1U);
  EXPECT_EQ(conflicts({with(equals("X-V", "1")), with(equals("X-W", "1"))}), 1U);
  EXPECT_EQ(conflicts({with(equals("X-V", "1")), on("/a")}), 0U);
}

TEST(FindConflicts, TestsOfOneNameExcludeEachOtherByValueOnly) {
  const auto with = [](std::vector<Condition> headers, std::vector<Condition> query) {
    Match match = on("/a");
    match.headers = std::move(headers);
    match.query = std::move(query);
    return match;
  };
  EXPECT_EQ(conflicts({with({equals("K", "1")}, {}), with({}, {equals("K", "2")})}), 1U);
  EXPECT_EQ(conflicts({with({}, {equals("K", "1")}), with({}, {equals("k", "2")})}), 1U);
  EXPECT_EQ(conflicts({with({equals("A", "1"), present("B")}, {}), with({equals("b", "2"), equals("C", "3")}, {})}),
            1U);
  EXPECT_EQ(conflicts({with({equals("A", "1"), present("B")}, {}), with({absent("b"), equals("A", "1")}, {})}), 0U);
}

TEST(FindConflicts, ThousandsOfConditionsAreQuicklyCompared) {
  constexpr std::size_t kRoutes = 30'000;
  std::vector<Match> matches;
  for (std::size_t i = 0; i < kRoutes; ++i) {
    matches.push_back(on("/a"));
    matches.back().headers = {equals("X-Own-" + std::to_string(i), "1"), equals("X-Tenant", std::to_string(i))};
  }
  EXPECT_EQ(conflicts(matches), 0U);
  matches.push_back(matches[kRoutes / 2]);
  const auto found = find_conflicts(matches);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, kRoutes / 2);
}

}  // namespace
}  // namespace lingate::routing
