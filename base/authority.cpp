#include "base/authority.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace lingate {
namespace {

constexpr std::array<bool, 256> make_table() {
  std::array<bool, 256> table{};
  // unreserved, sub-delims, and '%' (whose two digits are checked apart)
  for (const char c :
       std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kNameChar = make_table();

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_name(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kNameChar[static_cast<unsigned char>(text[i])]) return false;
    if (text[i] == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) return false;
  }
  return true;
}

bool is_port(std::string_view text) noexcept {
  unsigned sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    sum = sum * 10 + static_cast<unsigned>(c - '0');
    if (sum > 65535) return false;
  }
  return true;  // "host:" with an empty port is valid
}

bool is_ipv6(std::string_view text) noexcept {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof copy) return false;
  std::memcpy(copy, text.data(), text.size());
  in6_addr parsed;
  return ::inet_pton(AF_INET6, copy, &parsed) == 1;
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  if (text.empty()) return false;
  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    const std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = text.find(':');
  if (!is_name(text.substr(0, colon))) return false;
  return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

std::string_view host_of(std::string_view authority) noexcept {
  if (!authority.empty() && authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace lingate
