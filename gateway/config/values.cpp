#include "gateway/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/fields.h"
#include "base/percent.h"
#include "gateway/config/units.h"
#include "gateway/routing/match.h"

namespace lingate::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first, for showing.
constexpr std::array kDurations{Unit{"h", kHour}, Unit{"m", kMinute}, Unit{"s", kSecond}, Unit{"ms", kMillisecond},
                                Unit{"us", kMicrosecond}};
constexpr std::array kSizes{Unit{"GiB", kGiB}, Unit{"MiB", kMiB}, Unit{"KiB", kKiB}, Unit{"B", 1}};

// What people write, and the unit that they mean.
constexpr std::pair<std::string_view, std::string_view> kMeant[] = {
    {"sec", "s"},     {"secs", "s"},    {"second", "s"}, {"seconds", "s"}, {"min", "m"},     {"mins", "m"},
    {"minute", "m"},  {"minutes", "m"}, {"hour", "h"},   {"hours", "h"},   {"hr", "h"},      {"msec", "ms"},
    {"millis", "ms"}, {"usec", "us"},   {"µs", "us"},    {"μs", "us"},     {"micros", "us"}, {"kb", "KiB"},
    {"k", "KiB"},     {"kib", "KiB"},   {"ki", "KiB"},   {"mb", "MiB"},    {"m", "MiB"},     {"mib", "MiB"},
    {"mi", "MiB"},    {"gb", "GiB"},    {"g", "GiB"},    {"gib", "GiB"},   {"gi", "GiB"},    {"b", "B"},
    {"bytes", "B"},   {"byte", "B"},
};

struct Quantity {
  std::string_view thing;  // "duration"
  std::span<const Unit> units;
  std::string_view guesses;  // for a bare number: "'{0}s' or '{0}ms'?"
  std::string_view names;    // "us, ms, s, m, h"
  int code;
};

constexpr Quantity kDuration{"duration", kDurations, "'{0}s' or '{0}ms'?", "us, ms, s, m and h", code::kBadDuration};
constexpr Quantity kSize{"size", kSizes, "'{0}KiB' or '{0}MiB'?", "B, KiB, MiB and GiB", code::kBadSize};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return fields::lower(c); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

const Unit* find_unit(const Quantity& quantity, std::string_view name) {
  const auto found = std::find_if(quantity.units.begin(), quantity.units.end(),
                                  [name](const Unit& unit) { return unit.name == name; });
  return found == quantity.units.end() ? nullptr : &*found;
}

// The unit that a wrong one stands for, if one can tell.
std::string_view meant_unit(const Quantity& quantity, std::string_view name) {
  for (const Unit& unit : quantity.units)
    if (lower(unit.name) == lower(name)) return unit.name;
  for (const auto& [written, meant] : kMeant)
    if (written == lower(name) && find_unit(quantity, meant)) return meant;
  return {};
}

std::string quantity_cure(const Quantity& quantity, std::string_view text, std::size_t digits) {
  const std::string_view number = text.substr(0, digits);
  const std::string_view rest = trimmed(text.substr(digits));
  if (digits == 0) return fmt::format("an integer and a unit ({}), without a space", quantity.names);
  if (rest.empty()) return "a unit is missing: " + fmt::format(fmt::runtime(quantity.guesses), number);
  if (find_unit(quantity, rest)) return fmt::format("without a space: '{}{}'", number, rest);
  if (rest.starts_with('.')) return "integers only: use a smaller unit";
  if (quantity.code == code::kBadDuration && (rest == "d" || rest == "day" || rest == "days"))
    return fmt::format("the largest unit is h: write '{}h' for a day", 24);
  if (const std::string_view meant = meant_unit(quantity, rest); !meant.empty())
    return fmt::format("write '{}{}'", number, meant);
  return fmt::format("units are {}", quantity.names);
}

Parsed<std::int64_t> parse_quantity(const Quantity& quantity, std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const Unit* unit = digits == 0 ? nullptr : find_unit(quantity, text.substr(digits));
  if (!unit)
    return fail(Fault{quantity.code, fmt::format("'{}' is no {}", text, quantity.thing),
                      quantity_cure(quantity, text, digits)});
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + digits, number);
  std::int64_t value = 0;
  if (problem != std::errc() || __builtin_mul_overflow(number, unit->factor, &value))
    return fail(Fault{code::kOutOfRange, fmt::format("'{}' is too large", text), "use a smaller number"});
  return value;
}

