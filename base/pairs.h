// Pairs: the name=value pairs of a query (`a=1&b=2`) and of a Cookie field (RFC 6265, 4.2.1), as they were sent:
// nothing is decoded.
//
// Pure functions; any thread. What they return lies in their argument.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/fields.h"

namespace lingate {

// Takes what stands before `mark` off `rest`, and the mark with it.
constexpr std::string_view take_until(std::string_view& rest, char mark) noexcept {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// Of the first parameter of that name; empty: there is none.
constexpr std::string_view query_value(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (take_until(value, '=') == name) return value;
  }
  return {};
}

// Of the first cookie of that name, without quotes; empty: there is none.
constexpr std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    std::string_view value = fields::without_ows(take_until(cookies, ';'));
    if (take_until(value, '=') != name) continue;
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace lingate
