#include "gateway/routing/explain.h"

#include <algorithm>

#include <fmt/format.h>

namespace lingate::routing {
namespace {

using Stage = Consideration::Stage;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    segments.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

bool host_matches(std::string_view pattern, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (pattern.empty()) return true;
  if (!pattern.starts_with("*.")) return pattern == host;
  return host.size() >= pattern.size() && host.ends_with(pattern.substr(1));
}

std::string show(const Segment& segment) {
  return segment.kind == Segment::Kind::param ? "{" + segment.text + "}" : segment.text;
}

// Nothing, or how many segments agreed and what did not.
struct PathMiss {
  std::size_t agreed = 0;
  std::string reason;
};

std::optional<PathMiss> compare_paths(const Match& match, std::string_view path) {
  const std::vector<Segment> pattern = parse_path(match.path).value();
  const std::vector<std::string_view> given = split(path);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i].kind == Segment::Kind::wildcard) return std::nullopt;
    if (i == given.size()) {
      const bool slash = i + 1 == pattern.size() && pattern[i].text.empty();
      return PathMiss{i, slash ? "the route's path ends with a slash, the request's does not"
                               : fmt::format("the path ends where the route goes on with '/{}'", show(pattern[i]))};
    }
    const bool same = pattern[i].kind == Segment::Kind::param ? !given[i].empty() : pattern[i].text == given[i];
    if (!same)
      return PathMiss{i, fmt::format("the path has '{}' where the route has '{}'", given[i], show(pattern[i]))};
  }
  if (given.size() == pattern.size()) return std::nullopt;
  const bool slash = given.size() == pattern.size() + 1 && given.back().empty();
  return PathMiss{pattern.size(),
                  slash ? "the path ends with a slash, the route's does not"
                        : fmt::format("the path goes on with '/{}' where the route ends", given[pattern.size()])};
}

std::string describe(std::string_view what, const Condition& condition) {
  switch (condition.test) {
    case Condition::Test::equals: return fmt::format("{} '{}' is not '{}'", what, condition.name, condition.value);
    case Condition::Test::present: return fmt::format("{} '{}' is missing", what, condition.name);
    case Condition::Test::absent: return fmt::format("{} '{}' is there and must not be", what, condition.name);
  }
  return {};
}

std::string failed_condition(const Match& match, const Request& request) {
  for (const Condition& each : match.headers)
    if (!header_holds(each, request.headers)) return describe("header", each);
  for (const Condition& each : match.query)
    if (!query_holds(each, request.query)) return describe("query parameter", each);
  return {};
}

bool method_matches(const Match& match, const Request& request) {
  const auto takes = [&match](std::string_view method) {
    return std::find(match.methods.begin(), match.methods.end(), method) != match.methods.end();
  };
  if (match.methods.empty() || takes(request.method)) return true;
  if (request.method == "HEAD") return takes("GET");
  if (request.method != "OPTIONS" || !match.preflight || !request.headers || !request.headers->first("origin"))
    return false;
  const auto asked = request.headers->first("Access-Control-Request-Method");
  return asked && takes(*asked);
}

Consideration consider_one(const Match& match, const Request& request) {
  if (!host_matches(match.host, request.host))
    return {0, Stage::host, 0, fmt::format("the host is not '{}'", match.host)};
  if (auto miss = compare_paths(match, request.path)) return {0, Stage::path, miss->agreed, std::move(miss->reason)};
  if (auto failed = failed_condition(match, request); !failed.empty())
    return {0, Stage::condition, 0, std::move(failed)};
  if (!method_matches(match, request))
    return {0, Stage::method, 0, fmt::format("the method is not {}", fmt::join(match.methods, ", "))};
  return {0, Stage::less_specific, 0, "it matches too, but less specifically"};
}

}  // namespace

std::vector<Consideration> consider(std::span<const Match> matches, const Request& request, const Found& found) {
  std::vector<Consideration> all;
  for (std::size_t index = 0; index < matches.size(); ++index) {
    Consideration one = consider_one(matches[index], request);
    one.route = index;
    if (found.outcome == Found::Outcome::matched && found.route == index) {
      one.stage = Stage::taken;
      one.reason = "the most specific match";
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace lingate::routing
