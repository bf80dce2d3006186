// Conditions of a route on header fields and query parameters. Both look at the first occurrence only, so that two
// routes that ask for different values of one name can never match the same request.
//
// Pure functions; any thread; no allocation.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/routing/match.h"

namespace lingate::routing {

// How the router reads header fields, so that it depends on no representation of them.
class HeaderLookup {
 public:
  // The value of the first line of the field `name`, compared without case; nothing: there is none.
  virtual std::optional<std::string_view> first(std::string_view name) const noexcept = 0;

 protected:
  ~HeaderLookup() = default;
};

// `headers` may be null: there are none.
bool header_holds(const Condition& condition, const HeaderLookup* headers) noexcept;

// Names and values of `query` are compared decoded: triplets, and '+' as a space.
bool query_holds(const Condition& condition, std::string_view query) noexcept;

}  // namespace lingate::routing