std::string show(std::span<const Unit> units, std::int64_t value) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  return value == 0 ? fmt::format("0{}", units.back().name) : fmt::format("{}{}", value, "ns");
}

Parsed<std::vector<std::string>> template_fault(std::string_view text, std::string_view what, std::string_view cure) {
  return fail(Fault{code::kBadValue, fmt::format("'{}' {}", text, what), std::string(cure)});
}

// The name between braces at `open`; nothing: there is no closing one.
std::optional<std::string_view> placeholder(std::string_view text, std::size_t open) {
  const std::size_t close = text.find('}', open);
  if (close == std::string_view::npos || close == open + 1) return std::nullopt;
  const std::string_view name = text.substr(open + 1, close - open - 1);
  return name.find('{') == std::string_view::npos ? std::optional(name) : std::nullopt;
}

Parsed<void> check_bytes(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte <= ' ' || byte >= 0x7F)
      return fail(Fault{code::kBadValue, fmt::format("'{}' holds a byte that no request target holds", text),
                        fmt::format("write '%{:02X}' for it", byte)});
    if (text[at] == '%' && percent_triplet(text, at) < 0)
      return fail(Fault{code::kBadValue, fmt::format("'{}' has a '%' without two hexadecimal digits", text),
                        "write '%25' for the sign itself"});
  }
  return {};
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  return parse_quantity(kDuration, text).map([](std::int64_t nanoseconds) { return Duration(nanoseconds); });
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(kSize, text).map([](std::int64_t bytes) { return static_cast<std::uint64_t>(bytes); });
}

Parsed<HashBy> parse_hash_key(std::string_view text) {
  using Source = HashBy::Source;
  constexpr std::pair<std::string_view, Source> kPlain[] = {
      {"client", Source::client}, {"host", Source::host}, {"path", Source::path}};
  constexpr std::pair<std::string_view, Source> kNamed[] = {
      {"header.", Source::header}, {"cookie.", Source::cookie}, {"query.", Source::query}};
  for (const auto& [word, source] : kPlain)
    if (text == word) return HashBy{source, {}};
  for (const auto& [prefix, source] : kNamed)
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
      const std::string_view name = text.substr(prefix.size());
      if (source != Source::query)
        if (auto checked = check_header_name(name); !checked) return fail(checked.error());
      return HashBy{source, std::string(name)};
    }
  return fail(Fault{code::kNotAChoice, fmt::format("'{}' is nothing to hash by", text),
                    "one of client, host, path, header.NAME, cookie.NAME, query.NAME"});
}

std::string_view runtime_of(std::string_view file) noexcept {
  constexpr std::pair<std::string_view, std::string_view> kExtensions[] = {
      {".lua", "lua"}, {".py", "python"}, {".js", "js"}};
  for (const auto& [extension, runtime] : kExtensions)
    if (file.ends_with(extension)) return runtime;
  return {};
}

Parsed<void> check_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 100 &&
                    std::all_of(text.begin(), text.end(), [](char c) { return is_unreserved(c) && c != '~'; });
  if (good) return {};
  return fail(Fault{code::kBadValue, fmt::format("'{}' is no name", text),
                    "a name has letters, digits, '-', '_' and '.', at most 100 of them"});
}

Parsed<void> check_header_name(std::string_view text) {
  if (!fields::is_token(text))
    return fail(Fault{code::kBadHeader, fmt::format("'{}' is no header name", text),
                      text.ends_with(':') ? "write it without the colon" : "use letters, digits and hyphens"});
  return {};
}

Parsed<void> check_header_value(std::string_view text) {
  const std::size_t at = fields::find_forbidden(text);
  if (at == fields::kNone) return {};
  const std::string_view what = text[at] == '\r'   ? "CR"
                                : text[at] == '\n' ? "a line break"
                                : text[at] == '\0' ? "NUL"
                                                   : "a control byte";
  return fail(Fault{code::kBadHeader, fmt::format("the value holds {}", what), "a header value is one line"});
}

Parsed<void> check_condition_name(std::string_view text) {
  if (auto checked = check_header_name(text); !checked) return checked;
  if (text.find('_') == std::string_view::npos) return {};
  std::string hyphens(text);
  std::replace(hyphens.begin(), hyphens.end(), '_', '-');
  return fail(Fault{code::kBadHeader, "the gateway removes fields with '_' in their name",
                    fmt::format("no request has it when routes are matched: send and match '{}'", hyphens)});
}

