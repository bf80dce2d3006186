// Header lines in a step's settings: a map of name to a text or a list of texts. Checked here although the loader has
// checked them too, because what is wrong here would go onto the wire.
//
// Plain functions; used while steps are made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"

namespace lingate::middleware::steps {

struct HeaderLine {
  std::string name;
  std::string value;
};

// One entry a value, in the order written.
Result<std::vector<HeaderLine>> header_lines(std::string_view step, const Settings::Map& map);

// An error where `name` is no token, or a framing or hop-by-hop field that only the gateway writes.
Result<void> check_header_name(std::string_view step, std::string_view name);

}  // namespace lingate::middleware::steps
