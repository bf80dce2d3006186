// Peer: the other end of a client connection: its address, kept as 16 bytes (IPv4 as ::ffff:a.b.c.d), and whether that
// lies in one of the trusted networks.
//
// Plain values; any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/http/options.h"

namespace lingate::http {

struct Peer {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  bool local = false;  // a unix socket: no address; it is as trusted as ::1

  static Peer from(const sockaddr_storage& storage) noexcept;
};

enum class Scheme : std::uint8_t { http, https };

// How a request came in.
struct ClientSide {
  const Peer& peer;
  Scheme scheme = Scheme::http;
  std::string_view tls{};  // facts for scripts (tls_facts.h); lasts as long as the connection
  bool http2 = false;
};

std::optional<std::array<std::uint8_t, 16>> parse_ip(std::string_view text) noexcept;
// Into `space`; "10.0.0.1" for mapped IPv4, "::1" otherwise.
inline constexpr std::size_t kIpSpace = 46;
std::string_view write_ip(const std::array<std::uint8_t, 16>& address, std::span<char, kIpSpace> space) noexcept;

bool in_networks(const std::array<std::uint8_t, 16>& address, std::span<const Network> networks) noexcept;

}  // namespace lingate::http
