// What several verbs print: settings in one line and as JSON (secrets never), paths the way a person here would write
// them, bold headings.
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/settings.h"
#include "gateway/config/diagnostic.h"

namespace lingate::cli {

std::string bold(std::string_view text, config::Paint paint);
// Lines of at most 88 columns, each after `indent` spaces.
std::string wrap(std::string_view text, std::size_t indent);

std::string near_path(const std::string& path);
std::string show(const config::Place& place);  // "gw.yaml:3:5"

// "{header: X-Tenant, budget: 10ms}", without what is not set; a secret is "<secret>".
std::string show(const Settings& settings);
nlohmann::ordered_json to_json(const Settings& settings);

}  // namespace lingate::cli
