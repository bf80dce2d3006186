// Response heads: what scan_response() accepts from an upstream, and what write_response() makes of it for a client.
#include <array>
#include <string>

#include "base/arena.h"
#include "base/codes.h"
#include "gateway/http/serialise.h"
#include "tests/fuzz/heads.h"

namespace lingate::fuzz {
namespace {

using http::ForMethod;
using http::Framing;
using http::Limits;
using http::OutFraming;
using http::ResponseHead;
using http::Scan;

struct Scanned {
  Outcome scan(std::string_view data, const Limits& limits, ForMethod method) {
    const Scan outcome = http::scan_response(data, limits, method, head, response.headers, refusal);
    return {outcome, head.size};
  }

  Arena arena;
  middleware::Response response{arena};
  ResponseHead head;
  http::Refusal refusal;
};

std::string_view check_status_line(std::string_view data, const ResponseHead& head) {
  require(head.status >= 100 && head.status <= 599, "a status has its range");
  require(data.starts_with("HTTP/1.") && data[8] == ' ' && data.substr(9, 3) == std::to_string(head.status),
          "the status is that of the start line");
  require((data[7] == '0') == (head.minor_version == 0), "the version is that of the start line");
  require(fields::is_value(head.reason), "a reason holds no control byte");
  const std::string_view rest = data.substr(12);
  const std::string_view line = rest.substr(0, rest.find("\r\n"));
  require(line.empty() ? head.reason.empty() : line == " " + std::string(head.reason), "the reason ends the line");
  return rest.substr(line.size() + 2);
}

bool has_no_content(const ResponseHead& head, ForMethod method) noexcept {
  return method == ForMethod::head || head.status < 200 || head.status == 204 || head.status == 304;
}

// RFC 9112 section 6.3, in its order.
void check_framing(const Scanned& scanned, ForMethod method) {
  const middleware::Headers& headers = scanned.response.headers;
  const Framing& framing = scanned.head.framing;
  check_framing_fields(headers, scanned.head.minor_version);
  const bool coded = count(headers.all(), "transfer-encoding") > 0;
  const bool long_enough = count(headers.all(), "content-length") > 0;
  const std::uint64_t length = number_of(headers.value("content-length"));
  require(scanned.head.length_given == long_enough, "a length is noted");
  if (has_no_content(scanned.head, method)) return require(framing.kind == Framing::Kind::none, "no content");
  if (coded) return require(framing.kind == Framing::Kind::chunked, "a coded content is chunked");
  if (!long_enough) return require(framing.kind == Framing::Kind::until_close, "content ends with the connection");
  require(framing.kind == (length > 0 ? Framing::Kind::length : Framing::Kind::none), "content has the given length");
  require(framing.length == length, "the length is the field's");
}

OutFraming out_framing(const ResponseHead& head, ForMethod method) {
  if (head.framing.kind == Framing::Kind::chunked) return {OutFraming::Kind::chunked, 0};
  if (head.framing.kind == Framing::Kind::length) return {OutFraming::Kind::length, head.framing.length};
  if (head.framing.kind == Framing::Kind::until_close) return {OutFraming::Kind::until_close, 0};
  if (!has_no_content(head, method)) return {OutFraming::Kind::length, 0};
  return {OutFraming::Kind::as_received, 0};
}

// What goes to a client is one head that this scan accepts, of the same response.
void check_outgoing(Scanned& scanned, ForMethod method) {
  static std::array<char, 256 * 1024> scratch;
  const ResponseHead& head = scanned.head;
  scanned.response.source = middleware::Response::Source::upstream;
  scanned.response.status = head.status;
  http::ResponseOut out;
  out.framing = out_framing(head, method);
  out.reason = head.reason;
  out.date = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
  out.via = http::kViaLine;
  const Exact sent(http::write_response(scanned.response, head.connection, out, scratch));
  Scanned again;
  const Outcome outcome = again.scan(sent.view(), wide_limits(), method);
  require(outcome.scan == Scan::done && outcome.size == sent.view().size(), "what is sent is one acceptable head");
  require(again.head.status == head.status, "the status is the same");
  require(same_framing(again.head.framing, head.framing), "the framing is the same");
  check_sent_fields(scanned.response.headers, again.response.headers);
}

void check_edges_of(std::string_view head, const Measures& measures, ForMethod method) {
  Limits limits;
  limits.head = head.size();
  limits.target = 0;
  limits.field_line = measures.longest;
  limits.fields = measures.lines;
  Scanned again;
  check_edges(limits, [&](const Limits& under) { return again.scan(head, under, method).scan; });
}

void check_limits(const Scanned& scanned, const Limits& limits) {
  require(scanned.head.size <= limits.head, "the head is in its limit");
  require(scanned.response.headers.size() <= limits.fields, "there are no more fields than the limit");
  for (const middleware::Field& field : scanned.response.headers.all())
    require(field.line.size() <= limits.field_line, "a field line is in its limit");
}

void check(std::string_view data, const Limits& limits, ForMethod method) {
  const Exact exact(data);
  Scanned scanned;
  const Outcome whole = scanned.scan(exact.view(), limits, method);
  if (whole.scan == Scan::refused) require(scanned.refusal.code == code::kBadResponse, "a refusal blames the upstream");
  if (whole.scan == Scan::more) require(data.size() <= limits.head, "a head that goes on is in its limit");
  if (whole.scan == Scan::done) {
    const std::string_view head = exact.view().substr(0, whole.size);
    const Measures measures = check_lines(check_status_line(head, scanned.head), scanned.response.headers.all());
    check_edges_of(head, measures, method);
    check_framing(scanned, method);
    check_limits(scanned, limits);
    check_outgoing(scanned, method);
  }
  Scanned piecewise;
  check_prefixes(data, whole, [&](std::string_view piece) { return piecewise.scan(piece, limits, method); });
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using lingate::http::ForMethod;
  static const lingate::http::Limits narrow = lingate::fuzz::narrow_limits();
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), {}, ForMethod::other);
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), narrow, ForMethod::head);
  return 0;
}
