#include "runtimes/wire_call.h"

namespace lingate::runtimes {
namespace {

using proto::bytes_field_size;
using proto::put_bytes_field;
using proto::put_header;

std::size_t body_size(std::uint32_t number, const std::optional<std::string_view>& body) {
  return body ? bytes_field_size(number, body->size()) : 0;
}

// A head and the body that follows it, as one submessage.
struct Message {
  std::uint32_t number;  // in Call
  const std::optional<std::string_view>& head;
  std::string_view lines;
  std::uint32_t body_number;
  const std::optional<std::string_view>& body;

  std::size_t payload() const noexcept { return head->size() + lines.size() + body_size(body_number, body); }
  std::size_t size() const noexcept { return head ? bytes_field_size(number, payload()) : 0; }
  char* put(char* to) const noexcept {
    if (!head) return to;
    to = proto::put_raw(proto::put_raw(put_header(to, number, payload()), *head), lines);
    return body ? put_bytes_field(to, body_number, *body) : to;
  }
};

std::size_t client_size(const RequestParts& parts) {
  return wire_detail::optional_size(proto::client::kIp, parts.client_ip) +
         (parts.client_port == 0 ? 0 : proto::varint_field_size(proto::client::kPort, parts.client_port)) +
         wire_detail::optional_size(proto::client::kTls, parts.client_tls);
}

using Numbers = std::array<const std::optional<double>*, 7>;

Numbers numbers_of(const SessionParts& parts) {
  return {&parts.rate,         &parts.per,    &parts.burst, &parts.quota_max, &parts.quota_remaining,
          &parts.quota_renews, &parts.expires};
}

}  // namespace

std::size_t wire_detail::most_of_texts(const RequestParts& parts) noexcept {
  constexpr std::size_t kOverhead = 10 * 6 + 3 * 6;  // keys and lengths, those of the client, its port and its TLS
  return parts.id.size() + parts.method.size() + parts.scheme.size() + parts.host.size() + parts.path.size() +
         parts.query.size() + parts.version.size() + parts.route.size() + parts.client_ip.size() +
         parts.client_tls.size() + kOverhead;
}

char* wire_detail::put_texts(char* to, const RequestParts& parts) noexcept {
  using namespace proto::request;
  to = put_optional(to, kId, parts.id);
  to = put_optional(to, kMethod, parts.method);
  to = put_optional(to, kScheme, parts.scheme);
  to = put_optional(to, kHost, parts.host);
  to = put_optional(to, kPath, parts.path);
  to = put_optional(to, kQuery, parts.query);
  to = put_optional(to, kVersion, parts.version);
  to = put_optional(to, kRoute, parts.route);
  const std::size_t client = client_size(parts);
  if (client == 0) return to;
  to = put_optional(put_header(to, kClient, client), proto::client::kIp, parts.client_ip);
  if (parts.client_port != 0) to = proto::put_varint_field(to, proto::client::kPort, parts.client_port);
  return put_optional(to, proto::client::kTls, parts.client_tls);
}

void write_call(std::string& out, const CallParts& parts) {
  using namespace proto::call;
  const Message request{kRequest, parts.request_head, parts.request_lines, proto::request::kBody, parts.request_body};
  const Message response{kResponse, parts.response_head, {}, proto::response::kBody, parts.response_body};
  std::size_t size = proto::varint_field_size(kHook, static_cast<std::uint64_t>(parts.hook)) + request.size() +
                     response.size() + body_size(kSession, parts.session) +
                     wire_detail::optional_size(kContext, parts.context);
  if (parts.deadline != 0) size += proto::varint_field_size(kDeadline, parts.deadline);
  out.resize(size);
  char* to = proto::put_varint_field(out.data(), kHook, static_cast<std::uint64_t>(parts.hook));
  if (parts.deadline != 0) to = proto::put_varint_field(to, kDeadline, parts.deadline);
  to = response.put(request.put(to));
  if (parts.session) to = put_bytes_field(to, kSession, *parts.session);
  wire_detail::put_optional(to, kContext, parts.context);
}

void write_session(std::string& out, const SessionParts& parts) {
  using namespace proto::session;
  const Numbers numbers = numbers_of(parts);
  std::size_t size = wire_detail::optional_size(kId, parts.id) + wire_detail::optional_size(kAlias, parts.alias) +
                     wire_detail::optional_size(kOrg, parts.org) + body_size(kMetadata, parts.metadata);
  for (const std::string_view tag : parts.tags)
    size += bytes_field_size(kTags, tag.size());
  for (const auto* const number : numbers)
    if (*number) size += proto::double_field_size(kRate);
  out.resize(size);
  char* to = wire_detail::put_optional(out.data(), kId, parts.id);
  to = wire_detail::put_optional(to, kAlias, parts.alias);
  to = wire_detail::put_optional(to, kOrg, parts.org);
  for (const std::string_view tag : parts.tags)
    to = put_bytes_field(to, kTags, tag);
  if (parts.metadata) to = put_bytes_field(to, kMetadata, *parts.metadata);
  for (std::uint32_t i = 0; i < numbers.size(); ++i)
    if (*numbers[i]) to = proto::put_double_field(to, kRate + i, **numbers[i]);
}

}  // namespace lingate::runtimes
