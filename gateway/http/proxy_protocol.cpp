#include "gateway/http/proxy_protocol.h"

#include <array>
#include <charconv>
#include <cstring>

namespace lingate::http {
namespace {

using Outcome = ProxyHeader::Outcome;

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::size_t kMaxLine = 107;

std::uint8_t byte_at(std::string_view data, std::size_t k) noexcept {
  return static_cast<std::uint8_t>(data[k]);
}

std::uint16_t word_at(std::string_view data, std::size_t k) noexcept {
  return static_cast<std::uint16_t>(byte_at(data, k) << 8 | byte_at(data, k + 1));
}

bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && (text.size() == 1 || text.front() != '0');
}

std::string_view next_word(std::string_view& line) noexcept {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

ProxyHeader refused() noexcept {
  ProxyHeader header;
  header.outcome = Outcome::refused;
  return header;
}

// "PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n"
ProxyHeader read_version_1(std::string_view data) noexcept {
  ProxyHeader header;
  const std::size_t end = data.substr(0, kMaxLine).find("\r\n");
  if (end == std::string_view::npos) return data.size() >= kMaxLine ? refused() : header;
  std::string_view line = data.substr(kSignature1.size(), end - kSignature1.size());
  header.size = end + 2;
  header.outcome = Outcome::done;
  const std::string_view family = next_word(line);
  if (family == "UNKNOWN") return header;
  const bool six = family == "TCP6";
  if (!six && family != "TCP4") return refused();
  const std::string_view source = next_word(line);
  const std::string_view destination = next_word(line);
  const std::string_view source_port = next_word(line);
  std::uint16_t ignored = 0;
  const auto address = parse_ip(source);
  if (!address || !parse_ip(destination) || (source.find(':') != std::string_view::npos) != six) return refused();
  if (!parse_port(source_port, header.client.port) || !parse_port(line, ignored)) return refused();
  header.client.address = *address;
  header.replaces = true;
  return header;
}

ProxyHeader read_version_2(std::string_view data) noexcept {
  ProxyHeader header;
  if (data.size() < 16) return header;
  if (byte_at(data, 12) >> 4 != 2) return refused();
  const unsigned command = byte_at(data, 12) & 0xfU;
  const unsigned family = byte_at(data, 13) >> 4;
  const std::size_t length = word_at(data, 14);
  if (command > 1 || 16 + length > kMaxProxyHeader) return refused();
  if (data.size() < 16 + length) return header;
  header.outcome = Outcome::done;
  header.size = 16 + length;
  const std::string_view body = data.substr(16, length);
  if (command == 0) return header;  // LOCAL: the balancer speaks for itself
  if (family == 1) {
    if (length < 12) return refused();
    header.client.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::memcpy(header.client.address.data() + 12, body.data(), 4);
    header.client.port = word_at(body, 8);
    header.replaces = true;
  } else if (family == 2) {
    if (length < 36) return refused();
    std::memcpy(header.client.address.data(), body.data(), 16);
    header.client.port = word_at(body, 32);
    header.replaces = true;
  }
  return header;
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view data) noexcept {
  const auto begins = [data](std::string_view signature) {
    const std::size_t compared = data.size() < signature.size() ? data.size() : signature.size();
    return data.substr(0, compared) == signature.substr(0, compared);
  };
  if (begins(kSignature1)) return data.size() < kSignature1.size() ? ProxyHeader{} : read_version_1(data);
  if (begins(kSignature2)) return data.size() < kSignature2.size() ? ProxyHeader{} : read_version_2(data);
  return refused();
}

}  // namespace lingate::http
