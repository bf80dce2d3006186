#include "gateway/routing/router.h"

#include <gtest/gtest.h>

#include "gateway/routing/explain.h"
#include "tests/routing/request.h"

namespace lingate::routing {
namespace {

constexpr int kNoRoute = -1;
constexpr int kWrongMethod = -2;

// The index of the route that takes the request.
int route(const std::vector<Match>& matches, const Request& request) {
  const Found found = Router(matches).match(request);
  switch (found.outcome) {
    case Found::Outcome::matched: return static_cast<int>(found.route);
    case Found::Outcome::method_not_allowed: return kWrongMethod;
    case Found::Outcome::no_route: break;
  }
  return kNoRoute;
}

int get(const std::vector<Match>& matches, std::string_view path) {
  return route(matches, {"GET", "example.com", path, "", nullptr});
}

std::string params(const std::vector<Match>& matches, std::string_view path) {
  const Router router(matches);
  const Found found = router.match({"GET", "", path, "", nullptr});
  std::string text;
  for (std::size_t i = 0; i < found.param_count; ++i)
    text += router.param_names(found.route)[i] + "=" + std::string(found.params[i].of(path)) + " ";
  return text;
}

TEST(Router, MatchesLiteralsExactly) {
  const std::vector<Match> routes = {on("/hello"), on("/hello/world"), on("/")};
  EXPECT_EQ(get(routes, "/hello"), 0);
  EXPECT_EQ(get(routes, "/hello/world"), 1);
  EXPECT_EQ(get(routes, "/"), 2);
  EXPECT_EQ(get(routes, "/hell"), kNoRoute);
  EXPECT_EQ(get(routes, "/Hello"), kNoRoute);
}

TEST(Router, TellsATrailingSlashApart) {
  EXPECT_EQ(get({on("/hello")}, "/hello/"), kNoRoute);
  EXPECT_EQ(get({on("/hello/")}, "/hello"), kNoRoute);
  EXPECT_EQ(get({on("/hello"), on("/hello/")}, "/hello/"), 1);
}

TEST(Router, AParameterTakesOneNonEmptySegment) {
  const std::vector<Match> routes = {on("/users/{id}")};
  EXPECT_EQ(get(routes, "/users/7"), 0);
  EXPECT_EQ(get(routes, "/users/"), kNoRoute);
  EXPECT_EQ(get(routes, "/users"), kNoRoute);
  EXPECT_EQ(get(routes, "/users/7/"), kNoRoute);
  EXPECT_EQ(get(routes, "/users/7/posts"), kNoRoute);
}

TEST(Router, AWildcardTakesItsOwnPathAndAllBelow) {
  const std::vector<Match> routes = {on("/x/*")};
  EXPECT_EQ(get(routes, "/x"), 0);
  EXPECT_EQ(get(routes, "/x/"), 0);
  EXPECT_EQ(get(routes, "/x/a/b/"), 0);
  EXPECT_EQ(get(routes, "/xa"), kNoRoute);
  EXPECT_EQ(get({on("/*")}, "/"), 0);
  EXPECT_EQ(get({on("/*")}, "/any/thing"), 0);
}

TEST(Router, ReturnsParametersAsTheyStandInThePath) {
  EXPECT_EQ(params({on("/a/{one}/b/{two}/*")}, "/a/x%2Fy/b/2/r/s"), "one=x%2Fy two=2 *=r/s ");
  EXPECT_EQ(params({on("/x/*")}, "/x"), "*= ");
  EXPECT_EQ(params({on("/x/*")}, "/x/"), "*= ");
}

TEST(Router, PrefersLiteralToParameterToWildcardSegmentBySegment) {
  const std::vector<Match> routes = {on("/*"), on("/{a}/{b}"), on("/{a}/x"), on("/u/{b}"), on("/u/x")};
  EXPECT_EQ(get(routes, "/u/x"), 4);
  EXPECT_EQ(get(routes, "/u/y"), 3);
  EXPECT_EQ(get(routes, "/v/x"), 2);
  EXPECT_EQ(get(routes, "/v/y"), 1);
  EXPECT_EQ(get(routes, "/v"), 0);
}

TEST(Router, DoesNotDependOnTheOrderOfRoutes) {
  EXPECT_EQ(get({on("/u/x"), on("/u/{b}"), on("/*")}, "/u/x"), 0);
  EXPECT_EQ(get({on("/*"), on("/u/{b}"), on("/u/x")}, "/u/x"), 2);
}

TEST(Router, FallsBackFromALiteralThatLeadsNowhere) {
  const std::vector<Match> routes = {on("/a/b/c"), on("/{x}/b/d"), on("/a/*")};
  EXPECT_EQ(get(routes, "/a/b/c"), 0);
  EXPECT_EQ(get(routes, "/a/b/d"), 2);
  EXPECT_EQ(get({on("/a/b/c"), on("/{x}/b/d")}, "/a/b/d"), 1);
  EXPECT_EQ(params({on("/{p}/q/r"), on("/*")}, "/1/q/s"), "*=1/q/s ");
}

TEST(Router, PrefersTheExactPathToTheWildcardOfTheSamePath) {
  const std::vector<Match> routes = {on("/x/*"), on("/x"), on("/{any}")};
  EXPECT_EQ(get(routes, "/x"), 1);
  EXPECT_EQ(get(routes, "/x/"), 0);
  EXPECT_EQ(get({on("/x/*"), on("/{any}")}, "/x"), 0);
}

std::vector<Match> by_host(std::initializer_list<std::pair<std::string, std::string>> hosts) {
  std::vector<Match> matches;
  for (const auto& [host, path] : hosts) {
    matches.push_back(on(path));
    matches.back().host = host;
  }
  return matches;
}

TEST(Router, PutsTheHostFirst) {
  const auto routes =
      by_host({{"", "/a"}, {"*.example.com", "/*"}, {"api.example.com", "/*"}, {"*.b.example.com", "/*"}});
  const auto at = [&](std::string_view host) { return route(routes, {"GET", host, "/a", "", nullptr}); };
  EXPECT_EQ(at("api.example.com"), 2);
  EXPECT_EQ(at("www.example.com"), 1);
  EXPECT_EQ(at("a.b.example.com"), 3);
  EXPECT_EQ(at("example.com"), 0);
  EXPECT_EQ(at(".example.com"), 0);
  EXPECT_EQ(at("evilexample.com"), 0);
  EXPECT_EQ(at(""), 0);
}

TEST(Router, TreatsARootedHostNameAsTheSameHost) {
  const auto routes = by_host({{"", "/a"}, {"api.example.com", "/*"}});
  EXPECT_EQ(route(routes, {"GET", "api.example.com.", "/a", "", nullptr}), 1);
}

TEST(Router, FallsBackToALessSpecificHost) {
  const auto routes = by_host({{"", "/b"}, {"*.example.com", "/c"}, {"api.example.com", "/a"}});
  EXPECT_EQ(route(routes, {"GET", "api.example.com", "/b", "", nullptr}), 0);
  EXPECT_EQ(route(routes, {"GET", "api.example.com", "/c", "", nullptr}), 1);
}

TEST(Router, PrefersMoreConditions) {
  std::vector<Match> routes = {on("/a"), on("/a"), on("/a")};
  routes[1].headers = {equals("X-Beta", "1")};
  routes[2].headers = {equals("X-Beta", "1")};
  routes[2].query = {present("v")};
  const Fields beta{{"x-beta", "1"}};
  const Fields gamma{{"x-beta", "2"}};
  EXPECT_EQ(route(routes, {"GET", "", "/a", "v=1", &beta}), 2);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "w=1", &beta}), 1);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "v=1", &gamma}), 0);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "", nullptr}), 0);
}

