#include "middleware/script_encode.h"

#include <optional>
#include <span>

#include "proto/plugin.h"
#include "runtimes/wire_call.h"

namespace lingate::middleware {
namespace {

std::string_view texts_of(Exchange& exchange) {
  Exchange::Encoded& encoded = exchange.encoded_texts;
  if (!encoded.bytes.empty() && encoded.version == exchange.texts_version()) return encoded.bytes;
  const Request& request = exchange.request;
  encoded.bytes = runtimes::write_request_head(encoded.room,
                                               {.id = exchange.id(),
                                                .method = request.method,
                                                .scheme = request.scheme,
                                                .host = request.host,
                                                .path = request.path,
                                                .query = request.query,
                                                .version = text_of(request.version),
                                                .route = exchange.route(),
                                                .client_ip = request.client_ip,
                                                .client_port = request.client_port,
                                                .client_tls = request.client_tls},
                                               request.params, std::span<const Field>());
  encoded.version = exchange.texts_version();
  return encoded.bytes;
}

std::string_view lines_of(Exchange& exchange) {
  Exchange::Encoded& encoded = exchange.encoded_lines;
  const Headers& headers = exchange.request.headers;
  if (!encoded.bytes.empty() && encoded.version == headers.version()) return encoded.bytes;
  encoded.bytes = runtimes::write_lines(encoded.room, proto::request::kHeaders, headers.all());
  encoded.version = headers.version();
  return encoded.bytes;
}

// In `log` the status may be that of a client which left.
std::uint16_t status_of(const Exchange& exchange) {
  return exchange.facts.status != 0 ? exchange.facts.status : exchange.response.status;
}

// Present even when empty, so that reading it is no error; absent only while it streams past.
std::optional<std::string_view> body_of(const Body& body) {
  if (body.kind == Body::Kind::stream) return std::nullopt;
  return body.kind == Body::Kind::bytes ? body.bytes : std::string_view();
}

std::uint64_t deadline_of(Exchange& exchange, std::chrono::nanoseconds timeout) {
  if (timeout.count() <= 0) return 0;
  const auto passed = exchange.host().loop().now() - exchange.facts.started;
  const auto at = exchange.wall().time_since_epoch() + passed + timeout;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(at).count());
}

}  // namespace

CallShape shape_of(runtimes::Hook hook, std::int8_t arity) noexcept {
  const bool early = hook == runtimes::Hook::request;
  CallShape shape{.hook = hook};
  shape.response = !early && arity >= 1;
  shape.request = arity >= (early ? 1 : 2);
  shape.context = arity >= (early ? 2 : 3);
  return shape;
}

void encode_call(Exchange& exchange, const CallShape& shape, CallBuffers& buffers, std::string& out) {
  runtimes::CallParts parts{.hook = shape.hook, .deadline = deadline_of(exchange, shape.timeout)};
  if (shape.request) {
    parts.request_head = texts_of(exchange);
    parts.request_lines = lines_of(exchange);
    if (shape.request_body) parts.request_body = body_of(exchange.request.body);
    if (const Session* session = exchange.session()) parts.session = session->wire();
  }
  if (shape.response) {
    parts.response_head =
        runtimes::write_response_head(buffers.response_head, status_of(exchange), exchange.response.headers.all());
    if (shape.response_body) parts.response_body = body_of(exchange.response.body);
  }
  if (shape.context) parts.context = exchange.context();
  runtimes::write_call(out, parts);
}

std::string_view ExchangeCall::request_texts() {
  return shape_->request ? texts_of(*exchange_) : std::string_view();
}

std::string_view ExchangeCall::request_lines() {
  return shape_->request ? lines_of(*exchange_) : std::string_view();
}

std::uint32_t ExchangeCall::status() {
  return shape_->response ? status_of(*exchange_) : 0;
}

std::string_view ExchangeCall::response_lines() {
  if (!shape_->response) return {};
  return runtimes::write_lines(buffers_->response_head, proto::response::kHeaders, exchange_->response.headers.all());
}

// Lines that were removed count, too.
runtimes::CallSource::Size ExchangeCall::most_of(Side side) {
  const Headers& headers = side == Side::request ? exchange_->request.headers : exchange_->response.headers;
  return {.lines = headers.all().size(), .bytes = headers.most_bytes()};
}

std::optional<std::string_view> ExchangeCall::header(Side side, std::string_view name) {
  const bool of_request = side == Side::request;
  if (!(of_request ? shape_->request : shape_->response)) return std::string_view();
  const Field* const field = (of_request ? exchange_->request.headers : exchange_->response.headers).find(name);
  if (!field) return std::string_view();
  return runtimes::write_line(buffers_->lines[static_cast<std::size_t>(side)], field->name, field->value);
}

std::string_view ExchangeCall::body(Side side) {
  const bool given =
      side == Side::request ? shape_->request && shape_->request_body : shape_->response && shape_->response_body;
  if (!given) return {};
  return body_of(side == Side::request ? exchange_->request.body : exchange_->response.body)
      .value_or(std::string_view());
}

std::optional<std::string_view> ExchangeCall::session() {
  const Session* const session = shape_->request ? exchange_->session() : nullptr;
  return session ? std::optional(session->wire()) : std::nullopt;
}

std::string_view ExchangeCall::context() {
  return shape_->context ? exchange_->context() : std::string_view();
}

}  // namespace lingate::middleware
