// From words to the fields of a session.
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "gateway/cli/keys.h"
#include "gateway/config/values.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = problem == std::errc() && end == text.data() + text.size() && std::isfinite(value);
  return whole ? std::optional(value) : std::nullopt;
}

// "30d"
std::optional<double> span_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    case 'w': unit = 7 * 86400; break;
    default: return std::nullopt;
  }
  const auto count = number(text.substr(0, text.size() - 1));
  return count && *count > 0 ? std::optional(*count * unit) : std::nullopt;
}

// "2026-12-31" or "2026-12-31T18:00:00Z", both UTC.
std::optional<double> date_from(const std::string& text) {
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end && *end == '\0') return static_cast<double>(::timegm(&parts));
  }
  return std::nullopt;
}

// "100/1s" into rate and per.
Result<void, std::string> put_rate(const std::string& text, Json& fields) {
  const std::size_t slash = text.find('/');
  const auto rate = number(text.substr(0, slash));
  const auto per =
      slash == std::string::npos ? config::parse_duration("") : config::parse_duration(text.substr(slash + 1));
  if (!rate || !per || per->count() == 0)
    return fail(fmt::format("'{}' is no rate; write requests and a time, as in 100/1s", text));
  fields["rate"] = *rate;
  fields["per"] = std::chrono::duration<double>(*per).count();
  return {};
}

// "plan=gold" or "seats:=5" into metadata.
Result<void, std::string> put_metadata(const std::string& text, Json& metadata) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(fmt::format("'{}' is no metadata; write NAME=TEXT or NAME:=JSON", text));
  const bool is_json = text[equals - 1] == ':';
  const std::string name = text.substr(0, equals - (is_json ? 1 : 0));
  const std::string value = text.substr(equals + 1);
  if (!is_json) return metadata[name] = value, Result<void, std::string>();
  Json parsed = Json::parse(value, nullptr, false);
  if (parsed.is_discarded()) return fail(fmt::format("'{}' is no JSON; quote a text: '{}:=\"…\"'", value, name));
  metadata[name] = std::move(parsed);
  return {};
}

}  // namespace

Result<double, std::string> time_from(std::string_view text) {
  if (const auto span = span_from(text)) return std::floor(now()) + *span;
  if (const auto seconds = number(text)) return *seconds;
  if (const auto date = date_from(std::string(text))) return *date;
  return fail(fmt::format("'{}' is no time; write 30d, 12h, 2026-12-31, 2026-12-31T18:00:00Z or Unix seconds", text));
}

Result<Json, std::string> session_fields(const SessionWords& words) {
  Json fields = Json::object();
  if (words.alias) fields["alias"] = *words.alias;
  if (words.org) fields["org"] = *words.org;
  if (!words.tags.empty()) fields["tags"] = words.tags;
  for (const std::string& each : words.metadata)
    if (auto put = put_metadata(each, fields["metadata"]); !put) return fail(std::move(put.error()));
  if (words.rate)
    if (auto put = put_rate(*words.rate, fields); !put) return fail(std::move(put.error()));
  if (words.burst) fields["burst"] = *words.burst;
  if (words.quota) fields["quota_max"] = *words.quota;
  if (words.expires) {
    const auto time = time_from(*words.expires);
    if (!time) return fail(time.error());
    fields["expires"] = *time;
  }
  return fields;
}

}  // namespace lingate::cli
