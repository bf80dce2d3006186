#include "gateway/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace lingate::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const std::array<std::uint8_t, 16>& address) noexcept {
  return std::memcmp(address.data(), kMapped.data(), kMapped.size()) == 0;
}

}  // namespace

Peer Peer::from(const sockaddr_storage& storage) noexcept {
  Peer peer;
  if (storage.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(storage);
    std::memcpy(peer.address.data(), kMapped.data(), kMapped.size());
    std::memcpy(peer.address.data() + kMapped.size(), &four.sin_addr, 4);
    peer.port = ntohs(four.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(storage);
    std::memcpy(peer.address.data(), &six.sin6_addr, 16);
    peer.port = ntohs(six.sin6_port);
  } else {
    peer.address[15] = 1;
    peer.local = true;
  }
  return peer;
}

std::optional<std::array<std::uint8_t, 16>> parse_ip(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof copy) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  std::array<std::uint8_t, 16> address{};
  if (::inet_pton(AF_INET6, copy, address.data()) == 1) return address;
  std::memcpy(address.data(), kMapped.data(), kMapped.size());
  if (::inet_pton(AF_INET, copy, address.data() + kMapped.size()) != 1) return std::nullopt;
  return address;
}

std::string_view write_ip(const std::array<std::uint8_t, 16>& address, std::span<char, kIpSpace> space) noexcept {
  if (!is_mapped(address)) {
    ::inet_ntop(AF_INET6, address.data(), space.data(), kIpSpace);
    return space.data();
  }
  char* at = space.data();
  for (std::size_t k = 12; k < 16; ++k) {
    if (k > 12) *at++ = '.';
    at = std::to_chars(at, space.data() + kIpSpace, address[k]).ptr;
  }
  return {space.data(), static_cast<std::size_t>(at - space.data())};
}

bool in_networks(const std::array<std::uint8_t, 16>& address, std::span<const Network> networks) noexcept {
  for (const Network& network : networks) {
    const std::size_t whole = network.prefix / 8;
    if (std::memcmp(address.data(), network.address.data(), whole) != 0) continue;
    const unsigned rest = network.prefix % 8U;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
    if ((address[whole] & mask) == (network.address[whole] & mask)) return true;
  }
  return false;
}

}  // namespace lingate::http
