// Router: from a request's host, path, method and conditions to the most specific route, whatever order the routes were
// written in. A trie of path segments for every host, its edges in one hash table: what a match costs depends on the
// request's path, not on the number of routes. A branch that fails falls back to the next less specific one, a host
// without a matching route to the next less specific host.
//
// Thread: immutable once built, so any number. No allocation while matching. Lifetime: a result holds offsets into the
// request's path and the index of a route; it does not depend on the router.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/routing/condition.h"
#include "gateway/routing/match.h"
#include "gateway/routing/trie.h"

namespace lingate::routing {

struct Request {
  std::string_view method;
  std::string_view host;   // lower-case, without port
  std::string_view path;   // normalised (path.h)
  std::string_view query;  // raw, without '?'
  const HeaderLookup* headers = nullptr;
};

// The part of the path that a parameter matched, still percent-encoded.
struct PathSpan {
  std::uint32_t offset;
  std::uint32_t length;

  std::string_view of(std::string_view path) const noexcept { return path.substr(offset, length); }
};

using MethodSet = std::uint64_t;  // bits index the router's own list of methods

struct Found {
  enum class Outcome : std::uint8_t { matched, no_route, method_not_allowed };

  Outcome outcome = Outcome::no_route;
  std::uint8_t param_count = 0;
  std::uint32_t route = 0;  // matched: index of the route
  MethodSet allowed = 0;    // method_not_allowed: for Router::allow()
  std::array<PathSpan, kMaxParams>
      params;  // [0, param_count), in the order of Router::param_names(); the rest is unset
};

class Router {
 public:
  // The matches must be valid (parse_path, parse_host) and free of conflicts (find_conflicts): the loader sees to it.
  explicit Router(std::span<const Match> matches);

  Found match(const Request& request) const noexcept;

  // Names of a route's parameters; that of the trailing `/*` is "*".
  std::span<const std::string> param_names(std::uint32_t route) const noexcept { return names_[route]; }

  // The value of the Allow field, "GET, HEAD, POST".
  std::string allow(MethodSet methods) const;

 private:
  class Walk;

  // A route where its path ends. Those that share a path stand together, sorted by their number of conditions, most
  // first; a trie node holds the index of the first.
  struct Candidate {
    MethodSet methods = 0;  // 0: any
    std::uint32_t route = 0;
    bool preflight = false;
    bool last = false;
    std::vector<Condition> headers;
    std::vector<Condition> query;

    std::size_t conditions() const noexcept { return headers.size() + query.size(); }
  };

  using Group = std::vector<Candidate>;

  void add(std::uint32_t index, const Match& match, std::vector<Group>& groups);
  void flatten(std::vector<Group>& groups);
  MethodSet intern(std::span<const std::string> methods);
  MethodSet bit(std::string_view method) const noexcept;

  Trie trie_;
  std::vector<Candidate> candidates_;
  std::vector<std::string> methods_;
  std::vector<std::vector<std::string>> names_;  // by route
};

}  // namespace lingate::routing
