// Settings as a value of the scripts' world: for a script's `config` and for JSON bodies. Durations become seconds and
// sizes bytes, both as numbers.
//
// Plain functions; used while steps are made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "runtimes/value.h"

namespace lingate::middleware {

// The texts of a member that is one text or a list of them.
std::vector<std::string> texts_of(const Settings& settings, std::string_view key);

// False if the sink refused something (an integer beyond ±2^53, too deep); the sink knows why.
bool walk(const Settings& settings, runtimes::ValueSink& sink);

}  // namespace lingate::middleware
