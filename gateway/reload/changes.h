// Changes between two configurations that are not the data path's: what a running gateway can follow, and what it can
// only do from its start on.
//
// Pure but for apply_log_level(); any thread.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/model.h"
#include "middleware/app_log.h"

namespace lingate {

middleware::LogLevel level_of(config::Log::Level level);

// What `next` says otherwise that only a new start can follow: names of fields.
std::vector<std::string> what_takes_a_start(const config::Model& now, const config::Model& next);

// A level that was set by hand stays until the configuration says another one than before.
void apply_log_level(const config::Model& now, const config::Model& next, middleware::JsonAppLog& log);

}  // namespace lingate
