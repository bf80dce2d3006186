#include "gateway/admin/if_match.h"

#include "base/fields.h"

namespace lingate::admin {
namespace {

// Takes an entity tag off the front of `rest`; empty: none stands there. A comma may be part of it.
std::string_view take_tag(std::string_view& rest) noexcept {
  const std::size_t open = rest.starts_with("W/") ? 2 : 0;
  if (open >= rest.size() || rest[open] != '"') return {};
  const std::size_t close = rest.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  const std::string_view tag = rest.substr(0, close + 1);
  rest.remove_prefix(tag.size());
  return tag;
}

}  // namespace

bool if_match_holds(std::string_view value, std::string_view etag) noexcept {
  std::string_view rest = fields::without_ows(value);
  if (rest == "*") return true;
  bool found = false;
  while (!rest.empty()) {
    if (rest.front() != ',') {
      const std::string_view tag = take_tag(rest);
      if (tag.empty()) return false;
      found = found || tag == etag;
      rest = fields::without_ows(rest);
      if (!rest.empty() && rest.front() != ',') return false;
    }
    if (!rest.empty()) rest = fields::without_ows(rest.substr(1));  // empty elements are allowed (section 5.6.1.2)
  }
  return found;
}

}  // namespace lingate::admin
