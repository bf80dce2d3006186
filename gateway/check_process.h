// Checks a configuration's text in a process of its own, by `lingate check`: scripts are compiled and their `init`
// runs, which must neither hold up nor endanger the gateway that was asked.
//
// Thread: any that may wait for seconds. Nothing is kept.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace lingate {

// {"ok", "diagnostics", "scripts"}. Paths in the text are relative to `folder`. The error is for the log and the
// caller.
Result<nlohmann::ordered_json, std::string> check_in_process(const std::string& text, const std::string& folder);

}  // namespace lingate
