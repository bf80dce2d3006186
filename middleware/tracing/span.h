// Span: writes one span as OpenTelemetry's protobuf has it (opentelemetry/proto/trace/v1/trace.proto), behind those
// that are there already: what comes out is a run of ScopeSpans' field `spans`, which the exporter puts into a request
// as it is.
//
// Thread: its worker's. Lifetime: for one span; the texts are borrowed for each call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lingate::middleware::tracing {

// Nanoseconds since 1970.
using UnixNanos = std::uint64_t;

struct SpanHead {
  enum class Kind : std::uint8_t { internal = 1, server = 2, client = 3 };  // as there

  std::string_view trace;  // hexadecimal
  std::string_view span;
  std::string_view parent{};  // empty: none
  std::string_view name;
  Kind kind = Kind::internal;
  UnixNanos begin = 0;
  UnixNanos end = 0;
};

class Span {
 public:
  static constexpr std::size_t kMostText = 1024;  // bytes of a value; the rest is left out

  // `scratch` keeps its capacity from span to span.
  Span(std::string& scratch, const SpanHead& head);

  // Attributes; an empty text is none.
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint64_t value);
  // Its status is "error", by what `error.type` says.
  void failed(std::string_view type);

  void append_to(std::string& spans) const;

 private:
  void attribute(std::string_view key, std::string_view value);

  std::string& bytes_;
};

}  // namespace lingate::middleware::tracing
