#include "gateway/routing/match.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/percent.h"

namespace lingate::routing {
namespace {

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

// One segment of a pattern, and where it stands in it.
struct Part {
  std::string_view text;
  std::size_t offset = 0;
  bool last = false;

  auto fault(std::string message, std::string cure) const { return fault_at(0, text.size(), message, cure); }
  tl::unexpected<PatternFault> fault_at(std::size_t at, std::size_t length, std::string message,
                                        std::string cure) const {
    return fail(PatternFault{offset + at, length, std::move(message), std::move(cure)});
  }
};

Result<Segment, PatternFault> parse_param(const Part& part) {
  const std::string_view name = part.text.substr(1, part.text.size() - 2);
  const bool good =
      !name.empty() && (is_letter(name[0]) || name[0] == '_') &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
  if (!good)
    return part.fault(fmt::format("'{}' is no parameter", part.text),
                      "a parameter is a name in braces, letters, digits, '_' and '-': '{id}'");
  return Segment{Segment::Kind::param, std::string(name)};
}

Result<void, PatternFault> check_literal_byte(const Part& part, std::size_t at) {
  const char c = part.text[at];
  const auto byte = static_cast<unsigned char>(c);
  if (c == '*')
    return part.fault_at(at, 1, "a '*' inside a segment", "only the last segment may be a wildcard, alone: '/files/*'");
  if (c == '{' || c == '}')
    return part.fault_at(at, 1, fmt::format("a '{}' inside a segment", c),
                         "a parameter takes a whole segment: '/users/{id}'");
  if (c == '?' || c == '#')
    return part.fault_at(at, 1, fmt::format("a '{}' in a path", c),
                         c == '?' ? "conditions on the query go into 'match.query'" : "a fragment is never sent");
  if (byte <= ' ' || byte >= 0x7F)
    return part.fault_at(at, 1, "a byte that no path holds unencoded", fmt::format("write '%{:02X}'", byte));
  if (c != '%') return {};
  const int triplet = percent_triplet(part.text, at);
  if (triplet < 0)
    return part.fault_at(at, 1, "a '%' without two hexadecimal digits", "write '%25' for the sign itself");
  if (triplet == 0) return part.fault_at(at, 3, "an encoded NUL", "such a path is always refused");
  if (is_unreserved(triplet))
    return part.fault_at(at, 3, fmt::format("'{}' is decoded before routes are matched", part.text.substr(at, 3)),
                         fmt::format("write '{}'", static_cast<char>(triplet)));
  return {};
}

Result<Segment, PatternFault> parse_segment(const Part& part) {
  if (part.text == "*" && part.last) return Segment{Segment::Kind::wildcard, "*"};
  if (part.text == "*")
    return part.fault("a wildcard before the end", "only the last segment may be '*'; name this one: '{name}'");
  if (part.text.size() >= 2 && part.text.front() == '{' && part.text.back() == '}') return parse_param(part);
  if (part.text.empty() && !part.last)
    return part.fault_at(0, 1, "an empty segment", "repeated slashes are merged before routes are matched: write one");
  if (part.text == "." || part.text == "..")
    return part.fault("a dot segment", "dot segments are removed before routes are matched: write the path without");
  for (std::size_t at = 0; at < part.text.size(); ++at)
    if (auto checked = check_literal_byte(part, at); !checked) return fail(checked.error());
  return Segment{Segment::Kind::literal, std::string(part.text)};
}

Result<void, PatternFault> check_whole(std::string_view pattern, const std::vector<Segment>& segments) {
  std::size_t params = 0;
  for (auto each = segments.begin(); each != segments.end(); ++each) {
    if (each->kind == Segment::Kind::literal) continue;
    ++params;
    const auto same = [each](const Segment& other) { return other.kind == each->kind && other.text == each->text; };
    if (std::find_if(segments.begin(), each, same) != each)
      return fail(PatternFault{pattern.rfind("{" + each->text + "}"), each->text.size() + 2,
                               fmt::format("the parameter '{}' stands twice", each->text), "give each its own name"});
  }
  if (segments.size() > kMaxSegments || params > kMaxParams)
    return fail(PatternFault{0, pattern.size(), "a path of too many segments",
                             fmt::format("at most {} segments, {} of them parameters", kMaxSegments, kMaxParams)});
  return {};
}

}  // namespace

Result<std::vector<Segment>, PatternFault> parse_path(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/')
    return fail(PatternFault{0, pattern.size(), "a path that does not begin with '/'",
                             pattern == "*" ? "write '/*'" : fmt::format("write '/{}'", pattern)});
  std::vector<Segment> segments;
  for (std::size_t at = 1; at <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    auto segment = parse_segment({pattern.substr(at, end - at), at, end == pattern.size()});
    if (!segment) return fail(segment.error());
    segments.push_back(*std::move(segment));
    at = end + 1;
  }
  if (auto checked = check_whole(pattern, segments); !checked) return fail(checked.error());
  return segments;
}

Result<std::string, PatternFault> parse_host(std::string_view pattern) {
  const auto fault = [&](std::size_t at, std::size_t length, std::string_view message, std::string_view cure) {
    return fail(PatternFault{at, length, std::string(message), std::string(cure)});
  };
  if (pattern.empty() || pattern == "*")
    return fault(0, pattern.size(), "a host that names none", "leave 'host' out to match every host");
  std::string host = lower(pattern);
  if (host.front() == '[' && host.back() == ']') return host;
  if (host.ends_with('.')) host.pop_back();
  for (std::size_t at = host.starts_with("*.") ? 2 : 0; at < host.size(); ++at) {
    const char c = host[at];
    if (c == '*') return fault(at, 1, "a '*' inside a host", "a wildcard stands in front only: '*.example.com'");
    if (c == ':')
      return fault(at, host.size() - at, "a port in a host", "routes are matched without port: leave it out");
    if (c == '/') return fault(at, host.size() - at, "a path in a host", "paths go into 'match.path'");
    if (c == '.' && (at == 0 || host[at - 1] == '.')) return fault(at, 1, "an empty label", "remove the extra '.'");
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
      return fault(at, 1, "a byte that no host holds", "write international names in their 'xn--' form");
  }
  return host;
}

}  // namespace lingate::routing
