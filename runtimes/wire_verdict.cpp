#include "runtimes/wire_verdict.h"

#include <algorithm>

#include "base/authority.h"
#include "base/fields.h"
#include "base/utf8.h"
#include "proto/plugin.h"
#include "runtimes/header_rules.h"
#include "runtimes/target_rules.h"
#include "runtimes/value.h"

namespace lingate::runtimes {
namespace {

using proto::Field;
using proto::Reader;
using proto::WireType;

constexpr std::uint64_t kLowestStatus = 200;
constexpr std::uint64_t kHighestStatus = 599;

// Looks at a value without keeping it: read_value() and read_members() check the rest.
class Check final : public ValueSink {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number(double value) override { return value - value == 0; }  // neither NaN nor infinite
  bool text(std::string_view) override { return true; }
  bool begin_list() override { return true; }
  bool end_list() override { return true; }
  bool begin_map() override { return true; }
  bool key(std::string_view) override { return true; }
  bool end_map() override { return true; }
};

bool is_status(const Field& field) {
  return field.type == WireType::varint && field.value >= kLowestStatus && field.value <= kHighestStatus;
}

bool is_bool(const Field& field) {
  return field.type == WireType::varint && field.value <= 1;
}

bool is_name(std::string_view name) {
  return fields::is_token(name) && !fields::is_connection_field(name);
}

bool is_members(std::string_view members) {
  Check check;
  return read_members(members, check);
}

bool is_member(std::string_view member) {
  Check check;
  Reader reader(member);
  Field field;
  while (reader.next(field)) {
    if (field.type != WireType::bytes || field.number > proto::member::kValue) return false;
    if (field.number == proto::member::kName && !utf8::is_valid(field.bytes)) return false;
    if (field.number == proto::member::kValue && !read_value(field.bytes, check)) return false;
  }
  return !reader.failed();
}

bool is_header_line(std::string_view line) {
  std::string_view name;
  std::string_view value;
  Reader reader(line);
  Field field;
  while (reader.next(field)) {
    if (field.is(proto::header::kName, WireType::bytes) && is_name(field.bytes)) {
      name = field.bytes;
    } else if (field.is(proto::header::kValue, WireType::bytes) && fields::is_value(field.bytes)) {
      value = field.bytes;
    } else {
      return false;
    }
  }
  return !name.empty() && !reader.failed() && (!fields::same_name(name, "host") || is_authority(value));
}

bool read(std::string_view bytes, RequestEdits& edits, HeaderEdits& headers, VerdictOrigin origin) {
  using namespace proto::request_edits;
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.type != WireType::bytes) return false;
    switch (field.number) {
      case kMethod: edits.method = field.bytes; break;
      case kPath: edits.path = field.bytes; break;
      case kQuery: edits.query = field.bytes; break;
      case kBody: edits.body = field.bytes; break;
      case kHeaders:
        if (!headers.add(field.bytes, origin)) return false;
        break;
      default: return false;
    }
  }
  return !reader.failed() && !(edits.method && check_method(*edits.method)) &&
         !(edits.path && check_path(*edits.path)) && !(edits.query && check_query(*edits.query));
}

bool read(std::string_view bytes, ResponseEdits& edits, HeaderEdits& headers, VerdictOrigin origin) {
  using namespace proto::response_edits;
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.number == kStatus && is_status(field)) {
      edits.status = static_cast<std::uint32_t>(field.value);
    } else if (field.is(kBody, WireType::bytes)) {
      edits.body = field.bytes;
    } else if (!field.is(kHeaders, WireType::bytes) || !headers.add(field.bytes, origin)) {
      return false;
    }
  }
  return !reader.failed();
}

bool is_tags(std::string_view tags) {
  Reader reader(tags);
  Field field;
  while (reader.next(field))
    if (!field.is(proto::tags::kTags, WireType::bytes) || !utf8::is_valid(field.bytes)) return false;
  return !reader.failed();
}

bool is_session_text(const Field& field) {
  return field.type == WireType::bytes && utf8::is_valid(field.bytes);
}

bool is_session(std::string_view session) {
  using namespace proto::session;
  bool named = false;
  Reader reader(session);
  Field field;
  while (reader.next(field)) {
    named |= field.number == kId && !field.bytes.empty();
    if (field.number <= kTags ? !is_session_text(field)
        : field.number == kMetadata
            ? field.type != WireType::bytes || !is_members(field.bytes)
            : field.type != WireType::fixed64 || field.number > kExpires || field.as_double() - field.as_double() != 0)
      return false;
  }
  return named && !reader.failed();
}

bool read_whole(const Field& field, SessionEdits& edits) {
  using namespace proto::session_edits;
  if (field.is(kAssigned, WireType::bytes)) {
    edits.assigned = field.bytes;
    edits.cleared = false;
    return is_session(field.bytes);
  }
  edits.assigned.reset();
  edits.cleared = field.value != 0;
  return field.number == kCleared && is_bool(field);
}

bool read(std::string_view bytes, SessionEdits& edits) {
  using namespace proto::session_edits;
  edits = {};
  edits.encoded = bytes;
  edits.metadata = {bytes, kMetadata};
  edits.removed_metadata = {bytes, kRemovedMetadata};
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.number <= kCleared) {
      if (!read_whole(field, edits)) return false;
    } else if (field.is(kTags, WireType::bytes)) {
      edits.tags = Repeated(field.bytes, proto::tags::kTags);
      if (!is_tags(field.bytes)) return false;
    } else if (!(field.is(kMetadata, WireType::bytes) && is_member(field.bytes)) &&
               !(field.is(kRemovedMetadata, WireType::bytes) && utf8::is_valid(field.bytes))) {
      return false;
    }
  }
  return !reader.failed();
}

