// Properties that hold for request heads and response heads alike: whatever the scan accepts can be read in one way
// only, it does not depend on how the bytes arrived, and the limits hold.
//
// Pure functions on one input; any thread.
#pragma once

#include <string_view>

#include "base/fields.h"
#include "gateway/http/head_scan.h"
#include "middleware/headers.h"
#include "tests/fuzz/target.h"

namespace lingate::fuzz {

// Small enough that inputs of a few hundred bytes reach them.
inline http::Limits narrow_limits() {
  http::Limits limits;
  limits.head = 320;
  limits.target = 48;
  limits.field_line = 64;
  limits.fields = 6;
  return limits;
}

// What the gateway's own lines cannot take past.
inline http::Limits wide_limits() {
  http::Limits limits;
  limits.head = limits.target = limits.field_line = 1024 * 1024;
  limits.fields = 10'000;
  return limits;
}

struct Outcome {
  http::Scan scan = http::Scan::more;
  std::size_t size = 0;
};

// `scan` is asked for growing pieces of `data`, as a connection asks it. The first answer that is not `more` is the
// whole's answer, and the search for the end of a head never hides one.
template <class ScanBytes>
void check_prefixes(std::string_view data, const Outcome& whole, ScanBytes scan) {
  constexpr std::size_t kMostPieces = 400;
  const std::size_t step = 1 + data.size() / kMostPieces;
  std::size_t searched = 0;
  bool may_be_complete = false;
  for (std::size_t size = 0; size < data.size(); size += step) {
    const Exact piece(data.substr(0, size));
    may_be_complete = http::may_be_complete(piece.view(), searched) || may_be_complete;
    const Outcome part = scan(piece.view());
    const bool is_there = whole.scan == http::Scan::done && size >= whole.size;
    if (part.scan == http::Scan::more && !is_there) continue;
    require(part.scan == whole.scan, "a piece of the input is taken as the whole is");
    require(part.scan != http::Scan::done || part.size == whole.size, "a head ends at the same byte in every piece");
    require(part.scan != http::Scan::done || may_be_complete, "may_be_complete() sees the end of every head");
    return;
  }
}

inline std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

inline bool is_dropped(std::string_view name) noexcept {
  return name.find('_') != std::string_view::npos && middleware::field_id(name) == middleware::FieldId::other;
}

// What an accepted head measures against its limits.
struct Measures {
  std::size_t lines = 0;    // those that the scan drops included
  std::size_t longest = 0;  // with its CRLF
};

// `lines` is what stands behind the start line, the empty line included: each line is one of `fields`, in order and
// byte by byte, or has a name that the scan drops.
inline Measures check_lines(std::string_view lines, std::span<const middleware::Field> fields) {
  Measures measures;
  auto field = fields.begin();
  for (;;) {
    const std::size_t end = lines.find("\r\n");
    require(end != std::string_view::npos, "an accepted head ends with an empty line");
    const std::string_view line = lines.substr(0, end);
    const std::string_view received = lines.substr(0, end + 2);
    lines.remove_prefix(end + 2);
    if (line.empty()) break;
    ++measures.lines;
    measures.longest = std::max(measures.longest, received.size());
    const std::size_t colon = line.find(':');
    require(colon != std::string_view::npos && fields::is_token(line.substr(0, colon)), "a field name is a token");
    require(fields::is_value(line.substr(colon + 1)), "a field value holds no control byte");
    if (is_dropped(line.substr(0, colon))) continue;
    require(field != fields.end() && field->line == received, "a field's line is the received one");
    require(field->name == line.substr(0, colon) && field->value == trimmed(line.substr(colon + 1)),
            "a field is what its line says");
    ++field;
  }
  require(field == fields.end() && lines.empty(), "there are as many fields as lines");
  return measures;
}

// A head is accepted under limits that it just meets, and refused where one of them is a byte or a line less.
// `scan` takes limits.
template <class ScanUnder>
void check_edges(http::Limits limits, ScanUnder scan) {
  using http::Scan;
  require(scan(limits) == Scan::done, "a head that just meets its limits is accepted");
  for (std::size_t http::Limits::*const limit :
       {&http::Limits::head, &http::Limits::target, &http::Limits::field_line, &http::Limits::fields}) {
    if (limits.*limit == 0) continue;
    --(limits.*limit);
    require(scan(limits) == Scan::refused, "a head that is over one of its limits is refused");
    ++(limits.*limit);
  }
}

inline std::size_t count(std::span<const middleware::Field> fields, std::string_view name) noexcept {
  return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [name](const middleware::Field& field) {
    return fields::same_name(field.name, name);
  }));
}

// No accepted head says twice, or in two ways, how long its content is.
inline void check_framing_fields(const middleware::Headers& headers, std::uint8_t minor_version) {
  const std::string_view length = headers.value("content-length");
  const std::size_t lengths = count(headers.all(), "content-length");
  const std::size_t codings = count(headers.all(), "transfer-encoding");
  require(lengths + codings <= 1, "at most one framing field");
  require(length.find_first_not_of("0123456789") == std::string_view::npos, "a length is digits");
  require(lengths == 0 || !length.empty(), "a length is not empty");
  require(codings == 0 || (fields::same_name(headers.value("transfer-encoding"), "chunked") && minor_version > 0),
          "the only coding is chunked, in HTTP/1.1");
}

inline std::uint64_t number_of(std::string_view digits) noexcept {
  std::uint64_t number = 0;
  for (const char c : digits)
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

inline bool same_framing(const http::Framing& a, const http::Framing& b) noexcept {
  return a.kind == b.kind && (a.kind != http::Framing::Kind::length || a.length == b.length);
}

// Fields that end at the gateway are not in what it sends; every other one that it received is, unchanged.
inline void check_sent_fields(const middleware::Headers& received, const middleware::Headers& sent) {
  for (const middleware::Field& field : sent.all()) {
    const auto same = [&field](const middleware::Field& each) {
      return each.name == field.name && each.value == field.value;
    };
    const bool known = std::any_of(received.all().begin(), received.all().end(), same);
    const bool ours = field.id != middleware::FieldId::other || field.name == "Date";
    require(known || ours, "a field that is sent was received, or is the gateway's");
  }
}

}  // namespace lingate::fuzz
