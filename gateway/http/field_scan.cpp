#include "gateway/http/field_scan.h"

#include <emmintrin.h>

#include <limits>

#include "base/codes.h"
#include "base/field_bytes.h"
#include "base/fields.h"

namespace lingate::http {
namespace {

using middleware::Field;
using middleware::FieldId;

Scan refuse(Refusal& refusal, int code, std::string_view detail) noexcept {
  refusal = {code, detail};
  return Scan::refused;
}

void note_connection(std::string_view list, FieldFacts& facts) noexcept {
  ConnectionTokens& tokens = facts.connection;
  if (list.empty()) ++facts.connection_options;
  while (!list.empty()) {
    ++facts.connection_options;
    const std::size_t comma = list.find(',');
    const std::string_view token = fields::without_ows(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (token.empty()) continue;
    if (fields::same_name(token, "close"))
      tokens.close = true;
    else if (fields::same_name(token, "keep-alive"))
      tokens.keep_alive = true;
    else if (fields::same_name(token, "upgrade"))
      tokens.upgrade = true;
    else
      tokens.names = true;
  }
}

// What the gateway acts on. False: Content-Length is no number.
bool note(const Field& field, FieldFacts& facts) noexcept {
  switch (field.id) {
    case FieldId::host:
      facts.host = field.value;
      ++facts.hosts;
      break;
    case FieldId::content_length: ++facts.lengths; return parse_length(field.value, facts.length);
    case FieldId::transfer_encoding:
      facts.transfer_encoding = field.value;
      ++facts.encodings;
      break;
    case FieldId::connection: note_connection(field.value, facts); break;
    case FieldId::upgrade:
      facts.upgrade = field.value;
      ++facts.upgrades;
      break;
    case FieldId::expect:
      (fields::same_name(field.value, "100-continue") ? facts.expects_continue : facts.expects_unknown) = true;
      break;
    default: break;
  }
  return true;
}

constexpr std::string_view kNameSyntax = "a field name is not a token followed at once by a colon";
constexpr std::string_view kValueSyntax = "a control byte, a bare CR or a bare LF in a field value";

// Stops at what is no letter, digit or hyphen, which are all that most names are made of, or close to the end.
const char* skip_plain_name(const char* at, const char* end) noexcept {
  for (; end - at >= 16; at += 16) {
    const __m128i plain = fields::are_plain_name(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    const auto other = static_cast<unsigned>(_mm_movemask_epi8(plain)) ^ 0xffffU;
    if (other != 0) return at + __builtin_ctz(other);
  }
  return at;
}

const char* skip_name(const char* at, const char* end) noexcept {
  while (at != end && fields::is_token_char(*at))
    ++at;
  return at;
}

struct Line {
  Field field;
  bool plain_name = false;  // letters, digits and hyphens
};

// One whole line is at `at` or not: nullptr and `outcome` says whether more bytes could help.
const char* scan_line(const char* at, const char* end, Line& line, Scan& outcome, Refusal& refusal) noexcept {
  const char* colon = skip_plain_name(at, end);
  line.plain_name = colon != end && *colon == ':';
  if (!line.plain_name) colon = skip_name(colon, end);
  if (colon == end) return outcome = Scan::more, nullptr;
  if (colon == at || *colon != ':') return outcome = refuse(refusal, code::kBadRequest, kNameSyntax), nullptr;
  const char* value = colon + 1;
  while (value != end && fields::is_ows(*value))
    ++value;
  const char* stop = skip_value(value, end);
  if (end - stop < 2 && (stop == end || *stop == '\r')) return outcome = Scan::more, nullptr;
  if (stop[0] != '\r' || stop[1] != '\n') return outcome = refuse(refusal, code::kBadRequest, kValueSyntax), nullptr;
  const char* last = stop;
  while (last != value && fields::is_ows(last[-1]))
    --last;
  Field& field = line.field;
  field.name = {at, static_cast<std::size_t>(colon - at)};
  field.value = {value, static_cast<std::size_t>(last - value)};
  field.line = {at, static_cast<std::size_t>(stop + 2 - at)};
  return stop + 2;
}

}  // namespace

const char* skip_value(const char* at, const char* end) noexcept {
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int mask = _mm_movemask_epi8(fields::are_forbidden(bytes));
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
  while (at != end && fields::is_value_char(*at))
    ++at;
  return at;
}

bool parse_length(std::string_view text, std::uint64_t& length) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return false;
  std::uint64_t sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (sum > (kMost - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  length = sum;
  return true;
}

Scan scan_fields(const char*& at, const char* end, const Limits& limits, FieldFacts& facts,
                 middleware::Headers& headers, Refusal& refusal) {
  std::size_t count = 0;
  for (;;) {
    if (at == end) return Scan::more;
    if (*at == '\r') {
      if (end - at < 2) return Scan::more;
      if (at[1] != '\n') return refuse(refusal, code::kBadRequest, "a bare CR at the beginning of a line");
      at += 2;
      return Scan::done;
    }
    if (fields::is_ows(*at))
      return refuse(refusal, code::kBadRequest, "a line begins with white space (a folded field)");
    Line line;
    Field& field = line.field;
    Scan outcome = Scan::done;
    const char* next = scan_line(at, end, line, outcome, refusal);
    if (!next) {
      if (outcome == Scan::more && static_cast<std::size_t>(end - at) > limits.field_line)
        return refuse(refusal, code::kHeadTooLarge, "a field line is longer than the limit");
      return outcome;
    }
    if (field.line.size() > limits.field_line)
      return refuse(refusal, code::kHeadTooLarge, "a field line is longer than the limit");
    if (++count > limits.fields) return refuse(refusal, code::kHeadTooLarge, "more fields than the limit");
    at = next;
    const middleware::FieldKey key = middleware::field_key(field.name);
    field.id = key.id;
    field.mark = key.mark;
    if (field.id == FieldId::other) {
      // An underscore twin of a field (X_Api_Key) looks the same to CGI-like upstreams: it never passes.
      if (line.plain_name || field.name.find('_') == std::string_view::npos) headers.receive(field);
      continue;
    }
    if (!note(field, facts)) return refuse(refusal, code::kBadFraming, "Content-Length is not a number of digits");
    if (facts.connection_options > kMostConnectionOptions)
      return refuse(refusal, code::kHeadTooLarge, "Connection lists more than any connection needs");
    headers.receive(field);
  }
}

}  // namespace lingate::http
