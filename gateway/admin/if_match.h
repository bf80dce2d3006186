// If-Match (RFC 9110, section 13.1.1): the change is meant for what has one of these entity tags, or for whatever there
// is. Compared strongly: a weak tag matches nothing. What is no list of tags matches nothing either, so that a change
// whose condition cannot be read is not made.
//
// Pure function; any thread.
#pragma once

#include <string_view>

namespace lingate::admin {

// `value`: `*`, or `"one", "two"`. `etag`: in its quotes.
bool if_match_holds(std::string_view value, std::string_view etag) noexcept;

}  // namespace lingate::admin
