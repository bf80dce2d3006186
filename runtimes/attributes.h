// The attributes that a script's objects have, and the error texts for all others; one list for every language.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lingate::runtimes {

enum class Object : std::uint8_t { req, res, session, client, lingate };

// "req has no attribute 'hots'; did you mean 'host'?"
std::string unknown_attribute(Object object, std::string_view name);

// For a write to what can only be read ("req.host is read-only") or does not exist (as above).
std::string unwritable_attribute(Object object, std::string_view name);

// For use of an object after its call.
std::string_view stale_object() noexcept;
// For use in a call of what another call was handed, which is suspended meanwhile.
std::string_view foreign_object() noexcept;

}  // namespace lingate::runtimes
