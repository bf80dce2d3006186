// Addresses, networks and upstream URLs: the part of values.h that knows about the network.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/values.h"

namespace lingate::config {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kH2c = "h2c://";  // HTTP/2 in clear
constexpr std::string_view kRedis = "redis://";
constexpr std::string_view kRediss = "rediss://";

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

Parsed<Address> unix_address(std::string_view text, const std::filesystem::path& folder) {
  std::string path = (folder / text.substr(kUnix.size())).lexically_normal().string();
  if (text.size() == kUnix.size())
    return fail(Fault{code::kBadAddress, "'unix:' names no socket", "write 'unix:PATH'"});
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Fault{code::kBadAddress, fmt::format("the socket's path '{}' is too long", path),
                      fmt::format("at most {} bytes", sizeof(sockaddr_un::sun_path) - 1)});
  Address address;
  address.kind = Address::Kind::unix_socket;
  address.path = std::move(path);
  return address;
}

// Host and port of "HOST:PORT", "[V6]:PORT", ":PORT"; the brackets are taken off.
struct HostPort {
  std::string host;
  std::string_view port;
  bool has_port = false;
  bool bracketed = false;
};

std::optional<HostPort> split(std::string_view text) {
  HostPort parts;
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.bracketed = true;
    parts.host = text.substr(1, close - 1);
    if (close + 1 == text.size()) return parts;
    if (text[close + 1] != ':') return std::nullopt;
    colon = close + 1;
  } else {
    parts.host = text.substr(0, colon);
  }
  parts.has_port = colon != std::string_view::npos;
  if (parts.has_port) parts.port = text.substr(colon + 1);
  return parts;
}

