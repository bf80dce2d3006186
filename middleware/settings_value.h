// Settings as a value of the scripts' world: for a script's `config` and for JSON bodies. Durations become seconds and
// sizes bytes, both as numbers.
//
// Plain function; used while steps are made.
#pragma once

#include "base/settings.h"
#include "runtimes/value.h"

namespace lingate::middleware {

// False if the sink refused something (an integer beyond ±2^53, too deep); the sink knows why.
bool walk(const Settings& settings, runtimes::ValueSink& sink);

}  // namespace lingate::middleware
