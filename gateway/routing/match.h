// Match: what a route asks of a request, as plain data; and the rules that make one valid. The configuration loader
// checks with these, the router is built from what they let through.
//
// Pure functions on plain data; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lingate::routing {

inline constexpr std::size_t kMaxParams = 16;    // in one pattern, the wildcard included
inline constexpr std::size_t kMaxSegments = 64;  // in one pattern
inline constexpr std::size_t kMaxMethods = 62;   // different ones in one router

// A condition on the first line of a header field, or the first query parameter of a name, which is compared decoded.
struct Condition {
  enum class Test { equals, present, absent };

  std::string name;
  Test test = Test::equals;
  std::string value;  // equals

  bool operator==(const Condition&) const = default;
};

struct Match {
  std::string host;                  // lower-case name, "*.suffix", or empty: any
  std::string path = "/*";           // "/users/{id}", "/static/*"
  std::vector<std::string> methods;  // empty: any; GET serves HEAD
  std::vector<Condition> headers;
  std::vector<Condition> query;
  // A CORS preflight (OPTIONS with Access-Control-Request-Method) matches as the method that it asks about: set where
  // the route's chain holds the step `cors`.
  bool preflight = false;
};

struct Segment {
  enum class Kind { literal, param, wildcard };

  Kind kind = Kind::literal;
  std::string text;  // literal: the segment, normalised; param: its name; wildcard: "*"
};

// Where in the pattern, what, and what to do instead.
struct PatternFault {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string message;
  std::string cure;
};

Result<std::vector<Segment>, PatternFault> parse_path(std::string_view pattern);

// The host in lower case, checked: a name, an IP address, or "*." and a name.
Result<std::string, PatternFault> parse_host(std::string_view pattern);

struct Conflict {
  std::size_t first = 0;
  std::size_t second = 0;
};

// Pairs of routes that some request matches with equal rank: a later route is reported once, with the first that it
// conflicts with. The matches must be valid.
std::vector<Conflict> find_conflicts(std::span<const Match> matches);

}  // namespace lingate::routing
