#include "gateway/routing/router.h"

#include <algorithm>
#include <iterator>

namespace lingate::routing {
namespace {

constexpr std::string_view kPreflightField = "Access-Control-Request-Method";

// How well a route's methods fit, best last; no two routes that share a request have the same (find_conflicts).
enum class Fit { none, any, implied, named };

}  // namespace

// One match: the request, and what the walk has gathered so far.
class Router::Walk {
 public:
  Walk(const Router& router, const Request& request) noexcept : router_(router), request_(request) {
    method_ = router.bit(request.method);
    if (request.method == "HEAD") {
      implied_ = router.bit("GET");
    } else if (request.method == "OPTIONS" && request.headers && request.headers->first("origin")) {
      if (const auto asked = request.headers->first(kPreflightField)) preflight_ = router.bit(*asked);
    }
  }

  // `at` is where the next segment begins, just after its slash; past the end of the path there is none.
  bool descend(Trie::Index index, std::size_t at) noexcept {
    const Trie::Node& node = router_.trie_.node(index);
    if (at > request_.path.size()) return choose(node.end) || choose_wildcard(node, request_.path.size());
    const std::size_t end = std::min(request_.path.find('/', at), request_.path.size());
    const std::string_view segment = request_.path.substr(at, end - at);
    const Trie::Index literal = router_.trie_.find(index, segment);
    if (literal != Trie::kNone && descend(literal, end + 1)) return true;
    if (node.param != Trie::kNone && !segment.empty()) {
      push(at, segment.size());
      if (descend(node.param, end + 1)) return true;
      --found.param_count;
    }
    return choose_wildcard(node, at);
  }

  Found found;

 private:
  void push(std::size_t offset, std::size_t length) noexcept {
    found.params[found.param_count++] = {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length)};
  }

  bool choose_wildcard(const Trie::Node& node, std::size_t rest) noexcept {
    if (node.wildcard == Trie::kNone) return false;
    push(rest, request_.path.size() - rest);
    if (choose(node.wildcard)) return true;
    --found.param_count;
    return false;
  }

  // The best of the routes that end here: most conditions first, then the better fit of methods.
  bool choose(Trie::Index end) noexcept {
    if (end == Trie::kNone) return false;
    const Candidate* best = nullptr;
    Fit best_fit = Fit::none;
    for (const Candidate* each = &router_.candidates_[end];; ++each) {
      if (best && each->conditions() < best->conditions()) break;
      if (conditions_hold(*each)) {
        const Fit how = fit(*each);
        if (how == Fit::none) found.allowed |= each->methods;
        if (how > best_fit) best = each;
        best_fit = std::max(best_fit, how);
      }
      if (each->last) break;
    }
    if (!best) return false;
    found.outcome = Found::Outcome::matched;
    found.route = best->route;
    return true;
  }

  bool conditions_hold(const Candidate& candidate) const noexcept {
    return std::all_of(candidate.headers.begin(), candidate.headers.end(),
                       [this](const Condition& each) { return header_holds(each, request_.headers); }) &&
           std::all_of(candidate.query.begin(), candidate.query.end(),
                       [this](const Condition& each) { return query_holds(each, request_.query); });
  }

  Fit fit(const Candidate& candidate) const noexcept {
    if (candidate.methods & method_) return Fit::named;
    if (candidate.methods & (candidate.preflight ? implied_ | preflight_ : implied_)) return Fit::implied;
    return candidate.methods == 0 ? Fit::any : Fit::none;
  }

  const Router& router_;
  const Request& request_;
  MethodSet method_ = 0;
  MethodSet implied_ = 0;
  MethodSet preflight_ = 0;
};

Router::Router(std::span<const Match> matches) : names_(matches.size()) {
  std::vector<Group> groups;
  for (std::uint32_t index = 0; index < matches.size(); ++index)
    add(index, matches[index], groups);
  flatten(groups);
}

void Router::add(std::uint32_t index, const Match& match, std::vector<Group>& groups) {
  Trie::Index node = Trie::kAnyHost;
  if (match.host.starts_with("*.")) {
    node = trie_.add(Trie::kSuffixes, std::string_view(match.host).substr(2));
  } else if (!match.host.empty()) {
    node = trie_.add(Trie::kHosts, match.host);
  }
  bool wildcard = false;
  const std::vector<Segment> segments = parse_path(match.path).value();
  for (const Segment& segment : segments) {
    if (segment.kind != Segment::Kind::literal) names_[index].push_back(segment.text);
    if (segment.kind == Segment::Kind::literal) node = trie_.add(node, segment.text);
    if (segment.kind == Segment::Kind::param) node = trie_.add_param(node);
    wildcard = segment.kind == Segment::Kind::wildcard;
  }
  Trie::Index& end = wildcard ? trie_.edit(node).wildcard : trie_.edit(node).end;
  if (end == Trie::kNone) {
    end = static_cast<Trie::Index>(groups.size());
    groups.emplace_back();
  }
  groups[end].push_back({intern(match.methods), index, match.preflight, false, match.headers, match.query});
}

void Router::flatten(std::vector<Group>& groups) {
  std::vector<Trie::Index> first;
  for (Group& group : groups) {
    first.push_back(static_cast<Trie::Index>(candidates_.size()));
    std::stable_sort(group.begin(), group.end(),
                     [](const Candidate& a, const Candidate& b) { return a.conditions() > b.conditions(); });
    group.back().last = true;
    std::move(group.begin(), group.end(), std::back_inserter(candidates_));
  }
  for (Trie::Index index = 0; index < trie_.size(); ++index) {
    Trie::Node& node = trie_.edit(index);
    if (node.end != Trie::kNone) node.end = first[node.end];
    if (node.wildcard != Trie::kNone) node.wildcard = first[node.wildcard];
  }
}

MethodSet Router::intern(std::span<const std::string> methods) {
  MethodSet set = 0;
  for (const std::string& method : methods) {
    if (bit(method) == 0) methods_.push_back(method);
    set |= bit(method);
  }
  return set;
}

MethodSet Router::bit(std::string_view method) const noexcept {
  for (std::size_t i = 0; i < methods_.size(); ++i)
    if (methods_[i] == method) return MethodSet{1} << i;
  return 0;
}

Found Router::match(const Request& request) const noexcept {
  Walk walk(*this, request);
  std::string_view host = request.host;
  if (host.ends_with('.')) host.remove_suffix(1);  // the root label: the same host
  const auto try_host = [&walk](Trie::Index root) { return root != Trie::kNone && walk.descend(root, 1); };
  if (try_host(trie_.find(Trie::kHosts, host))) return walk.found;
  for (std::size_t dot = trie_.node(Trie::kSuffixes).literals ? host.find('.') : std::string_view::npos;
       dot != std::string_view::npos; dot = host.find('.', dot + 1))
    if (dot > 0 && try_host(trie_.find(Trie::kSuffixes, host.substr(dot + 1)))) return walk.found;
  if (try_host(Trie::kAnyHost)) return walk.found;
  if (walk.found.allowed != 0) walk.found.outcome = Found::Outcome::method_not_allowed;
  return walk.found;
}

std::string Router::allow(MethodSet methods) const {
  std::string text;
  const auto append = [&text](std::string_view method) { text.append(text.empty() ? "" : ", ").append(method); };
  for (std::size_t i = 0; i < methods_.size(); ++i)
    if (methods & (MethodSet{1} << i)) append(methods_[i]);
  if ((methods & bit("GET")) && !(methods & bit("HEAD"))) append("HEAD");
  return text;
}

}  // namespace lingate::routing
