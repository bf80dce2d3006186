// PROXY protocol: the header, version 1 or 2, with which a load balancer begins a connection to say who the client is.
// Read only where the listener says so and only from trusted peers; whatever is malformed ends the connection.
// (haproxy.org/download/2.6/doc/proxy-protocol.txt)
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/peer.h"

namespace lingate::http {

struct ProxyHeader {
  enum class Outcome : std::uint8_t { done, more, refused };

  Outcome outcome = Outcome::more;
  std::size_t size = 0;   // bytes of the header
  bool replaces = false;  // it names a client; otherwise (LOCAL, UNKNOWN) the peer stays who it is
  Peer client;
};

inline constexpr std::size_t kMaxProxyHeader = 16 + 512;

ProxyHeader read_proxy_header(std::string_view data) noexcept;

}  // namespace lingate::http