TEST(Router, ComparesTheFirstLineOfAHeader) {
  std::vector<Match> routes = {on("/a"), on("/a")};
  routes[0].headers = {equals("X-V", "1")};
  routes[1].headers = {equals("X-V", "2")};
  const Fields both{{"X-V", "2"}, {"X-V", "1"}};
  EXPECT_EQ(route(routes, {"GET", "", "/a", "", &both}), 1);
}

TEST(Router, KnowsAbsenceFromPresence) {
  std::vector<Match> routes = {on("/a"), on("/a")};
  routes[0].query = {absent("debug")};
  routes[1].query = {present("debug")};
  EXPECT_EQ(route(routes, {"GET", "", "/a", "x=1", nullptr}), 0);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "x=1&debug", nullptr}), 1);
}

TEST(Router, ComparesQueryParametersDecoded) {
  std::vector<Match> routes = {on("/a")};
  routes[0].query = {equals("full name", "a&b=c")};
  const auto at = [&](std::string_view query) { return route(routes, {"GET", "", "/a", query, nullptr}); };
  EXPECT_EQ(at("full+name=a%26b%3Dc"), 0);
  EXPECT_EQ(at("x&%66ull%20name=a%26b=c&y"), 0);
  EXPECT_EQ(at("full+name=a"), kNoRoute);
  EXPECT_EQ(at("full+name=a%26b%3Dcd"), kNoRoute);
  EXPECT_EQ(at("full+name=other&full+name=a%26b%3Dc"), kNoRoute);
  EXPECT_EQ(at("full+name"), kNoRoute);
}

