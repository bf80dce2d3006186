#include "middleware/tracing/trace_context.h"

#include <algorithm>
#include <array>

namespace lingate::middleware::tracing {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::size_t kTraceLength = 32;
constexpr std::size_t kSpanLength = 16;

char* put_hex(char* to, std::uint64_t value) noexcept {
  for (unsigned shift = 64; shift != 0;) {
    shift -= 4;
    *to++ = kHex[(value >> shift) & 0xfU];
  }
  return to;
}

bool is_lower_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
  return text.find_first_not_of('0') == std::string_view::npos;
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

// Not by the trace's id: that is the stranger's to choose.
bool is_chosen(const Sampling& sampling, IdSource& ids) noexcept {
  return sampling.per_million != 0 && ids.random() % 1'000'000 < sampling.per_million;
}

bool decide(const Exchange& exchange, const std::optional<Traceparent>& received, const Sampling* sampling) noexcept {
  if (!sampling) return !received || received->sampled;
  if (received && exchange.request.peer_trusted) return received->sampled;
  return is_chosen(*sampling, exchange.host().ids());
}

}  // namespace

// version "-" trace-id "-" parent-id "-" flags (section 3.2).
std::optional<Traceparent> parse_traceparent(std::string_view text) noexcept {
  if (text.size() < kTraceparentLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, kTraceLength);
  const std::string_view parent = text.substr(36, kSpanLength);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > kTraceparentLength && (version == "00" || text[kTraceparentLength] != '-')) return std::nullopt;
  if (!is_lower_hex(trace) || is_zero(trace) || !is_lower_hex(parent) || is_zero(parent)) return std::nullopt;
  if (!is_lower_hex(flags)) return std::nullopt;
  const char low = flags[1];
  const int digit = low <= '9' ? low - '0' : low - 'a' + 10;
  return Traceparent{trace, parent, (digit & 1) != 0};
}

Begun begin_trace(Exchange& exchange, const Sampling* sampling) {
  IdSource& ids = exchange.host().ids();
  const std::optional<Traceparent> received = received_trace(exchange.request.headers);
  const Begun begun{.sampled = decide(exchange, received, sampling),
                    .parent = received && sampling ? exchange.arena.copy(received->parent) : std::string_view()};
  std::array<char, kTraceparentLength> text;
  char* to = std::copy_n("00-", 3, text.data());
  if (received) {
    to = std::copy(received->trace.begin(), received->trace.end(), to);
  } else {
    to = put_hex(put_hex(to, ids.random()), ids.random());
    exchange.request.headers.remove(FieldId::tracestate);
  }
  *to++ = '-';
  to = put_hex(to, ids.random());
  std::copy_n(begun.sampled ? "-01" : "-00", 3, to);
  exchange.request.headers.set("traceparent", std::string_view(text.data(), text.size()));
  const std::string_view kept = exchange.request.headers.find(FieldId::traceparent)->value;
  exchange.facts.trace_id = kept.substr(3, kTraceLength);
  exchange.facts.span_id = kept.substr(36, kSpanLength);
  return begun;
}

void set_span(Exchange& exchange, std::string_view span, bool sampled) {
  std::array<char, kTraceparentLength> text;
  char* to = std::copy_n("00-", 3, text.data());
  to = std::copy(exchange.facts.trace_id.begin(), exchange.facts.trace_id.end(), to);
  *to++ = '-';
  to = std::copy(span.begin(), span.end(), to);
  std::copy_n(sampled ? "-01" : "-00", 3, to);
  exchange.request.headers.set("traceparent", std::string_view(text.data(), text.size()));
}

std::string_view new_span(Exchange& exchange) {
  char* const room = exchange.arena.allocate(kSpanLength);
  put_hex(room, exchange.host().ids().random());
  return {room, kSpanLength};
}

}  // namespace lingate::middleware::tracing
