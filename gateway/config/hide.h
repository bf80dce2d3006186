// Hiding: a configuration's text as it may be shown to others. References ({env: NAME}, {file: PATH}) tell no secret
// and stay; a text that stands under a name like `password` or `key` is replaced, as somebody may have written the
// secret itself.
//
// Pure function; any thread.
#pragma once

#include <string>
#include <string_view>

namespace lingate::config {

// What stands where a text was hidden.
inline constexpr std::string_view kHidden = "\"<hidden>\"";

// Text that is no YAML comes back as a comment that says so: nothing can be told about what it holds.
std::string hide_secrets(std::string_view text);

}  // namespace lingate::config
