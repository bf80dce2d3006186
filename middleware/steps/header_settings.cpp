#include "middleware/steps/header_settings.h"

#include <fmt/format.h>

#include "base/codes.h"
#include "base/fields.h"

namespace lingate::middleware::steps {
namespace {

Result<void> append(std::string_view step, std::string_view name, const Settings& value,
                    std::vector<HeaderLine>& lines) {
  const std::string_view text = value.as_text();
  if (!value.as<std::string>() && !value.as<Secret>())
    return fail(code::kWrongType, fmt::format("step '{}': the value of header '{}' is no text; quote it", step, name));
  if (!fields::is_value(text))
    return fail(code::kBadHeader,
                fmt::format("step '{}': the value of header '{}' holds CR, LF, NUL or another control byte; remove it",
                            step, name));
  lines.push_back({std::string(name), std::string(text)});
  return {};
}

}  // namespace

Result<void> check_header_name(std::string_view step, std::string_view name) {
  if (!fields::is_token(name))
    return fail(code::kBadHeader,
                fmt::format("step '{}': '{}' is no header name; use letters, digits and hyphens", step, name));
  if (fields::is_connection_field(name))
    return fail(
        code::kBadHeader,
        fmt::format("step '{}': '{}' belongs to the connection and is written by the gateway; remove it", step, name));
  return {};
}

Result<std::vector<HeaderLine>> header_lines(std::string_view step, const Settings::Map& map) {
  std::vector<HeaderLine> lines;
  for (const auto& [name, value] : map) {
    if (auto checked = check_header_name(step, name); !checked) return fail(std::move(checked.error()));
    const Settings::List one{value};
    const auto* list = value.as<Settings::List>();
    for (const Settings& item : list ? *list : one)
      if (auto added = append(step, name, item, lines); !added) return fail(std::move(added.error()));
  }
  return lines;
}

}  // namespace lingate::middleware::steps
