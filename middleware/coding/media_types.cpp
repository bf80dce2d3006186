#include "middleware/coding/media_types.h"

#include <algorithm>

#include "base/fields.h"

namespace lingate::middleware::coding {

bool MediaTypes::is_pattern(std::string_view text) noexcept {
  if (text.starts_with('+')) return fields::is_token(text.substr(1));
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && fields::is_token(text.substr(0, slash)) &&
         fields::is_token(text.substr(slash + 1)) && text.substr(0, slash).find('*') == std::string_view::npos &&
         (text.substr(slash + 1) == "*" || text.find('*') == std::string_view::npos);
}

void MediaTypes::add(std::string_view pattern) {
  if (pattern.starts_with('+'))
    suffixes_.emplace_back(pattern);
  else if (pattern.ends_with("/*"))
    prefixes_.emplace_back(pattern.substr(0, pattern.size() - 1));
  else
    exact_.emplace_back(pattern);
}

bool MediaTypes::has(std::string_view content_type) const noexcept {
  const std::string_view type = fields::without_ows(content_type.substr(0, content_type.find(';')));
  const auto is_exact = [type](std::string_view each) { return fields::same_name(type, each); };
  const auto begins = [type](std::string_view each) {
    return type.size() > each.size() && fields::same_name(type.substr(0, each.size()), each);
  };
  const auto ends = [type](std::string_view each) {
    return type.size() > each.size() && fields::same_name(type.substr(type.size() - each.size()), each);
  };
  if (std::any_of(exact_.begin(), exact_.end(), is_exact)) return true;
  if (fields::same_name(type, "text/event-stream")) return false;
  return std::any_of(prefixes_.begin(), prefixes_.end(), begins) ||
         std::any_of(suffixes_.begin(), suffixes_.end(), ends);
}

}  // namespace lingate::middleware::coding
