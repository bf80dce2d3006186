#include "runtimes/header_rules.h"

#include <array>
#include <cmath>

#include "base/authority.h"
#include "base/fields.h"
#include "runtimes/value.h"

namespace lingate::runtimes {
namespace {

constexpr std::size_t kMostShown = 64;

std::string header(std::string_view name) {
  return "header '" + shown(name) + "': ";
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const char c : text.substr(0, kMostShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result.push_back(c);
    } else {
      result.append({'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  if (text.size() > kMostShown) result.append("...");
  return result;
}

Refusal check_header_name(std::string_view name) {
  if (name.empty()) return "a header name must not be empty";
  if (!fields::is_token(name))
    return "header name '" + shown(name) + "' is no token: only letters, digits and !#$%&'*+-.^_`|~ may stand in it";
  if (fields::is_connection_field(name))
    return "header '" + shown(name) +
           "' cannot be written by a script: framing and hop-by-hop fields belong to the gateway";
  return std::nullopt;
}

Refusal check_header_value(std::string_view name, std::string_view value, const ScriptLimits& limits) {
  if (const std::size_t at = fields::find_forbidden(value); at != fields::kNone) {
    const char byte = value[at];
    const std::string what = byte == '\r'   ? "CR"
                             : byte == '\n' ? "LF"
                             : byte == '\0' ? "NUL"
                                            : "the control byte " + shown(value.substr(at, 1));
    return header(name) + "the value holds " + what + " at byte " + std::to_string(at) + ", which no field may hold";
  }
  if (fields::same_name(name, "host") && !is_authority(value))
    return header(name) + "'" + shown(value) + "' is no host, such as example.com:8080";
  if (is_line_within(line_bytes(name, value), limits)) return std::nullopt;
  return header(name) + "the line would take " + std::to_string(line_bytes(name, value) - 2) +
         " bytes, more than the limit of " + std::to_string(limits.field_line);
}

Refusal check_head_size(std::string_view name, std::size_t lines, std::size_t bytes, const ScriptLimits& limits) {
  if (lines > limits.fields)
    return header(name) + "the head would have " + std::to_string(lines) + " lines, more than the limit of " +
           std::to_string(limits.fields);
  if (bytes > limits.head)
    return header(name) + "the head would take " + std::to_string(bytes) + " bytes, more than the limit of " +
           std::to_string(limits.head);
  return std::nullopt;
}

Refusal check_status(double status) {
  if (status >= 200 && status <= 599 && std::trunc(status) == status) return std::nullopt;
  std::array<char, 32> room;
  const std::string text = std::isnan(status) ? "NaN" : std::string(number_text(status, room));
  return "status must be a whole number from 200 to 599, not " + text;
}

}  // namespace lingate::runtimes