std::string listen_cure(std::string_view text) {
  if (number(text, 65'535)) return fmt::format("write ':{}' for every interface", text);
  const auto parts = split(text);
  if (is_ipv6(std::string(text))) return fmt::format("brackets and a port: '[{}]:8080'", text);
  if (!parts) return "a ']' is missing";
  if (text.find("://") != std::string_view::npos) return "without scheme: '127.0.0.1:8080'";
  if (!parts->has_port) return fmt::format("a port is missing: '{}:8080'", text);
  if (!number(parts->port, 65'535)) return "a port is a number up to 65535";
  if (parts->host == "*") return fmt::format("write ':{}' for every interface", parts->port);
  if (is_ipv6(parts->host)) return fmt::format("write '[{}]:{}'", parts->host, parts->port);
  if (is_host_name(parts->host)) return "names are not looked up here: write the IP address";
  return "write IP:PORT, [IPV6]:PORT, :PORT or unix:PATH";
}

// The network with the bits behind its prefix cleared.
Network mask(Network network) {
  for (std::size_t bit = network.prefix; bit < 128; ++bit)
    network.address[bit / 8] = static_cast<std::uint8_t>(network.address[bit / 8] & ~(0x80U >> bit % 8));
  return network;
}

enum class Family { v4, v6 };

std::string show(const Network& network, Family family) {
  const bool v4 = family == Family::v4;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::uint8_t* bytes = network.address.data() + (v4 ? 12 : 0);
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text.data(), static_cast<socklen_t>(text.size()));
  return text.data();
}

Parsed<TargetUrl> url_fault(std::string_view text, std::string cure) {
  return fail(Fault{code::kBadUrl, fmt::format("'{}' is no upstream URL", text), std::move(cure)});
}

// What stands between "http://", "https://" or "h2c://" and the path.
Parsed<TargetUrl> authority_target(std::string_view text, std::string_view authority) {
  const bool secure = text.starts_with(kHttps);
  const bool http2 = text.starts_with(kH2c);
  const std::string_view scheme = secure ? kHttps : http2 ? kH2c : kHttp;
  if (authority.find('@') != std::string_view::npos)
    return url_fault(text, "without user and password: set 'Authorization' with the step 'headers'");
  auto parts = split(authority);
  const bool host_good = parts && (parts->bracketed ? is_ipv6(parts->host) : is_host_name(parts->host));
  if (!host_good)
    return url_fault(text, is_ipv6(std::string(authority)) ? fmt::format("write '{}[{}]:9001'", scheme, authority)
                                                           : fmt::format("write '{}HOST:PORT'", scheme));
  const std::uint32_t usual = secure ? 443 : 80;
  const auto port = parts->has_port ? number(parts->port, 65'535) : std::optional(usual);
  if (!port || *port == 0) return url_fault(text, "a port is a number from 1 to 65535");
  TargetUrl result;
  result.address.host = std::move(parts->host);
  result.address.port = static_cast<std::uint16_t>(*port);
  result.secure = secure;
  result.http2 = http2;
  result.authority = *port == usual && parts->has_port ? authority.substr(0, authority.rfind(':')) : authority;
  return result;
}

}  // namespace

Parsed<Address> parse_listen_address(std::string_view text, const std::filesystem::path& folder) {
  if (text.starts_with(kUnix)) return unix_address(text, folder);
  auto parts = split(text);
  const auto port = parts && parts->has_port ? number(parts->port, 65'535) : std::nullopt;
  const bool any = parts && parts->host.empty() && !parts->bracketed;
  const bool local = parts && parts->host == "localhost";
  const bool good = port && (any || local || (parts->bracketed ? is_ipv6(parts->host) : is_ipv4(parts->host)));
  if (!good)
    return fail(Fault{code::kBadAddress, fmt::format("'{}' is no address to listen on", text), listen_cure(text)});
  Address address;
  address.host = any ? "0.0.0.0" : local ? "127.0.0.1" : std::move(parts->host);
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

Parsed<TargetUrl> parse_target_url(std::string_view text, const std::filesystem::path& folder) {
  if (text.starts_with(kUnix))
    return unix_address(text, folder).map([](Address address) {
      return TargetUrl{.address = std::move(address), .authority = "localhost"};
    });
  const bool secure = text.starts_with(kHttps);
  const bool http2 = text.starts_with(kH2c);
  if (!secure && !http2 && !text.starts_with(kHttp))
    return url_fault(text, text.find("://") == std::string_view::npos ? fmt::format("write 'http://{}'", text)
                                                                      : "write 'http://HOST:PORT'");
  std::string_view authority = text.substr(secure ? kHttps.size() : http2 ? kH2c.size() : kHttp.size());
  const std::size_t path = std::min(authority.find_first_of("/?#"), authority.size());
  if (path < authority.size() && authority.substr(path) != "/")
    return url_fault(text, "without a path: change paths with 'strip' or the step 'rewrite'");
  return authority_target(text, authority.substr(0, path));
}

Parsed<store::RedisServer> parse_redis_url(std::string_view text, const std::filesystem::path& folder) {
  const auto fault = [text](std::string cure) {
    const std::string_view shown = text.find('@') == std::string_view::npos ? text : "…@…";  // there may be a password
    return fail(Fault{code::kBadUrl, fmt::format("'{}' is no URL of a Redis", shown), std::move(cure)});
  };
  if (text.starts_with(kUnix)) {
    auto address = unix_address(text, folder);
    if (!address) return fail(std::move(address.error()));
    return store::RedisServer{.host = std::move(address->path), .port = 0};
  }
  const bool secure = text.starts_with(kRediss);
  if (!secure && !text.starts_with(kRedis)) return fault("write 'redis://HOST:PORT', 'rediss://…' or 'unix:PATH'");
  std::string_view authority = text.substr(secure ? kRediss.size() : kRedis.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find('@') != std::string_view::npos)
    return fault("give 'username' and 'password' as keys of their own");
  if (authority.find_first_of("/?#") != std::string_view::npos) return fault("give the database as 'db'");
  auto parts = split(authority);
  const bool good = parts && (parts->bracketed ? is_ipv6(parts->host) : is_host_name(parts->host));
  if (!good) return fault("write 'redis://HOST:PORT', or 'redis://[IPV6]:PORT'");
  constexpr std::uint32_t kUsual = 6379;
  const auto port = parts->has_port ? number(parts->port, 65'535) : std::optional(kUsual);
  if (!port || *port == 0) return fault("a port is a number from 1 to 65535");
  return store::RedisServer{.host = std::move(parts->host), .port = static_cast<std::uint16_t>(*port), .tls = secure};
}

Parsed<Network> parse_network(std::string_view text) {
  const auto fault = [text](std::string cure) {
    return fail(Fault{code::kBadCidr, fmt::format("'{}' is no network", text), std::move(cure)});
  };
  const std::size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  in_addr v4{};
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4) == 1;
  if (is_v4) {
    network.address[10] = network.address[11] = 0xFF;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4);
    std::copy_n(bytes, 4, network.address.begin() + 12);
  } else if (inet_pton(AF_INET6, host.c_str(), network.address.data()) != 1) {
    return fault("an IP address, or one with a prefix length: '10.0.0.0/8'");
  }
  const std::uint32_t most = is_v4 ? 32 : 128;
  const auto prefix = slash == std::string_view::npos ? most : number(text.substr(slash + 1), most);
  if (!prefix) return fault(fmt::format("the prefix length is a number from 0 to {}", most));
  network.prefix = static_cast<std::uint8_t>(is_v4 ? *prefix + 96 : *prefix);
  if (const Network masked = mask(network); masked.address != network.address)
    return fault(fmt::format("write '{}/{}', or '{}' for the one address",
                             show(masked, is_v4 ? Family::v4 : Family::v6), *prefix, host));
  return network;
}

}  // namespace lingate::config
