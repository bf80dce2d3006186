#include "gateway/http/head_scan.h"

#include <cstring>

#include "base/authority.h"
#include "base/codes.h"
#include "base/fields.h"
#include "gateway/http/field_scan.h"

namespace lingate::http {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxEmptyLines = 4;  // before a request line (RFC 9112 section 2.2)

Scan refuse(Refusal& refusal, int code, std::string_view detail) noexcept {
  refusal = {code, detail};
  return Scan::refused;
}

// Visible ASCII without '#': what may stand in a request target.
bool is_target_char(char c) noexcept {
  return c > 0x20 && c < 0x7f && c != '#';
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// "HTTP/1.m" and what comes after it. `at` is moved past the digit.
Scan scan_version(const char*& at, const char* end, std::uint8_t& minor, Refusal& refusal) noexcept {
  constexpr std::string_view kStart = "HTTP/";
  const auto there = static_cast<std::size_t>(end - at);
  const std::size_t compared = there < kStart.size() ? there : kStart.size();
  if (std::memcmp(at, kStart.data(), compared) != 0)
    return refuse(refusal, code::kBadRequest, "no HTTP version where one must stand");
  if (there < 8) return Scan::more;
  if (!is_digit(at[5]) || at[6] != '.' || !is_digit(at[7]))
    return refuse(refusal, code::kBadRequest, "a malformed HTTP version");
  if (at[5] != '1') return refuse(refusal, code::kVersionNotSupported, "a major version that is not 1");
  minor = at[7] == '0' ? 0 : 1;
  at += 8;
  return Scan::done;
}

bool starts_with_scheme(std::string_view target, std::string_view scheme) noexcept {
  return target.size() > scheme.size() && fields::same_name(target.substr(0, scheme.size()), scheme);
}

void split_query(std::string_view rest, RequestHead& head) noexcept {
  const std::size_t mark = rest.find('?');
  head.has_query = mark != std::string_view::npos;
  head.path = rest.substr(0, mark);
  head.query = head.has_query ? rest.substr(mark + 1) : std::string_view();
}

// The forms of RFC 9112 section 3.2: origin, absolute, and asterisk for OPTIONS only. CONNECT is refused.
Scan cut_target(RequestHead& head, Refusal& refusal) noexcept {
  if (head.method == "CONNECT") return refuse(refusal, code::kMethodNotImplemented, "CONNECT");
  const std::string_view target = head.target;
  head.absolute_form = false;
  if (target.front() == '/') {
    split_query(target, head);
    return Scan::done;
  }
  if (target == "*") {
    if (head.method != "OPTIONS") return refuse(refusal, code::kBadRequest, "'*' as target of another method");
    head.path = target;
    head.query = {};
    head.has_query = false;
    return Scan::done;
  }
  const std::size_t scheme = starts_with_scheme(target, "http://") ? 7 : starts_with_scheme(target, "https://") ? 8 : 0;
  if (scheme == 0) return refuse(refusal, code::kBadRequest, "a request target in none of HTTP's forms");
  const std::string_view rest = target.substr(scheme);
  const std::size_t after = rest.find_first_of("/?");
  head.authority = rest.substr(0, after);
  if (!is_authority(head.authority)) return refuse(refusal, code::kBadHost, "a malformed authority in the target");
  head.absolute_form = true;
  split_query(after == std::string_view::npos ? std::string_view() : rest.substr(after), head);
  if (head.path.empty()) head.path = "/";
  return Scan::done;
}

Scan scan_request_line(const char*& at, const char* end, const Limits& limits, RequestHead& head,
                       Refusal& refusal) noexcept {
  const char* start = at;
  while (at != end && fields::is_token_char(*at))
    ++at;
  const auto method = static_cast<std::size_t>(at - start);
  if (method > kMaxMethod) return refuse(refusal, code::kBadRequest, "the method is too long");
  if (at == end) return Scan::more;
  if (method == 0 || *at != ' ') return refuse(refusal, code::kBadRequest, "the method is not a token");
  head.method = {start, method};
  const char* target = ++at;
  while (at != end && is_target_char(*at))
    ++at;
  const auto size = static_cast<std::size_t>(at - target);
  if (size > limits.target) return refuse(refusal, code::kTargetTooLong, "the request target is over the limit");
  if (at == end) return Scan::more;
  if (size == 0 || *at != ' ')
    return refuse(refusal, code::kBadRequest, "the request target holds what is not visible ASCII, or a fragment");
  head.target = {target, size};
  ++at;
  if (const Scan version = scan_version(at, end, head.minor_version, refusal); version != Scan::done) return version;
  if (end - at < 2 && (at == end || *at == '\r')) return Scan::more;
  if (at[0] != '\r' || at[1] != '\n')
    return refuse(refusal, code::kBadRequest, "the request line does not end with CRLF after the version");
  at += 2;
  return cut_target(head, refusal);
}

Scan check_host(const FieldFacts& facts, RequestHead& head, Refusal& refusal) noexcept {
  if (facts.hosts > 1) return refuse(refusal, code::kBadHost, "more than one Host field");
  if (facts.hosts == 0) {
    if (head.minor_version > 0) return refuse(refusal, code::kBadHost, "HTTP/1.1 without Host");
    return Scan::done;
  }
  if (!is_authority(facts.host)) return refuse(refusal, code::kBadHost, "Host is not a name with an optional port");
  if (!head.absolute_form) head.authority = facts.host;
  return Scan::done;
}

// Transfer-Encoding must be `chunked` and nothing else; beside a Content-Length or in HTTP/1.0 it is refused.
Scan check_coding(const FieldFacts& facts, std::uint8_t minor_version, Refusal& refusal) noexcept {
  if (facts.lengths > 1) return refuse(refusal, code::kBadFraming, "more than one Content-Length");
  if (facts.encodings == 0) return Scan::done;
  if (facts.lengths > 0) return refuse(refusal, code::kBadFraming, "Transfer-Encoding beside Content-Length");
  if (facts.encodings > 1) return refuse(refusal, code::kBadFraming, "more than one Transfer-Encoding");
  if (minor_version == 0) return refuse(refusal, code::kBadFraming, "Transfer-Encoding in HTTP/1.0");
  if (fields::same_name(facts.transfer_encoding, "chunked")) return Scan::done;
  const bool one_token = fields::is_token(facts.transfer_encoding);
  return refuse(refusal, one_token ? code::kUnknownTransferCoding : code::kBadFraming,
                "Transfer-Encoding is not exactly `chunked`");
}

Scan check_request(const FieldFacts& facts, RequestHead& head, Refusal& refusal) noexcept {
  if (const Scan host = check_host(facts, head, refusal); host != Scan::done) return host;
  if (const Scan coding = check_coding(facts, head.minor_version, refusal); coding != Scan::done) return coding;
  head.length_given = facts.lengths > 0;
  if (facts.encodings > 0)
    head.framing = {Framing::Kind::chunked, 0};
  else if (facts.length > 0)
    head.framing = {Framing::Kind::length, facts.length};
  else
    head.framing = {};
  head.connection = facts.connection;
  head.upgrade_websocket = facts.upgrades == 1 && fields::same_name(facts.upgrade, "websocket");
  head.expects_continue = facts.expects_continue && head.minor_version > 0;
  head.expects_unknown = facts.expects_unknown;
  return Scan::done;
}

Scan scan_status_line(const char*& at, const char* end, ResponseHead& head, Refusal& refusal) noexcept {
  if (const Scan version = scan_version(at, end, head.minor_version, refusal); version != Scan::done) return version;
  if (end - at < 4) return Scan::more;
  if (at[0] != ' ' || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3]))
    return refuse(refusal, code::kBadResponse, "a malformed status line");
  head.status = static_cast<std::uint16_t>((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
  if (head.status < 100 || head.status > 599) return refuse(refusal, code::kBadResponse, "a status out of range");
  at += 4;
  const char* reason = at;
  if (at != end && *at == ' ') reason = ++at;
  const char* stop = skip_value(at, end);
  if (end - stop < 2 && (stop == end || *stop == '\r')) return Scan::more;
  if (stop[0] != '\r' || stop[1] != '\n' || (at == reason && at[-1] != ' ' && stop != at))
    return refuse(refusal, code::kBadResponse, "a malformed status line");
  head.reason = {reason, static_cast<std::size_t>(stop - reason)};
  at = stop + 2;
  return Scan::done;
}

Scan check_response(const FieldFacts& facts, ForMethod method, ResponseHead& head, Refusal& refusal) noexcept {
  if (const Scan coding = check_coding(facts, head.minor_version, refusal); coding != Scan::done) {
    refusal.code = code::kBadResponse;
    return coding;
  }
  head.length_given = facts.lengths > 0;
  head.connection = facts.connection;
  head.upgrade_websocket = facts.upgrades == 1 && fields::same_name(facts.upgrade, "websocket");
  const bool no_content = head.status < 200 || head.status == 204 || head.status == 304 || method == ForMethod::head;
  if (no_content)
    head.framing = {Framing::Kind::none, facts.length};
  else if (facts.encodings > 0)
    head.framing = {Framing::Kind::chunked, 0};
  else if (head.length_given)
    head.framing = {facts.length > 0 ? Framing::Kind::length : Framing::Kind::none, facts.length};
  else
    head.framing = {Framing::Kind::until_close, 0};
  return Scan::done;
}

Scan bounded(Scan outcome, std::size_t size, const Limits& limits, Refusal& refusal) noexcept {
  if (outcome != Scan::refused && size > limits.head)
    return refuse(refusal, code::kHeadTooLarge, "the head is larger than the limit");
  return outcome;
}

}  // namespace

Scan scan_request(std::string_view data, const Limits& limits, RequestHead& head, middleware::Headers& headers,
                  Refusal& refusal) {
  head = {};  // nothing of the request before
  headers.clear();
  const char* at = data.data();
  const char* end = at + data.size();
  for (std::size_t empty = 0; end - at >= 2 && at[0] == '\r' && at[1] == '\n'; at += 2)
    if (++empty > kMaxEmptyLines) return refuse(refusal, code::kBadRequest, "too many empty lines before a request");
  if (end - at < 2 && (at == end || *at == '\r')) return Scan::more;
  FieldFacts facts;
  Scan outcome = scan_request_line(at, end, limits, head, refusal);
  if (outcome == Scan::done) outcome = scan_fields(at, end, limits, facts, headers, refusal);
  head.size = static_cast<std::size_t>(at - data.data());
  outcome = bounded(outcome, outcome == Scan::done ? head.size : data.size(), limits, refusal);
  return outcome == Scan::done ? check_request(facts, head, refusal) : outcome;
}

Scan scan_response(std::string_view data, const Limits& limits, ForMethod method, ResponseHead& head,
                   middleware::Headers& headers, Refusal& refusal) {
  head = {};
  headers.clear();
  const char* at = data.data();
  const char* end = at + data.size();
  FieldFacts facts;
  Scan outcome = scan_status_line(at, end, head, refusal);
  if (outcome == Scan::done) outcome = scan_fields(at, end, limits, facts, headers, refusal);
  head.size = static_cast<std::size_t>(at - data.data());
  outcome = bounded(outcome, outcome == Scan::done ? head.size : data.size(), limits, refusal);
  if (outcome == Scan::refused) refusal.code = code::kBadResponse;
  return outcome == Scan::done ? check_response(facts, method, head, refusal) : outcome;
}

bool may_be_complete(std::string_view data, std::size_t& searched) noexcept {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t from = searched > kEnd.size() - 1 ? searched - (kEnd.size() - 1) : 0;
  searched = data.size();
  return ::memmem(data.data() + from, data.size() - from, kEnd.data(), kEnd.size()) != nullptr;
}

}  // namespace lingate::http
