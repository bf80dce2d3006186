// Field scan: the lines between a start line and the empty line, shared by request heads, response heads and trailers.
// Checks each byte once and notes what the gateway acts on: framing, Host, Connection, Expect, Upgrade.
//
// Pure functions; any thread. Internal to head_scan.cpp and chunked.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/head_scan.h"
#include "middleware/headers.h"

namespace lingate::http {

struct FieldFacts {
  std::string_view host;
  std::string_view transfer_encoding;
  std::string_view upgrade;
  std::uint64_t length = 0;
  std::uint32_t hosts = 0;
  std::uint32_t lengths = 0;
  std::uint32_t encodings = 0;
  std::uint32_t upgrades = 0;
  std::uint32_t connection_options = 0;  // see kMostConnectionOptions
  bool expects_continue = false;
  bool expects_unknown = false;
  ConnectionTokens connection;
};

// One past the last byte of `text` from `at` on that may stand in a field value: the first control byte but HTAB, or
// text's end.
const char* skip_value(const char* at, const char* end) noexcept;

// Scans field lines from `at` to the empty line. `done`: `at` is one past it.
Scan scan_fields(const char*& at, const char* end, const Limits& limits, FieldFacts& facts,
                 middleware::Headers& headers, Refusal& refusal);

// 1*DIGIT that fits; nothing else.
bool parse_length(std::string_view text, std::uint64_t& length) noexcept;

}  // namespace lingate::http
