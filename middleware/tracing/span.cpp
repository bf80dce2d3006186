#include "middleware/tracing/span.h"

#include <array>
#include <bit>

#include "base/utf8.h"
#include "proto/wire.h"

namespace lingate::middleware::tracing {
namespace {

namespace field {  // numbers of Span, KeyValue, AnyValue and Status
constexpr std::uint32_t kTraceId = 1, kSpanId = 2, kParentSpanId = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8;
constexpr std::uint32_t kAttributes = 9, kStatus = 15;
constexpr std::uint32_t kKey = 1, kValue = 2;
constexpr std::uint32_t kStringValue = 1, kIntValue = 3;
constexpr std::uint32_t kCode = 3;
constexpr std::uint32_t kSpans = 2;  // of ScopeSpans
}  // namespace field

constexpr std::uint64_t kError = 2;  // StatusCode

unsigned digit(char c) noexcept {
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

void append_id(std::string& out, std::uint32_t number, std::string_view hex) {
  std::array<char, 16> bytes{};
  for (std::size_t k = 0; k + 1 < hex.size() && k / 2 < bytes.size(); k += 2)
    bytes[k / 2] = static_cast<char>(digit(hex[k]) << 4U | digit(hex[k + 1]));
  proto::append_bytes(out, number, {bytes.data(), hex.size() / 2});
}

void append_number(std::string& out, std::uint32_t number, std::uint64_t value) {
  std::array<char, 20> room;
  out.append(room.data(), proto::put_varint_field(room.data(), number, value));
}

void append_fixed(std::string& out, std::uint32_t number, std::uint64_t value) {
  std::array<char, 16> room;
  out.append(room.data(), proto::put_double_field(room.data(), number, std::bit_cast<double>(value)));
}

}  // namespace

Span::Span(std::string& scratch, const SpanHead& head) : bytes_(scratch) {
  bytes_.clear();
  append_id(bytes_, field::kTraceId, head.trace);
  append_id(bytes_, field::kSpanId, head.span);
  if (!head.parent.empty()) append_id(bytes_, field::kParentSpanId, head.parent);
  proto::append_bytes(bytes_, field::kName, head.name);
  append_number(bytes_, field::kKind, static_cast<std::uint64_t>(head.kind));
  append_fixed(bytes_, field::kStart, head.begin);
  append_fixed(bytes_, field::kEnd, head.end);
}

void Span::attribute(std::string_view key, std::string_view value) {
  std::array<char, 24> head;
  char* const end = proto::put_header(
      head.data(), field::kAttributes,
      proto::bytes_field_size(field::kKey, key.size()) + proto::bytes_field_size(field::kValue, value.size()));
  bytes_.append(head.data(), end);
  proto::append_bytes(bytes_, field::kKey, key);
  proto::append_bytes(bytes_, field::kValue, value);
}

// Texts of protobuf are UTF-8: what is not, a whole request would be refused for.
void Span::text(std::string_view key, std::string_view value) {
  if (value.empty()) return;
  std::string mended;
  std::string_view kept = utf8::cut(value, kMostText);
  if (!utf8::is_valid(value)) {
    for (const char c : value.substr(0, kMostText))
      mended += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    kept = mended;
  }
  std::string any;
  proto::append_bytes(any, field::kStringValue, kept);
  attribute(key, any);
}

void Span::number(std::string_view key, std::uint64_t value) {
  std::string any;
  append_number(any, field::kIntValue, value);
  attribute(key, any);
}

void Span::failed(std::string_view type) {
  text("error.type", type);
  std::string status;
  append_number(status, field::kCode, kError);
  proto::append_bytes(bytes_, field::kStatus, status);
}

void Span::append_to(std::string& spans) const {
  proto::append_bytes(spans, field::kSpans, bytes_);
}

}  // namespace lingate::middleware::tracing