Parsed<void> check_condition_value(std::string_view text) {
  if (auto checked = check_header_value(text); !checked) return checked;
  const auto white = [](char c) { return c == ' ' || c == '\t'; };
  if (text.empty() || (!white(text.front()) && !white(text.back()))) return {};
  return fail(Fault{code::kBadHeader, "white space around the value",
                    "it is removed from fields before routes are matched: write the value without"});
}

Parsed<void> check_method(std::string_view text) {
  if (!fields::is_token(text))
    return fail(Fault{code::kBadMethod, fmt::format("'{}' is no method", text), "a method is a word: GET, POST"});
  constexpr std::string_view kKnown[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"};
  for (const std::string_view known : kKnown)
    if (text != known && fields::same_name(text, known))
      return fail(Fault{code::kBadMethod, fmt::format("'{}' is not the method {}", text, known),
                        fmt::format("methods are case-sensitive: write '{}'", known)});
  if (text == "CONNECT")
    return fail(Fault{code::kBadMethod, "CONNECT is never routed", "a reverse proxy gives no tunnels: remove it"});
  return {};
}

Parsed<void> check_origin(std::string_view text) {
  if (text == "*" || text == "null") return {};
  const std::size_t scheme = text.find("://");
  const std::string_view rest = scheme == std::string_view::npos ? "" : text.substr(scheme + 3);
  const auto fault = [text](std::string_view cure) {
    return fail(Fault{code::kBadValue, fmt::format("'{}' is no origin", text), std::string(cure)});
  };
  if (rest.empty()) return fault("an origin is scheme://host[:port], for example 'https://app.example.com'");
  if (rest.find('/') != std::string_view::npos) return fault("an origin has no path, not even a '/' at the end");
  if (lower(text) != text) return fault(fmt::format("browsers send '{}'", lower(text)));
  if (rest.find_first_of(" *@?#") != std::string_view::npos) return fault("list each origin, or \"*\" for all");
  return {};
}

Parsed<void> check_path_prefix(std::string_view text) {
  const auto fault = [text](std::string cure) {
    return fail(Fault{code::kBadValue, fmt::format("'{}' is no prefix of a path", text), std::move(cure)});
  };
  if (!text.starts_with('/') || text == "/") return fault(fmt::format("write it like '{}'", "/api"));
  if (text.ends_with('/') || text.ends_with("/*")) return fault("without '/' or '/*' at the end");
  const auto segments = routing::parse_path(text);
  if (!segments) return fault(segments.error().cure);
  for (const routing::Segment& each : *segments)
    if (each.kind != routing::Segment::Kind::literal) return fault("literal segments only");
  return {};
}

Parsed<void> check_request_path(std::string_view text) {
  if (!text.starts_with('/'))
    return fail(Fault{code::kBadValue, fmt::format("'{}' is no path", text), fmt::format("write '/{}'", text)});
  return check_bytes(text);
}

Parsed<std::vector<std::string>> parse_template(std::string_view text, TemplateKind kind) {
  const bool url = text.starts_with("http://") || text.starts_with("https://");
  if (kind == TemplateKind::path && !text.starts_with('/'))
    return template_fault(text, "does not begin with '/'", "a path is absolute: '/new/{id}'");
  if (kind == TemplateKind::location && !text.starts_with('/') && !url)
    return template_fault(text, "is no location", "an absolute path, or a URL: 'https://example.com/{id}'");
  if (kind == TemplateKind::path && text.find_first_of("?#") != std::string_view::npos)
    return template_fault(text, "is more than a path", "put what follows '?' into 'query'");
  if (kind == TemplateKind::query && text.starts_with('?'))
    return template_fault(text, "begins with '?'", "the query is written without it");
  std::vector<std::string> names;
  std::string literal;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '{' && text[at] != '}') {
      literal += text[at];
      continue;
    }
    const auto name = text[at] == '{' ? placeholder(text, at) : std::nullopt;
    if (!name) return template_fault(text, "has a brace without its partner", "a parameter is written '{name}'");
    names.emplace_back(*name);
    at += name->size() + 1;
  }
  if (auto checked = check_bytes(literal); !checked) return fail(checked.error());
  return names;
}

std::string show_duration(Duration duration) {
  return show(kDurations, duration.count());
}

std::string show_size(std::uint64_t bytes) {
  return show(kSizes, static_cast<std::int64_t>(bytes));
}

}  // namespace lingate::config