TEST(Router, AMethodMismatchIsNoMatch) {
  const std::vector<Match> routes = {on({"POST"}, "/a"), on("/*")};
  EXPECT_EQ(route(routes, {"POST", "", "/a", "", nullptr}), 0);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "", nullptr}), 1);
}

TEST(Router, PrefersANamedMethodToAnyMethod) {
  const std::vector<Match> routes = {on("/a"), on({"POST", "PUT"}, "/a")};
  EXPECT_EQ(route(routes, {"PUT", "", "/a", "", nullptr}), 1);
  EXPECT_EQ(route(routes, {"GET", "", "/a", "", nullptr}), 0);
}

TEST(Router, GetServesHeadUnlessHeadIsNamed) {
  EXPECT_EQ(route({on("/a"), on({"GET"}, "/a")}, {"HEAD", "", "/a", "", nullptr}), 1);
  EXPECT_EQ(route({on({"HEAD"}, "/a"), on({"GET"}, "/a")}, {"HEAD", "", "/a", "", nullptr}), 0);
  EXPECT_EQ(route({on({"HEAD"}, "/a")}, {"GET", "", "/a", "", nullptr}), kWrongMethod);
}

TEST(Router, MethodsAreCaseSensitive) {
  EXPECT_EQ(route({on({"GET"}, "/a")}, {"get", "", "/a", "", nullptr}), kWrongMethod);
}

TEST(Router, AnswersWithAllowedMethodsIfOnlyMethodsFailed) {
  std::vector<Match> routes = {on({"GET"}, "/a/{x}"), on({"PUT", "DELETE"}, "/a/*"), on({"PATCH"}, "/b"),
                               on({"COPY"}, "/a/1")};
  routes[3].headers = {present("X-Copy")};
  const Router router(routes);
  const Found found = router.match({"POST", "", "/a/1", "", nullptr});
  ASSERT_EQ(found.outcome, Found::Outcome::method_not_allowed);
  EXPECT_EQ(router.allow(found.allowed), "GET, PUT, DELETE, HEAD");
  EXPECT_EQ(router.match({"POST", "", "/c", "", nullptr}).outcome, Found::Outcome::no_route);
}

TEST(Router, RoutesAPreflightAsTheMethodItAsksAbout) {
  std::vector<Match> routes = {on({"GET"}, "/a"), on({"PUT"}, "/a"), on({"DELETE"}, "/a")};
  routes[0].preflight = routes[1].preflight = true;
  const auto preflight = [&](std::string method) {
    const Fields fields{{"Origin", "https://a.test"}, {"Access-Control-Request-Method", std::move(method)}};
    return route(routes, {"OPTIONS", "", "/a", "", &fields});
  };
  EXPECT_EQ(preflight("PUT"), 1);
  EXPECT_EQ(preflight("GET"), 0);
  EXPECT_EQ(preflight("DELETE"), kWrongMethod);
  EXPECT_EQ(route(routes, {"OPTIONS", "", "/a", "", nullptr}), kWrongMethod);
  const Fields no_origin{{"Access-Control-Request-Method", "PUT"}};
  EXPECT_EQ(route(routes, {"OPTIONS", "", "/a", "", &no_origin}), kWrongMethod);
}

TEST(Consider, NamesTheFirstThingThatDiffers) {
  std::vector<Match> routes = {on("/users/{id}"), on({"POST"}, "/user/{id}"), on("/user"),     on("/user/{id}/"),
                               on("/*"),          on("/user/{id}"),           on("/user/{id}")};
  routes[5].host = "api.example.com";
  routes[6].query = {equals("v", "2")};
  const Request request{"GET", "example.com", "/user/7", "v=1", nullptr};
  const auto all = consider(routes, request, Router(routes).match(request));
  EXPECT_EQ(all[0].reason, "the path has 'user' where the route has 'users'");
  EXPECT_EQ(all[1].reason, "the method is not POST");
  EXPECT_EQ(all[2].reason, "the path goes on with '/7' where the route ends");
  EXPECT_EQ(all[3].reason, "the route's path ends with a slash, the request's does not");
  EXPECT_EQ(all[4].reason, "the most specific match");
  EXPECT_EQ(all[5].reason, "the host is not 'api.example.com'");
  EXPECT_EQ(all[6].reason, "query parameter 'v' is not '2'");
}

}  // namespace
}  // namespace lingate::routing
