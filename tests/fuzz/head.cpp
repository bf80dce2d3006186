// Request heads: what scan_request() accepts, and what write_request() makes of it for an upstream.
#include <array>
#include <string>

#include "base/arena.h"
#include "base/authority.h"
#include "base/codes.h"
#include "gateway/http/serialise.h"
#include "tests/fuzz/heads.h"

namespace lingate::fuzz {
namespace {

using http::Framing;
using http::Limits;
using http::OutFraming;
using http::RequestHead;
using http::Scan;

struct Scanned {
  Outcome scan(std::string_view data, const Limits& limits) {
    const Scan outcome = http::scan_request(data, limits, head, request.headers, refusal);
    return {outcome, head.size};
  }

  Arena arena;
  middleware::Request request{arena};
  RequestHead head;
  http::Refusal refusal;
};

void check_refusal(const http::Refusal& refusal) {
  require(find_code(refusal.code) != nullptr && !refusal.detail.empty(), "a refusal has a code and a reason");
}

std::size_t skip_empty_lines(std::string_view data) noexcept {
  std::size_t at = 0;
  while (data.substr(at).starts_with("\r\n"))
    at += 2;
  return at;
}

// The start line, written again from its parts, is the one that was received.
std::string_view check_request_line(std::string_view data, const RequestHead& head) {
  const std::string line = std::string(head.method) + " " + std::string(head.target) + " HTTP/1.";
  const std::string_view rest = data.substr(skip_empty_lines(data));
  require(rest.starts_with(line), "method and target are those of the start line");
  require(fields::is_token(head.method), "a method is a token");
  for (const char c : head.target)
    require(c > 0x20 && c < 0x7f, "a target is visible ASCII");
  const std::string_view end = rest.substr(line.size(), 3);
  require(end.size() == 3 && (end[0] == '0') == (head.minor_version == 0) && end.substr(1) == "\r\n",
          "the version ends the start line");
  return rest.substr(line.size() + 3);
}

void check_target(const RequestHead& head) {
  require(head.path == "*" || head.path.starts_with('/'), "a path begins with '/' or is '*'");
  require(head.path.find('?') == std::string_view::npos, "the first '?' ends the path");
  const std::string whole = std::string(head.path) + (head.has_query ? "?" : "") + std::string(head.query);
  require(head.absolute_form ? whole.ends_with(head.query) : head.target == whole, "path and query are the target's");
  require(head.minor_version == 0 || is_authority(head.authority), "HTTP/1.1 has an authority");
  require(head.authority.find_first_of("@/?# ") == std::string_view::npos, "an authority is host and port only");
}

void check_framing(const Scanned& scanned) {
  const middleware::Headers& headers = scanned.request.headers;
  const Framing& framing = scanned.head.framing;
  check_framing_fields(headers, scanned.head.minor_version);
  const std::string_view length = headers.value("content-length");
  require((framing.kind == Framing::Kind::chunked) == (count(headers.all(), "transfer-encoding") == 1),
          "chunked where the field says so");
  require(framing.kind != Framing::Kind::until_close, "no request ends with the connection");
  if (framing.kind == Framing::Kind::length) require(framing.length == number_of(length), "the length is the field's");
  if (framing.kind == Framing::Kind::none) require(number_of(length) == 0, "no content where no length is given");
  require(count(headers.all(), "host") <= 1, "at most one Host");
}

OutFraming out_framing(const Framing& framing) {
  if (framing.kind == Framing::Kind::chunked) return {OutFraming::Kind::chunked, 0};
  if (framing.kind == Framing::Kind::length) return {OutFraming::Kind::length, framing.length};
  return {};
}

// What goes to an upstream is one head that this scan accepts, of the same request.
void check_outgoing(Scanned& scanned) {
  static std::array<char, 256 * 1024> scratch;
  const RequestHead& head = scanned.head;
  scanned.request.method = head.method;
  scanned.request.target = head.target;
  http::RequestOut out;
  out.spare_host = "spare.test";
  out.framing = out_framing(head.framing);
  const Exact sent(http::write_request(scanned.request, head.connection, out, scratch));
  Scanned again;
  const Outcome outcome = again.scan(sent.view(), wide_limits());
  require(outcome.scan == Scan::done && outcome.size == sent.view().size(), "what is sent is one acceptable head");
  require(again.head.method == head.method && again.head.target == head.target, "the request line is the same");
  require(same_framing(again.head.framing, head.framing), "the framing is the same");
  require(!again.head.connection.close && count(again.request.headers.all(), "connection") == 0,
          "hop-by-hop fields stay behind");
  check_sent_fields(scanned.request.headers, again.request.headers);
}

void check_edges_of(std::string_view head, const Scanned& scanned, const Measures& measures) {
  Limits limits;
  limits.head = head.size();
  limits.target = scanned.head.target.size();
  limits.field_line = measures.longest;
  limits.fields = measures.lines;
  Scanned again;
  check_edges(limits, [&](const Limits& under) { return again.scan(head, under).scan; });
}

void check_limits(const Scanned& scanned, const Limits& limits) {
  require(scanned.head.size <= limits.head && scanned.head.target.size() <= limits.target, "the head is in its limits");
  require(scanned.request.headers.size() <= limits.fields, "there are no more fields than the limit");
  for (const middleware::Field& field : scanned.request.headers.all())
    require(field.line.size() <= limits.field_line, "a field line is in its limit");
}

void check(std::string_view data, const Limits& limits) {
  const Exact exact(data);
  Scanned scanned;
  const Outcome whole = scanned.scan(exact.view(), limits);
  if (whole.scan == Scan::refused) check_refusal(scanned.refusal);
  if (whole.scan == Scan::more) require(data.size() <= limits.head, "a head that goes on is in its limit");
  if (whole.scan == Scan::done) {
    const std::string_view head = exact.view().substr(0, whole.size);
    const Measures measures = check_lines(check_request_line(head, scanned.head), scanned.request.headers.all());
    check_edges_of(head, scanned, measures);
    check_target(scanned.head);
    check_framing(scanned);
    check_limits(scanned, limits);
    check_outgoing(scanned);
  }
  Scanned piecewise;
  check_prefixes(data, whole, [&](std::string_view piece) { return piecewise.scan(piece, limits); });
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const lingate::http::Limits narrow = lingate::fuzz::narrow_limits();
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), {});
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), narrow);
  return 0;
}
