#include "middleware/script_encode.h"

#include <optional>

#include "runtimes/wire_call.h"

namespace lingate::middleware {
namespace {

std::string_view request_head(Exchange& exchange) {
  if (!exchange.encoded_request.empty() && exchange.encoded_version == exchange.request_version())
    return exchange.encoded_request;
  const Request& request = exchange.request;
  exchange.encoded_request = runtimes::write_request_head(exchange.encoded_room,
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
                                                          request.params, request.headers.all());
  exchange.encoded_version = exchange.request_version();
  return exchange.encoded_request;
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
    parts.request_head = request_head(exchange);
    if (shape.request_body) parts.request_body = body_of(exchange.request.body);
    if (const Session* session = exchange.session()) parts.session = session->wire();
  }
  if (shape.response) {
    // In `log` the status may be that of a client which left.
    const std::uint16_t status = exchange.facts.status != 0 ? exchange.facts.status : exchange.response.status;
    parts.response_head = runtimes::write_response_head(buffers.response_head, status, exchange.response.headers.all());
    if (shape.response_body) parts.response_body = body_of(exchange.response.body);
  }
  if (shape.context) parts.context = exchange.context();
  runtimes::write_call(out, parts);
}

}  // namespace lingate::middleware
