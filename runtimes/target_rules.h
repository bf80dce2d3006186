// The rules for the method and the target that a script writes, and their error texts: used where a script writes them
// and again where a verdict is read, which may come from a process that is not trusted.
//
// Pure functions; any thread.
#pragma once

#include <string_view>

#include "runtimes/header_rules.h"

namespace lingate::runtimes {

// A token of at most 32 bytes, as a client may send; not CONNECT.
[[nodiscard]] Refusal check_method(std::string_view method);

// From '/' on, in visible ASCII, percent-encoded where it must be; no query, no encoded NUL.
[[nodiscard]] Refusal check_path(std::string_view path);

// Without '?', in visible ASCII; may be empty.
[[nodiscard]] Refusal check_query(std::string_view query);

}  // namespace lingate::runtimes
