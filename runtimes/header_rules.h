// The rules for header lines that a script writes, and their error texts: used by HeadView for edits and by respond()
// for whole heads. See base/fields.h for the syntax itself.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runtimes/runtime.h"

namespace lingate::runtimes {

// What a write or a forbidden read answers: nullopt, or the text of the catchable script error to raise.
using Refusal = std::optional<std::string>;

// Bytes that a line takes in a head: name, ": ", value and the line's end.
constexpr std::size_t line_bytes(std::string_view name, std::string_view value) noexcept {
  return name.size() + value.size() + 4;
}

// A line of so many bytes is within the limit, which ScriptLimits::field_line counts without its end.
constexpr bool is_line_within(std::size_t bytes, const ScriptLimits& limits) noexcept {
  return bytes <= limits.field_line + 2;
}

// A name that a script may write: a token, and not a framing or hop-by-hop field.
[[nodiscard]] Refusal check_header_name(std::string_view name);

// No control byte but HTAB (CR, LF and NUL are some), and within the limit for one line.
[[nodiscard]] Refusal check_header_value(std::string_view name, std::string_view value, const ScriptLimits& limits);

// A head of so many lines and bytes is within the limits.
[[nodiscard]] Refusal check_head_size(std::string_view name, std::size_t lines, std::size_t bytes,
                                      const ScriptLimits& limits);

// A status that a script may set: a whole number from 200 to 599.
[[nodiscard]] Refusal check_status(double status);

// Script text for use in a message: cut to 64 bytes, what is not visible ASCII as \xNN.
std::string shown(std::string_view text);

}  // namespace lingate::runtimes
