// The `uri-host [":" port]` of Host and of absolute targets (RFC 3986 section 3.2.2, RFC 9110 section 4.2).
//
// Pure functions; any thread.
#pragma once

#include <string_view>

namespace lingate {

bool is_authority(std::string_view text) noexcept;

// Without the port; an IPv6 address keeps its brackets.
std::string_view host_of(std::string_view authority) noexcept;

}  // namespace lingate
