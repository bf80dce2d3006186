// What keys and their times are made of: random texts, and times as the store takes them. Part of keys.h.
//
// Pure functions, but for the system's random numbers; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "middleware/sessions/keys.h"

namespace lingate::middleware::keys {

inline constexpr double kLatest = 9.2e9;  // seconds that a clock of nanoseconds can hold: the year 2261

KeyFault fault(KeyFault::Kind kind, std::string field, std::string message);

double now() noexcept;  // Unix seconds
store::Time time_of(double seconds) noexcept;
// In the future, and one that a clock can hold.
KeyResult<void> check_time(std::string_view field, double seconds);

KeyResult<std::string> make_key();  // "lg_" and 160 random bits
KeyResult<std::string> make_id();
KeyResult<void> check_key(std::string_view key);  // one that was brought along

}  // namespace lingate::middleware::keys
