// Header fields for routing tests, and shorthands.
#pragma once

#include <strings.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/routing/condition.h"

namespace lingate::routing {

struct Fields final : HeaderLookup {
  std::vector<std::pair<std::string, std::string>> lines;

  Fields() = default;
  explicit Fields(std::initializer_list<std::pair<std::string, std::string>> given) : lines(given) {}

  std::optional<std::string_view> first(std::string_view name) const noexcept override {
    for (const auto& [each, value] : lines)
      if (each.size() == name.size() && strncasecmp(each.data(), name.data(), name.size()) == 0) return value;
    return std::nullopt;
  }
};

inline Condition equals(std::string name, std::string value) {
  return {std::move(name), Condition::Test::equals, std::move(value)};
}
inline Condition present(std::string name) {
  return {std::move(name), Condition::Test::present, {}};
}
inline Condition absent(std::string name) {
  return {std::move(name), Condition::Test::absent, {}};
}

inline Match on(std::string path) {
  Match match;
  match.path = std::move(path);
  return match;
}

inline Match on(std::vector<std::string> methods, std::string path) {
  Match match = on(std::move(path));
  match.methods = std::move(methods);
  return match;
}

}  // namespace lingate::routing
