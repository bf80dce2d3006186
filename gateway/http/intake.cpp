#include "gateway/http/intake.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/authority.h"
#include "base/codes.h"
#include "base/fields.h"
#include "base/path.h"
#include "gateway/http/serialise.h"

namespace lingate::http {
namespace {

using middleware::Exchange;
using middleware::Field;
using middleware::FieldId;
using middleware::Headers;

std::string_view lower_host(std::string_view host, Arena& arena) {
  bool upper = false;
  for (const char c : host)
    upper = upper || fields::lower(c) != c;
  if (!upper) return host;
  char* copy = arena.allocate(host.size());
  for (std::size_t k = 0; k < host.size(); ++k)
    copy[k] = fields::lower(host[k]);
  return {copy, host.size()};
}

bool take_path(Exchange& exchange, const RequestHead& head, Refusal& refusal) {
  middleware::Request& request = exchange.request;
  request.query = head.query;
  request.has_query = head.has_query;
  request.path = head.path;
  request.target_edited = head.absolute_form;
  if (head.path == "*") return true;
  const std::span<char> scratch(exchange.arena.allocate(head.path.size()), head.path.size());
  const auto normal = normalise_path(head.path, scratch);
  if (!normal) {
    refusal = {code::kBadPath, describe(normal.error())};
    return false;
  }
  if (normal->data() != head.path.data() || normal->size() != head.path.size()) request.target_edited = true;
  request.path = *normal;
  return true;
}

std::string_view last_word(std::string_view& list) noexcept {
  const std::size_t comma = list.rfind(',');
  std::string_view word = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  while (!word.empty() && (word.front() == ' ' || word.front() == '\t'))
    word.remove_prefix(1);
  while (!word.empty() && (word.back() == ' ' || word.back() == '\t'))
    word.remove_suffix(1);
  return word;
}

// Every line of X-Forwarded-For, joined in order.
std::string_view forwarded_for(const Headers& headers, Arena& arena) {
  constexpr std::string_view kBetween = ", ";
  const auto counts = [](const Field& field) {
    return !field.removed && field.id == FieldId::x_forwarded_for && !field.value.empty();
  };
  std::string_view first;
  std::size_t size = 0;
  for (const Field& field : headers.all()) {
    if (!counts(field)) continue;
    if (first.empty()) first = field.value;
    size += field.value.size() + kBetween.size();
  }
  if (size == 0 || size - kBetween.size() == first.size()) return first;
  char* const place = arena.allocate(size);
  char* end = place;
  for (const Field& field : headers.all()) {
    if (!counts(field)) continue;
    end = std::copy(field.value.begin(), field.value.end(), end);
    end = std::copy(kBetween.begin(), kBetween.end(), end);
  }
  return {place, size - kBetween.size()};
}

bool is_port(std::string_view text) noexcept {  // ":4711"
  return text.size() >= 2 && text.size() <= 6 && text.front() == ':' &&
         text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

// Some proxies write "192.0.2.1:4711", "[2001:db8::1]", "[2001:db8::1]:4711".
std::string_view bare_address(std::string_view word) noexcept {
  const std::size_t colon = word.find(':');
  if (const std::size_t end = word.find(']'); word.starts_with('[') && end != std::string_view::npos && colon < end) {
    const std::string_view rest = word.substr(end + 1);
    return rest.empty() || is_port(rest) ? word.substr(1, end - 1) : word;
  }
  return colon != std::string_view::npos && is_port(word.substr(colon)) ? word.substr(0, colon) : word;
}

// The nearest address that no trusted proxy vouches for as its own (RFC 7239 section 7.4): from the right, past all
// trusted ones.
std::string_view client_of(std::string_view list, std::string_view peer_ip, const Snapshot& snapshot) noexcept {
  std::string_view client = peer_ip;
  while (!list.empty()) {
    const std::string_view word = bare_address(last_word(list));
    const auto address = parse_ip(word);
    if (!address) break;
    client = word;
    if (!in_networks(*address, snapshot.trusted)) break;
  }
  return client;
}

// What only a trusted proxy may say.
bool is_claim(const Field& field) noexcept {
  constexpr std::string_view kPrefix = "x-forwarded-";
  switch (field.id) {
    case FieldId::forwarded:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
    case FieldId::x_request_id: return true;
    case FieldId::other:
      return field.name.size() > kPrefix.size() && fields::lower(field.name.front()) == 'x' &&
             fields::same_name(field.name.substr(0, kPrefix.size()), kPrefix);
    default: return false;
  }
}

// The gateway says its own in their place: X-Request-Id here, where the client had one, the others before forwarding.
void drop_claims(Exchange& exchange) {
  Headers& headers = exchange.request.headers;
  if (headers.find(FieldId::x_request_id)) headers.set("X-Request-Id", exchange.id());
  const auto is_received_claim = [](const Field& field) {
    return !field.removed && field.received() && is_claim(field);
  };
  bool others = false;
  for (const Field& field : headers.all()) {
    if (!is_received_claim(field)) continue;
    if (field.id == FieldId::other)
      others = true;
    else
      headers.remove(field.id);
  }
  if (!others) return;
  // Any number of names: all of them in one pass, not in one for each.
  std::vector<Field> kept(headers.all().begin(), headers.all().end());
  for (Field& field : kept)
    field.removed = field.removed || is_received_claim(field);
  headers.restore(kept);
}

// A step has set the field: then it is the step's.
bool written(const Headers& headers, FieldId id) noexcept {
  const Field* field = headers.find(id);
  return field && !field->received();
}

std::string_view text_of(const Peer& peer, Arena& arena) {
  char* space = arena.allocate(kIpSpace);
  return write_ip(peer.address, std::span<char, kIpSpace>(space, kIpSpace));
}

class Lookup final : public routing::HeaderLookup {
 public:
  explicit Lookup(const Headers& headers) : headers_(headers) {}

  std::optional<std::string_view> first(std::string_view name) const noexcept override {
    const Field* field = headers_.find(name);
    return field ? std::optional(field->value) : std::nullopt;
  }

 private:
  const Headers& headers_;
};

}  // namespace

bool take_in(Exchange& exchange, const RequestHead& head, const ClientSide& from, const Snapshot& snapshot,
             Refusal& refusal) {
  const Peer& peer = from.peer;
  middleware::Request& request = exchange.request;
  request.method = head.method;
  request.only_head = head.method == "HEAD";
  request.target = head.target;
  request.version = from.http2                ? middleware::Version::http2
                    : head.minor_version == 0 ? middleware::Version::http10
                                              : middleware::Version::http11;
  request.scheme = from.scheme == Scheme::https ? "https" : "http";
  request.host = lower_host(host_of(head.authority), exchange.arena);
  const std::string_view peer_ip = text_of(peer, exchange.arena);
  request.client_ip = peer_ip;
  request.client_port = peer.port;
  request.client_tls = from.tls;
  request.peer_trusted = !snapshot.trusted.empty() && in_networks(peer.address, snapshot.trusted);
  if (!take_path(exchange, head, refusal)) return false;
  if (head.absolute_form) request.headers.set("Host", head.authority);
  if (request.peer_trusted)
    request.client_ip = client_of(forwarded_for(request.headers, exchange.arena), peer_ip, snapshot);
  else
    drop_claims(exchange);
  if (request.client_ip.data() != peer_ip.data()) request.client_port = 0;
  request.body.kind =
      head.framing.kind == Framing::Kind::none ? middleware::Body::Kind::none : middleware::Body::Kind::stream;
  return true;
}

void add_forwarding(Exchange& exchange, const RequestHead& head, const Peer& peer, const Snapshot& snapshot) {
  Headers& headers = exchange.request.headers;
  Arena& arena = exchange.arena;
  const bool trusted = exchange.request.peer_trusted;
  if (!written(headers, FieldId::x_forwarded_for)) {
    const std::string_view peer_ip = trusted ? text_of(peer, arena) : exchange.request.client_ip;
    const std::string_view list = trusted ? forwarded_for(headers, arena) : std::string_view();
    if (list.empty())
      headers.receive({.name = "X-Forwarded-For", .value = peer_ip, .line = {}, .id = FieldId::x_forwarded_for});
    else
      headers.set("X-Forwarded-For", arena.join({list, ", ", peer_ip}));
  }
  if (!headers.find(FieldId::x_forwarded_proto)) {
    const bool secure = exchange.request.scheme == "https";
    headers.receive({"X-Forwarded-Proto", exchange.request.scheme,
                     secure ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n",
                     FieldId::x_forwarded_proto});
  }
  if (!head.authority.empty() && !headers.find(FieldId::x_forwarded_host))
    headers.receive({.name = "X-Forwarded-Host", .value = head.authority, .line = {}, .id = FieldId::x_forwarded_host});
  if (!snapshot.via) return;
  if (exchange.request.version == middleware::Version::http2)
    headers.receive({"Via", "2 lingate", "Via: 2 lingate\r\n", FieldId::via});
  else
    headers.receive({"Via", kVia, kViaLine, FieldId::via});
}

routing::Found find_route(Exchange& exchange, const routing::Router& router) {
  middleware::Request& request = exchange.request;
  const Lookup lookup(request.headers);
  const routing::Found found = router.match({.method = request.method,
                                             .host = request.host,
                                             .path = request.path,
                                             .query = request.query,
                                             .headers = &lookup});
  if (found.outcome != routing::Found::Outcome::matched) return found;
  const auto names = router.param_names(found.route);
  for (std::size_t k = 0; k < found.param_count; ++k) {
    const std::string_view raw = found.params[k].of(request.path);
    const bool coded = raw.find('%') != std::string_view::npos;
    const std::span<char> scratch(coded ? exchange.arena.allocate(raw.size()) : nullptr, coded ? raw.size() : 0);
    request.params.push_back({names[k], coded ? percent_decode(raw, scratch) : raw, raw});
  }
  return found;
}

}  // namespace lingate::http
