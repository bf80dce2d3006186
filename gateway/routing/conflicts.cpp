// Conflicts: routes of one shape, in a tree of their conditions. A search follows only what goes together with the
// route that it is for, so that thousands of routes that differ in one value cost a look-up each.
#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/fields.h"
#include "gateway/routing/match.h"

namespace lingate::routing {
namespace {

using Test = Condition::Test;

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// The shape of a pattern: parameter names do not tell routes apart.
std::string shape(const Match& match) {
  std::string key = match.host;
  const std::vector<Segment> segments = parse_path(match.path).value();
  for (const Segment& segment : segments)
    key += segment.kind == Segment::Kind::param ? "/{}" : "/" + segment.text;
  return fmt::format("{} {}", key, match.headers.size() + match.query.size());
}

// Names of header fields compare without case.
template <class Visit>
void each_condition(const Match& match, const Visit& visit) {
  for (const Condition& each : match.headers) {
    std::string key = "header " + each.name;
    std::transform(key.begin(), key.end(), key.begin(), [](char c) { return fields::lower(c); });
    visit(key, each);
  }
  for (const Condition& each : match.query)
    visit("query " + each.name, each);
}

// A condition and the rank of its name; a route's terms stand in the order of their ranks.
struct Term {
  std::size_t rank;
  const Condition* condition;
};

// Names, those that most routes test first: near the root of the tree they divide it best.
class Ranks {
 public:
  Ranks(std::span<const Match> matches, const std::vector<std::size_t>& group) {
    for (const std::size_t route : group)
      each_condition(matches[route], [this](const std::string& name, const Condition&) { ++ranks_[name]; });
    std::vector<std::pair<std::size_t, std::string_view>> order;
    for (const auto& [name, count] : ranks_)
      order.emplace_back(kNone - count, name);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i)
      ranks_.find(std::string(order[i].second))->second = i;
  }

  std::vector<Term> terms(const Match& match) const {
    std::vector<Term> terms;
    each_condition(match, [&](const std::string& name, const Condition& condition) {
      terms.push_back({ranks_.at(name), &condition});
    });
    std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.rank < b.rank; });
    return terms;
  }

 private:
  std::unordered_map<std::string, std::size_t> ranks_;
};

const Condition* find(const std::vector<Term>& terms, std::size_t rank) {
  const auto found = std::lower_bound(terms.begin(), terms.end(), rank,
                                      [](const Term& term, std::size_t wanted) { return term.rank < wanted; });
  return found != terms.end() && found->rank == rank ? found->condition : nullptr;
}

// Routes of one shape that do not conflict. They have equally many conditions: all end at the same depth.
class Tree {
 public:
  // The earliest route that some request gives the same rank as this one.
  std::size_t find_conflict(const Match& match, const std::vector<Term>& terms) {
    std::size_t earliest = kNone;
    open_ = {0};
    while (!open_.empty()) {
      const Node& node = nodes_[open_.back()];
      open_.pop_back();
      if (node.first >= earliest) continue;
      earliest = std::min(earliest, with_method(node, match));
      for (const auto& [rank, branch] : node.names)
        follow(branch, find(terms, rank));
    }
    return earliest;
  }

  // Routes are added in their order.
  void add(std::size_t route, const Match& match, const std::vector<Term>& terms) {
    std::size_t at = 0;
    for (const Term& term : terms) {
      nodes_[at].first = std::min(nodes_[at].first, route);
      std::size_t& next = edge(nodes_[at].names[term.rank], *term.condition);
      const bool fresh = next == kNone;
      if (fresh) next = nodes_.size();
      at = next;
      if (fresh) nodes_.emplace_back();
    }
    nodes_[at].first = std::min(nodes_[at].first, route);
    for (const std::string& method : match.methods)
      nodes_[at].methods.emplace(method, route);
    if (match.methods.empty()) nodes_[at].methods.emplace(kAnyMethod, route);
  }

 private:
  static constexpr std::string_view kAnyMethod = "";

  // The conditions on one name that routes have here, and the nodes that they lead to.
  struct Branch {
    std::unordered_map<std::string_view, std::size_t> equals;
    std::size_t present = kNone;
    std::size_t absent = kNone;
  };

  struct Node {
    std::size_t first = kNone;                        // the earliest route here or below
    std::map<std::size_t, Branch> names;              // by rank
    std::map<std::string_view, std::size_t> methods;  // where routes end
  };

  static std::size_t& edge(Branch& branch, const Condition& condition) {
    if (condition.test == Test::present) return branch.present;
    if (condition.test == Test::absent) return branch.absent;
    return branch.equals.emplace(condition.value, kNone).first->second;
  }

  // Routes that name no method rank below those that do: they conflict with each other only.
  static std::size_t with_method(const Node& node, const Match& match) {
    const auto route_of = [&node](std::string_view method) {
      const auto found = node.methods.find(method);
      return found == node.methods.end() ? kNone : found->second;
    };
    if (match.methods.empty()) return route_of(kAnyMethod);
    std::size_t earliest = kNone;
    for (const std::string& method : match.methods)
      earliest = std::min(earliest, route_of(method));
    return earliest;
  }

  // Goes on where a request can meet the condition too; without one, everywhere.
  void follow(const Branch& branch, const Condition* condition) {
    const auto open = [this](std::size_t node) {
      if (node != kNone) open_.push_back(node);
    };
    if (!condition || condition->test == Test::absent) open(branch.absent);
    if (condition && condition->test == Test::absent) return;
    open(branch.present);
    if (condition && condition->test == Test::equals) {
      if (const auto found = branch.equals.find(condition->value); found != branch.equals.end()) open(found->second);
      return;
    }
    for (const auto& [value, node] : branch.equals)
      open(node);
  }

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<std::size_t> open_;  // nodes that a search has yet to see
};

void find_in_group(std::span<const Match> matches, const std::vector<std::size_t>& group,
                   std::vector<Conflict>& conflicts) {
  const Ranks ranks(matches, group);
  Tree tree;
  for (const std::size_t route : group) {
    const std::vector<Term> terms = ranks.terms(matches[route]);
    const std::size_t earlier = tree.find_conflict(matches[route], terms);
    if (earlier != kNone) {
      conflicts.push_back({earlier, route});
    } else {
      tree.add(route, matches[route], terms);
    }
  }
}

}  // namespace

std::vector<Conflict> find_conflicts(std::span<const Match> matches) {
  std::unordered_map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t route = 0; route < matches.size(); ++route)
    groups[shape(matches[route])].push_back(route);
  std::vector<Conflict> conflicts;
  for (const auto& [key, group] : groups)
    if (group.size() > 1) find_in_group(matches, group, conflicts);
  std::sort(conflicts.begin(), conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.second < b.second; });
  return conflicts;
}

}  // namespace lingate::routing
