#include "gateway/routing/condition.h"

#include "base/percent.h"

namespace lingate::routing {
namespace {

// Takes one decoded byte off the front of a form-encoded text; a broken triplet stands for itself.
char take_decoded(std::string_view& text) noexcept {
  const int triplet = percent_triplet(text, 0);
  const char byte = triplet >= 0 ? static_cast<char>(triplet) : text.front() == '+' ? ' ' : text.front();
  text.remove_prefix(triplet >= 0 ? 3 : 1);
  return byte;
}

bool equals_decoded(std::string_view encoded, std::string_view plain) noexcept {
  for (; !encoded.empty() && !plain.empty(); plain.remove_prefix(1))
    if (take_decoded(encoded) != plain.front()) return false;
  return encoded.empty() && plain.empty();
}

// The raw value of the first parameter of that name; "a" and "a=" both have an empty one.
std::optional<std::string_view> first_parameter(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals_decoded(pair.substr(0, equals), name))
      return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

bool header_holds(const Condition& condition, const HeaderLookup* headers) noexcept {
  const auto value = headers ? headers->first(condition.name) : std::nullopt;
  switch (condition.test) {
    case Condition::Test::equals: return value && *value == condition.value;
    case Condition::Test::present: return value.has_value();
    case Condition::Test::absent: return !value.has_value();
  }
  return false;
}

bool query_holds(const Condition& condition, std::string_view query) noexcept {
  const auto value = first_parameter(query, condition.name);
  switch (condition.test) {
    case Condition::Test::equals: return value && equals_decoded(*value, condition.value);
    case Condition::Test::present: return value.has_value();
    case Condition::Test::absent: return !value.has_value();
  }
  return false;
}

}  // namespace lingate::routing
