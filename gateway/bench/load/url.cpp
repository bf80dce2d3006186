#include "gateway/bench/load/url.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/fields.h"

namespace lingate::bench {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kSecure = "https://";

tl::unexpected<Error> bad(std::string_view url, std::string_view what) {
  return fail(code::kBadUrl, fmt::format("'{}': {}; write http://host[:port]/path?query", url, what));
}

bool begins_with(std::string_view text, std::string_view start) {
  return fields::same_name(text.substr(0, start.size()), start);
}

// Visible ASCII: what else there is has to be percent-encoded.
bool is_sendable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_host_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(std::string(text), error);
  return !error;
}

std::optional<std::uint16_t> port_from(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

Result<Url> url_from(std::string_view text) {
  if (begins_with(text, kSecure))
    return fail(code::kBadUrl,
                fmt::format("'{}': https is not measured, only http; name a plain listener of the server", text));
  if (!begins_with(text, kScheme)) return bad(text, "it does not begin with http://");
  if (!is_sendable(text))
    return bad(text, "it has a space, a control byte or a letter outside ASCII, which must be encoded as %XX");
  if (text.find('#') != text.npos) return bad(text, "a fragment (#) is never sent to a server");
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  Url url{.host = {}, .authority = std::string(rest.substr(0, path)), .target = std::string(rest.substr(path))};
  if (!url.target.starts_with('/')) url.target.insert(0, "/");

  const std::string_view authority = rest.substr(0, path);
  if (authority.find('@') != authority.npos)
    return bad(text, "it holds a user name; send an Authorization field instead");
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == authority.npos) return bad(text, "the bracket of its address is not closed");
  const std::string_view host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (bracketed ? !is_ipv6(host) : !is_host_name(host))
    return bad(text, bracketed ? "what is in brackets is no IPv6 address" : "its host is no name and no address");
  url.host = host;

  const std::string_view port = authority.substr(host_end + (bracketed ? 1 : 0));
  if (port.empty()) return url;
  const auto number = port.front() == ':' ? port_from(port.substr(1)) : std::nullopt;
  if (!number) return bad(text, "its port is no number from 1 to 65535");
  url.port = *number;
  return url;
}

}  // namespace lingate::bench
