// JSON text appended by hand, for log lines and problem documents: they are written for every request, and a library
// that builds values first would cost more than the request. Whatever the bytes are, what comes out is valid JSON in
// valid UTF-8: what is no UTF-8 becomes U+FFFD.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lingate::middleware::json {

// `text` as a JSON string with its quotes. At most `room` bytes are added; what does not fit is cut, between
// characters. `room` is at least 2.
void append_string(std::string& out, std::string_view text, std::size_t room = SIZE_MAX);

void append_integer(std::string& out, std::uint64_t value);

// Nanoseconds as seconds with nine digits ("0.000123456").
void append_seconds(std::string& out, std::int64_t nanoseconds);

// Microseconds since 1970 as "2026-11-20T23:41:17.123456Z", in quotes (RFC 3339).
void append_timestamp(std::string& out, std::int64_t microseconds);

}  // namespace lingate::middleware::json
