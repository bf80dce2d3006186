#include "gateway/http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace lingate::http {
namespace {

using Outcome = ProxyHeader::Outcome;

std::string ip(const Peer& peer) {
  std::array<char, kIpSpace> space;
  return std::string(write_ip(peer.address, space));
}

TEST(ProxyProtocol, ReadsVersionOne) {
  const std::string text = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET";
  const ProxyHeader header = read_proxy_header(text);
  ASSERT_EQ(header.outcome, Outcome::done);
  EXPECT_EQ(ip(header.client), "192.0.2.1");
  EXPECT_EQ(header.client.port, 56324);
  EXPECT_EQ(header.size, text.size() - 3);
  for (std::size_t size = 0; size + 4 < text.size(); ++size)
    EXPECT_EQ(read_proxy_header(text.substr(0, size)).outcome, Outcome::more) << size;
}

TEST(ProxyProtocol, ReadsVersionTwo) {
  std::string text("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
  text += std::string("\xc0\0\2\1\xc6\x33\x64\2\xdc\4\1\xbb", 12);
  const ProxyHeader header = read_proxy_header(text + "GET");
  ASSERT_EQ(header.outcome, Outcome::done);
  EXPECT_EQ(ip(header.client), "192.0.2.1");
  EXPECT_EQ(header.client.port, 56324);
  EXPECT_EQ(header.size, text.size());
  EXPECT_EQ(read_proxy_header(std::string_view(text).substr(0, 20)).outcome, Outcome::more);
}

TEST(ProxyProtocol, KeepsThePeerWhereTheBalancerSpeaksForItself) {
  EXPECT_FALSE(read_proxy_header("PROXY UNKNOWN\r\n").replaces);
  EXPECT_FALSE(read_proxy_header(std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)).replaces);
}

TEST(ProxyProtocol, RefusesTheRest) {
  for (const char* bad : {"GET / HTTP/1.1\r\n", "PROXY TCP4 300.0.2.1 1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
                          "PROXY TCP4 1.2.3.4 1.2.3.4 70000 2\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"})
    EXPECT_EQ(read_proxy_header(bad).outcome, Outcome::refused) << bad;
  EXPECT_EQ(read_proxy_header("PROXY " + std::string(200, 'x')).outcome, Outcome::refused);
}

}  // namespace
}  // namespace lingate::http
