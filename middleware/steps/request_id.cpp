// request-id: every request has an id, sent upstream and back to the client, in logs and in problem documents. A new
// UUIDv7 (RFC 9562), or what a trusted proxy sent. Beside it W3C Trace Context: a valid traceparent keeps its trace and
// gets a span of ours, anything else starts a new trace.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/codes.h"
#include "base/fields.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::size_t kMaxId = 128;
constexpr char kHex[] = "0123456789abcdef";

// An id goes into logs and problem documents: letters, digits and a few marks that need no escape anywhere.
bool is_usable_id(std::string_view id) noexcept {
  const auto usable = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:+/=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), usable);
}

char* put_hex(char* to, std::uint64_t value) noexcept {
  for (unsigned shift = 64; shift != 0;) {
    shift -= 4;
    *to++ = kHex[(value >> shift) & 0xfU];
  }
  return to;
}

// ---- traceparent: version "-" trace-id "-" parent-id "-" flags (W3C Trace Context, section 3.2) ----

constexpr std::size_t kTraceparentLength = 55;

bool is_lower_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
  return text.find_first_not_of('0') == std::string_view::npos;
}

struct Traceparent {
  std::string_view trace;
  bool sampled = false;
};

std::optional<Traceparent> parse_traceparent(std::string_view text) noexcept {
  if (text.size() < kTraceparentLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > kTraceparentLength && (version == "00" || text[kTraceparentLength] != '-')) return std::nullopt;
  if (!is_lower_hex(trace) || is_zero(trace) || !is_lower_hex(parent) || is_zero(parent)) return std::nullopt;
  if (!is_lower_hex(flags)) return std::nullopt;
  const char low = flags[1];
  const int digit = low <= '9' ? low - '0' : low - 'a' + 10;
  return Traceparent{trace, (digit & 1) != 0};
}

// The one traceparent of a request; two are as good as none.
std::optional<Traceparent> received_trace(const Headers& headers) noexcept {
  std::optional<std::string_view> only;
  for (const Field& field : headers.all()) {
    if (field.id != FieldId::traceparent || field.removed) continue;
    if (only) return std::nullopt;
    only = field.value;
  }
  return only ? parse_traceparent(*only) : std::nullopt;
}

void set_trace(Exchange& exchange) {
  IdSource& ids = exchange.host().ids();
  std::array<char, kTraceparentLength> text;
  char* to = std::copy_n("00-", 3, text.data());
  const std::optional<Traceparent> received = received_trace(exchange.request.headers);
  if (received) {
    to = std::copy(received->trace.begin(), received->trace.end(), to);
  } else {
    to = put_hex(put_hex(to, ids.random()), ids.random());
    exchange.request.headers.remove(FieldId::tracestate);
  }
  *to++ = '-';
  to = put_hex(to, ids.random());
  std::copy_n(!received || received->sampled ? "-01" : "-00", 3, to);
  exchange.request.headers.set("traceparent", std::string_view(text.data(), text.size()));
  const std::string_view kept = exchange.request.headers.find(FieldId::traceparent)->value;
  exchange.facts.trace_id = kept.substr(3, 32);
  exchange.facts.span_id = kept.substr(36, 16);
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
    set_trace(exchange);
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
