// request-id: every request has an id, sent upstream and back to the client, in logs and in problem documents. A new
// UUIDv7 (RFC 9562), or what a trusted proxy sent. Beside it W3C Trace Context: a valid traceparent keeps its trace and
// gets a span of ours, anything else starts a new trace.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/codes.h"
#include "base/fields.h"
#include "middleware/steps/steps.h"
#include "middleware/tracing/trace_context.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::size_t kMaxId = 128;

// An id goes into logs and problem documents: letters, digits and a few marks that need no escape anywhere.
bool is_usable_id(std::string_view id) noexcept {
  const auto usable = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:+/=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), usable);
}

class RequestId final : public Middleware {
 public:
  explicit RequestId(std::string_view header) : header_(header) {}

  std::string_view kind() const noexcept override { return "request-id"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }

  Flow on_request(Exchange& exchange, StepRecord&) const override {
    Request& request = exchange.request;
    if (request.peer_trusted) {
      const std::string_view received = request.headers.value(header_);
      if (is_usable_id(received)) exchange.set_id(received);
    }
    request.headers.set(header_, exchange.id());
    if (exchange.facts.trace_id.empty()) tracing::begin_trace(exchange, nullptr);  // else it is traced here
    return Flow::next;
  }

  Flow on_response(Exchange& exchange, StepRecord&) const override {
    exchange.response.headers.set(header_, exchange.id());
    return Flow::next;
  }

 private:
  const std::string header_;
};

}  // namespace

MadeStep make_request_id(const Settings& settings, const StepSurroundings&) {
  const std::string_view header = settings.text("header", "X-Request-Id");
  if (!fields::is_token(header) || fields::is_connection_field(header))
    return fail(code::kBadHeader, "step 'request-id': '" + std::string(header) +
                                      "' is no header name that the gateway may set; give another one");
  return std::make_unique<RequestId>(header);
}

}  // namespace lingate::middleware::steps
