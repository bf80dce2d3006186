#include "middleware/tracing/otlp_options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace lingate::middleware::tracing {
namespace {

tl::unexpected<UrlProblem> bad_url(std::string what) {
  return tl::unexpected<UrlProblem>(UrlProblem{std::move(what), "write http://HOST:4318/v1/traces"});
}

bool is_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  return problem == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<OtlpUrl, UrlProblem> parse_otlp_url(std::string_view url) {
  const bool secure = url.starts_with("https://");
  const bool visible = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if ((!secure && !url.starts_with("http://")) || !visible) return bad_url("this is no URL of a collector");
  const std::string_view rest = url.substr(secure ? 8 : 7);
  const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view target = rest.substr(slash);
  if (target.find('#') != std::string_view::npos || authority.find('@') != std::string_view::npos)
    return bad_url("a collector's URL has no fragment and no user");
  const bool bracketed = authority.starts_with('[') && authority.find(']') != std::string_view::npos;
  const std::size_t host_end = bracketed ? authority.find(']') + 1 : std::min(authority.find(':'), authority.size());
  const std::string_view host = bracketed ? authority.substr(1, host_end - 2) : authority.substr(0, host_end);
  const std::string_view port = authority.substr(std::min(host_end + 1, authority.size()));
  const bool has_port = authority.size() > host_end;
  if (host.empty() || (has_port && (authority[host_end] != ':' || !is_port(port))))
    return bad_url("the host or port of the collector's URL is malformed");
  if (!target.starts_with('/') || target == "/")
    return bad_url("the collector's URL has no path, and collectors take traces at /v1/traces");
  return OtlpUrl{.secure = secure,
                 .host = std::string(host),
                 .port = has_port ? std::string(port) : std::string(secure ? "443" : "80"),
                 .authority = std::string(authority),
                 .target = std::string(target)};
}

}  // namespace lingate::middleware::tracing
