#include "gateway/http/serialise.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/fields.h"

namespace lingate::http {
namespace {

using middleware::Field;
using middleware::FieldId;
using middleware::Headers;

// Appends to a fixed space; once something did not fit, the whole is void.
class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> space) noexcept
      : start_(space.data()), at_(start_), end_(start_ + space.size()) {}

  void add(std::string_view text) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) return void(fits_ = false);
    if (text.empty()) return;  // it may point nowhere
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void add(std::uint64_t number) noexcept {
    char digits[20];
    add({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)});
  }
  void line(const Field& field) noexcept {
    if (!field.line.empty()) return add(field.line);
    if (!fields::is_token(field.name) || !fields::is_value(field.value)) return;
    add(field.name);
    add(": ");
    add(field.value);
    add("\r\n");
  }
  void line(std::string_view name, std::string_view value) noexcept {
    add(name);
    add(value);
    add("\r\n");
  }
  void framing(const OutFraming& framing) noexcept {
    if (framing.kind == OutFraming::Kind::chunked) return add("Transfer-Encoding: chunked\r\n");
    if (framing.kind != OutFraming::Kind::length) return;
    add("Content-Length: ");
    add(framing.length);
    add("\r\n");
  }
  std::string_view text() const noexcept {
    return fits_ ? std::string_view(start_, static_cast<std::size_t>(at_ - start_)) : std::string_view();
  }

 private:
  char* start_;
  char* at_;
  char* end_;
  bool fits_ = true;
};

// The fields that Connection names: they stay behind. Made only where it names any.
class ConnectionNames {
 public:
  explicit ConnectionNames(const Headers& headers) noexcept {
    for (const Field& field : headers.all())
      if (field.id == FieldId::connection) add(field.value);
  }

  bool any(std::string_view name) const noexcept {
    for (std::size_t k = 0; k < count_; ++k)
      if (fields::same_name(names_[k], name)) return true;
    return false;
  }

 private:
  void add(std::string_view list) noexcept {
    while (!list.empty() && count_ < kMostConnectionOptions) {
      const std::size_t comma = list.find(',');
      names_[count_++] = fields::without_ows(list.substr(0, comma));
      list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
  }

  std::string_view names_[kMostConnectionOptions];  // the scan lets no more pass
  std::size_t count_ = 0;
};

// What the gateway itself puts into a head survives whatever Connection says (RFC 9110 section 7.6.1 lets a sender name
// only its own fields): edits were not received, and these are the gateway's.
bool is_ours(const Field& field) noexcept {
  switch (field.id) {
    case FieldId::host:
    case FieldId::via:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
    case FieldId::x_request_id:
    case FieldId::traceparent: return true;
    default: return !field.received();
  }
}

bool is_hop_by_hop(FieldId id) noexcept {
  switch (id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::content_length: return true;
    default: return false;
  }
}

using Named = std::optional<ConnectionNames>;

Named named_by_connection(const Headers& headers, const ConnectionTokens& tokens) noexcept {
  return tokens.names ? Named(std::in_place, headers) : std::nullopt;
}

bool stays_behind(const Field& field, const Named& named) noexcept {
  if (field.removed || is_hop_by_hop(field.id)) return true;
  return named && !is_ours(field) && named->any(field.name);
}

void write_target(HeadWriter& writer, const middleware::Request& request, std::string_view strip) noexcept {
  if (!request.target_edited && strip.empty()) return writer.add(request.target);
  std::string_view path = request.path;
  if (!strip.empty() && path.starts_with(strip) && (path.size() == strip.size() || path[strip.size()] == '/'))
    path.remove_prefix(strip.size());
  writer.add(path.empty() ? std::string_view("/") : path);
  if (!request.has_query && request.query.empty()) return;
  writer.add("?");
  writer.add(request.query);
}

void write_status_line(HeadWriter& writer, std::uint16_t status, std::string_view reason) noexcept {
  writer.add("HTTP/1.1 ");
  writer.add(std::uint64_t{status});
  writer.add(" ");
  writer.add(reason.empty() ? reason_of(status) : reason);
  writer.add("\r\n");
}

void write_persist(HeadWriter& writer, Persist persist) noexcept {
  switch (persist) {
    case Persist::implied: break;
    case Persist::keep_alive: writer.add("Connection: keep-alive\r\n"); break;
    case Persist::close: writer.add("Connection: close\r\n"); break;
    case Persist::websocket: writer.add("Connection: Upgrade\r\nUpgrade: websocket\r\n"); break;
  }
}

bool is_date(const Field& field) noexcept {
  return field.name.size() == 4 && fields::same_name(field.name, "date");
}

}  // namespace

std::string_view write_request(const middleware::Request& request, const ConnectionTokens& tokens,
                               const RequestOut& out, std::span<char> scratch) noexcept {
  HeadWriter writer(scratch);
  writer.add(request.method);
  writer.add(" ");
  write_target(writer, request, out.strip);
  writer.add(" HTTP/1.1\r\n");
  const Named named = named_by_connection(request.headers, tokens);
  bool has_host = false;
  for (const Field& field : request.headers.all()) {
    if (stays_behind(field, named)) continue;
    if (field.id == FieldId::host) {
      if (has_host) continue;
      has_host = true;
      if (!out.host.empty()) {
        writer.line("Host: ", out.host);
        continue;
      }
    }
    if (field.id == FieldId::expect || (out.identity && field.id == FieldId::accept_encoding)) continue;
    writer.line(field);
  }
  if (!has_host) writer.line("Host: ", out.host.empty() ? out.spare_host : out.host);
  if (out.identity) writer.add("Accept-Encoding: identity\r\n");
  if (out.websocket) writer.add("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  writer.framing(out.framing);
  writer.add("\r\n");
  return writer.text();
}

std::string_view write_response(const middleware::Response& response, const ConnectionTokens& tokens,
                                const ResponseOut& out, std::span<char> scratch) noexcept {
  HeadWriter writer(scratch);
  write_status_line(writer, response.status, out.reason);
  const Named named = named_by_connection(response.headers, tokens);
  bool dated = false;
  for (const Field& field : response.headers.all()) {
    if (field.id == FieldId::content_length && out.framing.kind == OutFraming::Kind::as_received && !field.removed) {
      writer.line(field);
      continue;
    }
    if (stays_behind(field, named)) continue;
    dated = dated || is_date(field);
    writer.line(field);
  }
  if (!dated) writer.add(out.date);
  if (response.source == middleware::Response::Source::upstream) writer.add(out.via);
  write_persist(writer, out.persist);
  writer.framing(out.framing);
  writer.add("\r\n");
  return writer.text();
}

}  // namespace lingate::http
