// ip: lets a request pass by the client's address, or refuses it with 403. What `deny` lists is refused; where `allow`
// is given, so is everything that it does not list. An IPv4 address and the same one mapped into IPv6 are one address.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "middleware/settings_value.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::size_t kBytes = 16;
constexpr unsigned kMapped = 96;  // bits in front of an IPv4 address

using Address = std::array<unsigned char, kBytes>;

struct Parsed {
  Address address{};
  bool v4 = false;
};

std::optional<Parsed> parse_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  text = text.substr(0, text.find('%'));  // without the zone of a link-local address
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  Parsed parsed;
  if (inet_pton(AF_INET, terminated.data(), parsed.address.data() + 12) == 1) {
    parsed.v4 = true;
    parsed.address[10] = parsed.address[11] = 0xff;
    return parsed;
  }
  if (inet_pton(AF_INET6, terminated.data(), parsed.address.data()) != 1) return std::nullopt;
  return parsed;
}

struct Network {
  Address address{};
  unsigned prefix = 0;  // bits of 128

  bool holds(const Address& other) const noexcept {
    const unsigned whole = prefix / 8;
    if (!std::equal(address.begin(), address.begin() + whole, other.begin())) return false;
    const unsigned bits = prefix % 8;
    return bits == 0 || ((address[whole] ^ other[whole]) >> (8U - bits)) == 0;
  }
};

std::optional<Network> parse_network(std::string_view text) noexcept {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto parsed = parse_address(text.substr(0, slash));
  if (!parsed) return std::nullopt;
  const unsigned most = parsed->v4 ? 32 : 128;
  unsigned prefix = most;
  if (slash < text.size()) {
    const auto [end, fault] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
    if (fault != std::errc() || end != text.data() + text.size() || prefix > most) return std::nullopt;
  }
  return Network{parsed->address, prefix + (parsed->v4 ? kMapped : 0)};
}

using Networks = std::vector<Network>;

bool lists(const Networks& networks, const Address& address) noexcept {
  return std::any_of(networks.begin(), networks.end(), [&](const Network& each) { return each.holds(address); });
}

class Ip final : public Middleware {
 public:
  Ip(std::optional<Networks> allow, Networks deny) : allow_(std::move(allow)), deny_(std::move(deny)) {}

  std::string_view kind() const noexcept override { return "ip"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    if (passes(exchange.request.client_ip)) return Flow::next;
    record.fault = code::kAddressNotAllowed;
    exchange.fail({.code = code::kAddressNotAllowed, .detail = {}, .step = label()});
    return Flow::fail;
  }

 private:
  // A client without an address came through a socket of this machine: no list holds it.
  bool passes(std::string_view client) const noexcept {
    const auto parsed = parse_address(client);
    if (!parsed) return !allow_;
    return !lists(deny_, parsed->address) && (!allow_ || lists(*allow_, parsed->address));
  }

  const std::optional<Networks> allow_;  // nothing: everybody
  const Networks deny_;
};

Result<Networks> networks_of(const Settings& settings, std::string_view key) {
  Networks networks;
  for (const std::string& text : texts_of(settings, key)) {
    const auto network = parse_network(text);
    if (!network) return fail(code::kBadCidr, "step 'ip': '" + text + "' is no network");
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace

MadeStep make_ip(const Settings& settings, const StepSurroundings&) {
  auto deny = networks_of(settings, "deny");
  if (!deny) return fail(std::move(deny.error()));
  auto allow = networks_of(settings, "allow");
  if (!allow) return fail(std::move(allow.error()));
  const bool given = settings.find("allow") != nullptr;
  return std::make_unique<Ip>(given ? std::optional(std::move(*allow)) : std::nullopt, std::move(*deny));
}

}  // namespace lingate::middleware::steps