bool read_context(std::string_view bytes, std::optional<std::string_view>& context) {
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (!field.is(proto::context_edits::kReplaced, WireType::bytes) || !is_members(field.bytes)) return false;
    context = field.bytes;
  }
  return !reader.failed();
}

bool read(std::string_view bytes, VerdictAnswer& answer) {
  using namespace proto::answer;
  answer = {};
  answer.encoded = bytes;
  answer.headers = {bytes, kHeaders};
  bool has_status = false;
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.number == kStatus && is_status(field)) {
      answer.status = static_cast<std::uint32_t>(field.value);
      has_status = true;
    } else if (field.is(kBody, WireType::bytes)) {
      answer.body = field.bytes;
    } else if (!field.is(kHeaders, WireType::bytes) || !is_header_line(field.bytes)) {
      return false;
    }
  }
  return has_status && !reader.failed();
}

bool is_kind(const Field& field) {
  return field.type == WireType::varint && field.value >= static_cast<std::uint64_t>(FailureKind::exception) &&
         field.value <= static_cast<std::uint64_t>(FailureKind::unavailable);
}

bool read(std::string_view bytes, VerdictFailure& failure) {
  using namespace proto::failure;
  failure = {};
  failure.encoded = bytes;
  failure.stack = {bytes, kStack};
  bool has_kind = false;
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.number == kKind && is_kind(field)) {
      failure.kind = static_cast<FailureKind>(field.value);
      has_kind = true;
    } else if (field.is(kLine, WireType::varint) && field.value <= UINT32_MAX) {
      failure.line = static_cast<std::uint32_t>(field.value);
    } else if (field.is(kMessage, WireType::bytes)) {
      failure.message = field.bytes;
    } else if (field.is(kFile, WireType::bytes)) {
      failure.file = field.bytes;
    } else if (!field.is(kStack, WireType::bytes)) {
      return false;
    }
  }
  return has_kind && !reader.failed();
}

}  // namespace

void HeaderEdits::clear() noexcept {
  edits_.clear();
  values_.clear();
  lines_bytes_ = longest_line_ = 0;
}

bool HeaderEdits::add(std::string_view encoded, VerdictOrigin origin) {
  using namespace proto::header_edit;
  const bool checked = origin == VerdictOrigin::this_process;
  const std::size_t first = values_.size();
  std::string_view name;
  bool append = false;
  Reader reader(encoded);
  Field field;
  while (reader.next(field)) {
    if (field.is(kName, WireType::bytes) && (checked || is_name(field.bytes))) {
      name = field.bytes;
    } else if (field.is(kValues, WireType::bytes) && (checked || fields::is_value(field.bytes))) {
      values_.push_back(field.bytes);
    } else if (field.number == kAppend && is_bool(field)) {
      append = field.value != 0;
    } else {
      return false;
    }
  }
  if (name.empty() || reader.failed()) return false;
  const auto values = std::span(values_).subspan(first);
  edits_.push_back({name, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(values.size()), append});
  for (const std::string_view value : values)
    count(name, value);
  return checked || !fields::same_name(name, "host") || std::all_of(values.begin(), values.end(), is_authority);
}

bool HeaderLines::next(std::string_view& name, std::string_view& value) noexcept {
  std::string_view bytes;
  if (!lines_.next(bytes)) return false;
  name = value = {};
  Reader reader(bytes);
  Field field;
  while (reader.next(field))
    (field.number == proto::header::kName ? name : value) = field.bytes;
  return true;
}

bool read_session_edits(std::string_view bytes, SessionEdits& edits) {
  return read(bytes, edits);
}

bool read_answer(std::string_view bytes, VerdictAnswer& answer) {
  return read(bytes, answer);
}

bool read_failure(std::string_view bytes, VerdictFailure& failure) {
  return read(bytes, failure);
}

bool is_context(std::string_view members) {
  return is_members(members);
}

MemberEdit read_member(std::string_view member) noexcept {
  MemberEdit edit;
  Reader reader(member);
  Field field;
  while (reader.next(field))
    (field.number == proto::member::kName ? edit.name : edit.value) = field.bytes;
  return edit;
}

void Verdict::clear() noexcept {
  request.reset();
  response.reset();
  headers.clear();
  session.reset();
  context.reset();
  answer.reset();
  failure.reset();
}

bool read_verdict(std::string_view bytes, Verdict& verdict, VerdictOrigin origin) {
  using namespace proto::verdict;
  verdict.clear();
  Reader reader(bytes);
  Field field;
  while (reader.next(field)) {
    if (field.type != WireType::bytes) return false;
    switch (field.number) {
      case kRequest:
        if (verdict.edits_head()) return false;
        if (!read(field.bytes, verdict.request.emplace(), verdict.headers, origin)) return false;
        break;
      case kResponse:
        if (verdict.edits_head()) return false;
        if (!read(field.bytes, verdict.response.emplace(), verdict.headers, origin)) return false;
        break;
      case kSession:
        if (!read(field.bytes, verdict.session.emplace())) return false;
        break;
      case kContext:
        if (!read_context(field.bytes, verdict.context)) return false;
        break;
      case kAnswer:
        if (!read(field.bytes, verdict.answer.emplace())) return false;
        break;
      case kFailure:
        if (!read(field.bytes, verdict.failure.emplace())) return false;
        break;
      default: return false;
    }
  }
  const bool edited = verdict.edits_head() || verdict.session || verdict.context || verdict.answer;
  return !reader.failed() && !(verdict.failure && edited);
}

}  // namespace lingate::runtimes
