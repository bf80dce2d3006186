// The router against a matcher that tries every route: random tables of routes over a small alphabet, random requests.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "gateway/routing/explain.h"
#include "gateway/routing/router.h"
#include "tests/routing/request.h"

namespace lingate::routing {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937 random_;
};

const std::vector<std::string> kHosts = {"", "", "a.x.test", "b.x.test", "*.x.test", "*.test", "*.b.x.test"};
const std::vector<std::string> kRequestHosts = {"", "a.x.test", "b.x.test", "c.b.x.test", "y.test", "test", "other"};
const std::vector<std::string> kMethods = {"GET", "HEAD", "POST", "PUT", "OPTIONS"};
const std::vector<std::string> kWords = {"a", "b", "c"};

Condition random_condition(Dice& dice) {
  const std::string name = dice.pick<std::string>({"k", "l"});
  if (dice.one_in(4)) return dice.one_in(2) ? present(name) : absent(name);
  return equals(name, dice.pick<std::string>({"1", "2"}));
}

Match random_match(Dice& dice) {
  Match match = on("");
  match.host = dice.pick(kHosts);
  const std::size_t segments = dice.below(4);
  for (std::size_t i = 0; i < segments; ++i)
    match.path += dice.one_in(3) ? "/{p" + std::to_string(i) + "}" : "/" + dice.pick(kWords);
  if (match.path.empty() || dice.one_in(4)) match.path += dice.one_in(2) ? "/*" : "/";
  if (dice.one_in(2)) match.methods = {dice.pick(kMethods)};
  if (dice.one_in(3)) match.headers = {random_condition(dice)};
  if (dice.one_in(4)) match.query = {random_condition(dice)};
  match.preflight = dice.one_in(4);
  return match;
}

std::vector<Match> random_table(Dice& dice) {
  std::vector<Match> table;
  for (std::size_t size = 1 + dice.below(40); size > 0; --size) {
    table.push_back(random_match(dice));
    if (!find_conflicts(table).empty()) table.pop_back();
  }
  return table;
}

// A route's rank for a request, compared word by word; nothing: it does not match. `wrong_method`: but for the method.
struct Ranked {
  std::vector<int> rank;
  bool matches = false;
  bool wrong_method = false;
};

std::vector<std::string> words(const std::string& path) {
  std::vector<std::string> result(1);
  for (const char c : path.substr(1)) {
    if (c == '/') result.emplace_back();
    if (c != '/') result.back() += c;
  }
  return result;
}

bool rank_path(const std::string& pattern, const std::string& path, std::vector<int>& rank) {
  const auto wanted = words(pattern);
  const auto given = words(path);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*") return rank.push_back(-3), true;
    if (i >= given.size()) return false;
    const bool param = wanted[i].starts_with("{");
    if (param ? given[i].empty() : wanted[i] != given[i]) return false;
    rank.push_back(param ? -2 : -1);
  }
  rank.push_back(0);
  return wanted.size() == given.size();
}

bool condition_holds(const Condition& condition, const std::optional<std::string>& value) {
  if (condition.test == Condition::Test::present) return value.has_value();
  if (condition.test == Condition::Test::absent) return !value.has_value();
  return value == condition.value;
}

struct Case {
  std::string method, host, path;
  std::optional<std::string> header_k, query_k, preflight;  // "l" is never there
};

int method_rank(const Match& match, const Case& request) {
  const auto has = [&](const std::string& method) {
    return std::find(match.methods.begin(), match.methods.end(), method) != match.methods.end();
  };
  if (has(request.method)) return 3;
  if (request.method == "HEAD" && has("GET")) return 2;
  if (request.method == "OPTIONS" && match.preflight && request.preflight && has(*request.preflight)) return 2;
  return match.methods.empty() ? 1 : 0;
}

Ranked rank(const Match& match, const Case& request) {
  Ranked result;
  const std::string suffix = match.host.starts_with("*.") ? match.host.substr(1) : "";
  if (!match.host.empty() && suffix.empty() && match.host != request.host) return result;
  if (!suffix.empty() && (request.host.size() <= suffix.size() || !request.host.ends_with(suffix))) return result;
  result.rank.push_back(match.host.empty() ? 0 : suffix.empty() ? 1000 : static_cast<int>(suffix.size()));
  if (!rank_path(match.path, request.path, result.rank)) return result;
  for (const Condition& each : match.headers)
    if (!condition_holds(each, each.name == "k" ? request.header_k : std::nullopt)) return result;
  for (const Condition& each : match.query)
    if (!condition_holds(each, each.name == "k" ? request.query_k : std::nullopt)) return result;
  result.rank.push_back(static_cast<int>(match.headers.size() + match.query.size()));
  const int method = method_rank(match, request);
  result.wrong_method = method == 0;
  result.matches = method > 0;
  result.rank.push_back(method);
  return result;
}

Case random_case(Dice& dice) {
  Case request{dice.pick(kMethods), dice.pick(kRequestHosts), "", {}, {}, {}};
  for (std::size_t i = dice.below(5); i > 0; --i)
    request.path += "/" + dice.pick<std::string>({"a", "b", "c", "d"});
  if (request.path.empty() || dice.one_in(5)) request.path += "/";
  if (dice.one_in(2)) request.header_k = dice.pick<std::string>({"1", "2", "3"});
  if (dice.one_in(2)) request.query_k = dice.pick<std::string>({"1", "2", "3"});
  if (dice.one_in(2)) request.preflight = dice.pick(kMethods);
  return request;
}

