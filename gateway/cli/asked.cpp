#include "gateway/cli/asked.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/fields.h"
#include "base/path.h"

namespace lingate::cli {
namespace {

// Lower-case, without port.
std::string plain_host(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string host(authority.substr(0, colon));
  std::transform(host.begin(), host.end(), host.begin(), [](char c) { return fields::lower(c); });
  return host;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

Result<std::pair<std::string_view, std::string_view>, std::string> header_line(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || !fields::is_token(name) || !fields::is_value(text.substr(colon + 1)))
    return fail(fmt::format("'{}' is no header field; write 'Name: value'", text));
  return std::pair(name, trimmed(text.substr(colon + 1)));
}

Result<Asked, std::string> Asked::parse(const RouteOptions& options) {
  Asked asked;
  asked.method_ = options.method;
  if (!fields::is_token(options.method)) return fail(fmt::format("'{}' is no method", options.method));
  if (auto read = asked.read_url(options.url); !read) return fail(std::move(read.error()));
  for (const std::string& line : options.headers)
    if (auto read = asked.read_header(line); !read) return fail(std::move(read.error()));
  if (const auto host = asked.first("Host"); host && asked.host_.empty()) asked.host_ = plain_host(*host);
  return asked;
}

Result<void, std::string> Asked::read_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    const std::size_t end = std::min(url.find_first_of("/?"), url.size());
    host_ = plain_host(url.substr(0, end));
    url.remove_prefix(end);
  }
  const std::size_t question = std::min(url.find('?'), url.size());
  raw_path_ = url.substr(0, question);
  if (raw_path_.empty() && !host_.empty()) raw_path_ = "/";
  query_ = url.substr(std::min(question + 1, url.size()));
  std::string scratch(raw_path_.size(), '\0');
  const auto path = normalise_path(raw_path_, scratch);
  if (!path)
    return fail(
        fmt::format("{}: '{}'; the gateway answers such a request with 400", describe(path.error()), raw_path_));
  path_ = *path;
  return {};
}

Result<void, std::string> Asked::read_header(std::string_view line) {
  const auto header = header_line(line);
  if (!header) return fail(header.error());
  const bool passes = header->first.find('_') == std::string_view::npos;  // the gateway removes the others
  if (passes) headers_.emplace_back(*header);
  return {};
}

std::optional<std::string_view> Asked::first(std::string_view name) const noexcept {
  for (const auto& [each, value] : headers_)
    if (fields::same_name(each, name)) return value;
  return std::nullopt;
}

}  // namespace lingate::cli