// What the request should get, found by asking every route.
struct Expected {
  Found::Outcome outcome = Found::Outcome::no_route;
  std::size_t route = 0;
  std::vector<int> rank;
};

Expected try_every_route(const std::vector<Match>& table, const Case& request) {
  Expected best;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Ranked ranked = rank(table[i], request);
    if (ranked.wrong_method && best.rank.empty()) best.outcome = Found::Outcome::method_not_allowed;
    if (!ranked.matches) continue;
    EXPECT_NE(ranked.rank, best.rank) << "a tie that find_conflicts let through: " << table[i].path;
    if (ranked.rank > best.rank) best = {Found::Outcome::matched, i, ranked.rank};
  }
  return best;
}

// The pattern with the parameters put back: the path that it matched.
std::string rebuilt(const Router& router, const Match& match, const Found& found, const std::string& path) {
  std::string text = match.path;
  for (std::size_t i = 0; i < found.param_count; ++i) {
    const std::string& name = router.param_names(found.route)[i];
    const std::string hole = name == "*" ? "*" : "{" + name + "}";
    text.replace(text.find(hole), hole.size(), found.params[i].of(path));
  }
  if (match.path.ends_with("/*") && text == path + "/") text.pop_back();
  return text;
}

Fields fields_of(const Case& request) {
  Fields fields;
  if (request.header_k) fields.lines.emplace_back("K", *request.header_k);
  if (request.preflight) fields.lines.emplace_back("Origin", "https://a.test");
  if (request.preflight) fields.lines.emplace_back("access-control-request-method", *request.preflight);
  return fields;
}

#ifdef LINGATE_SANITIZED
constexpr int kRounds = 100;  // slow enough
#else
constexpr int kRounds = 400;
#endif

TEST(RouterProperty, AgreesWithAMatcherThatTriesEveryRoute) {
  Dice dice(7);
  std::vector<std::size_t> outcomes(3);
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<Match> table = random_table(dice);
    const Router router(table);
    for (int each = 0; each < 200; ++each) {
      const Case request = random_case(dice);
      const Expected expected = try_every_route(table, request);
      const Fields fields = fields_of(request);
      const std::string query = request.query_k ? "k=" + *request.query_k : "";
      const Request asked{request.method, request.host, request.path, query, &fields};
      const Found found = router.match(asked);
      ASSERT_EQ(found.outcome, expected.outcome) << request.method << " " << request.host << request.path;
      ASSERT_EQ(found.route, expected.route) << request.path << ": " << table[expected.route].path;
      if (found.outcome == Found::Outcome::matched) {
        ASSERT_EQ(rebuilt(router, table[found.route], found, request.path), request.path);
      }
      ++outcomes[static_cast<std::size_t>(found.outcome)];
      for (const Consideration& one : consider(table, asked, found)) {
        const bool takes = one.stage >= Consideration::Stage::less_specific;
        ASSERT_EQ(takes, rank(table[one.route], request).matches) << one.reason;
      }
    }
  }
  for (const std::size_t count : outcomes)
    EXPECT_GT(count, 1'000U);
}

// As find_conflicts says it does, two routes at a time.
std::vector<Conflict> compare_all(const std::vector<Match>& table) {
  std::vector<Conflict> conflicts;
  std::vector<std::size_t> good;
  for (std::size_t later = 0; later < table.size(); ++later) {
    const auto first = std::find_if(good.begin(), good.end(), [&](std::size_t each) {
      return !find_conflicts(std::vector<Match>{table[each], table[later]}).empty();
    });
    if (first != good.end()) conflicts.push_back({*first, later});
    if (first == good.end()) good.push_back(later);
  }
  return conflicts;
}

Match random_match_of_one_shape(Dice& dice) {
  Match match = on("/a");
  for (const char* name : {"k", "l", "m"})
    if (dice.one_in(2)) match.headers.push_back(random_condition(dice)), match.headers.back().name = name;
  if (dice.one_in(2)) match.query = {random_condition(dice)};
  while (dice.one_in(2))
    match.methods.push_back(dice.pick(kMethods));
  return match;
}

TEST(RouterProperty, FindsTheConflictsThatComparingAllPairsFinds) {
  Dice dice(13);
  std::size_t conflicting = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Match> table;
    for (std::size_t size = 1 + dice.below(30); size > 0; --size)
      table.push_back(random_match_of_one_shape(dice));
    const auto expected = compare_all(table);
    const auto found = find_conflicts(table);
    conflicting += expected.size();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].first, expected[i].first);
      ASSERT_EQ(found[i].second, expected[i].second);
    }
  }
  EXPECT_GT(conflicting, 500U);
}

TEST(RouterProperty, FindsConflictsWhereverARequestHasTwoBestRoutes) {
  Dice dice(11);
  std::size_t conflicting = 0;
  for (int round = 0; round < 300'000; ++round) {
    Match a = random_match(dice);
    Match b = dice.one_in(2) ? a : random_match(dice);
    if (dice.one_in(2)) b.methods = {dice.pick(kMethods)};
    if (dice.one_in(2)) b.headers = {random_condition(dice)};
    const Case request = random_case(dice);
    const Ranked one = rank(a, request);
    const Ranked other = rank(b, request);
    if (!one.matches || !other.matches || one.rank != other.rank) continue;
    ++conflicting;
    ASSERT_EQ(find_conflicts(std::vector<Match>{a, b}).size(), 1U) << a.path << " " << b.path;
  }
  EXPECT_GT(conflicting, 1'000U);
}

}  // namespace
}  // namespace lingate::routing
