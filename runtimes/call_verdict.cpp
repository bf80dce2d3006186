// The end of a call: respond()'s answer, and the Verdict. Every message is measured first and then written once.
#include <algorithm>

#include "base/fields.h"
#include "base/utf8.h"
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/call_view.h"

namespace lingate::runtimes {
namespace {

using proto::bytes_field_size;
using proto::put_bytes_field;
using proto::put_header;
using proto::put_varint_field;
using proto::varint_field_size;

// What one log line of 4 KiB has room for.
constexpr std::size_t kMostMessage = 2048;
constexpr std::size_t kMostFile = 256;
constexpr std::size_t kMostFrame = 256;
constexpr std::size_t kMostFrames = 20;

std::size_t optional_size(std::uint32_t field, const std::optional<std::string_view>& text) {
  return text ? bytes_field_size(field, text->size()) : 0;
}

char* put_optional(char* to, std::uint32_t field, const std::optional<std::string_view>& text) {
  return text ? put_bytes_field(to, field, *text) : to;
}

std::size_t line_size(std::string_view name, std::string_view value) {
  return bytes_field_size(proto::header::kName, name.size()) +
         (value.empty() ? 0 : bytes_field_size(proto::header::kValue, value.size()));
}

char* put_line(char* to, std::string_view name, std::string_view value) {
  to = put_header(to, proto::answer::kHeaders, line_size(name, value));
  to = put_bytes_field(to, proto::header::kName, name);
  return value.empty() ? to : put_bytes_field(to, proto::header::kValue, value);
}

std::string_view default_type(AnswerParts::Body kind) {
  switch (kind) {
    case AnswerParts::Body::none: break;
    case AnswerParts::Body::text: return "text/plain; charset=utf-8";
    case AnswerParts::Body::bytes: return "application/octet-stream";
    case AnswerParts::Body::json: return "application/json";
  }
  return {};
}

Refusal check_answer_headers(const AnswerParts& parts, const ScriptLimits& limits) {
  std::size_t bytes = 0;
  for (const AnswerParts::Line& line : parts.headers) {
    if (auto refusal = check_header_name(line.name)) return refusal;
    if (auto refusal = check_header_value(line.name, line.value, limits)) return refusal;
    bytes += line_bytes(line.name, line.value);
  }
  if (parts.headers.empty()) return std::nullopt;
  return check_head_size(parts.headers.back().name, parts.headers.size(), bytes, limits);
}

void encode(const AnswerParts& parts, std::string_view type, std::string& to) {
  constexpr std::string_view kTypeName = "Content-Type";
  std::size_t size = varint_field_size(proto::answer::kStatus, static_cast<std::uint64_t>(parts.status));
  if (!type.empty()) size += bytes_field_size(proto::answer::kHeaders, line_size(kTypeName, type));
  for (const AnswerParts::Line& line : parts.headers)
    size += bytes_field_size(proto::answer::kHeaders, line_size(line.name, line.value));
  if (!parts.body.empty()) size += bytes_field_size(proto::answer::kBody, parts.body.size());
  to.resize(size);
  char* end = put_varint_field(to.data(), proto::answer::kStatus, static_cast<std::uint64_t>(parts.status));
  if (!type.empty()) end = put_line(end, kTypeName, type);
  for (const AnswerParts::Line& line : parts.headers)
    end = put_line(end, line.name, line.value);
  if (!parts.body.empty()) put_bytes_field(end, proto::answer::kBody, parts.body);
}

}  // namespace

Refusal CallView::answer(const AnswerParts& parts) {
  answered_ = false;
  if (hook_ == Hook::log) return "respond has no effect in log: the exchange is over";
  if (auto refusal = check_status(parts.status)) return refusal;
  if (auto refusal = check_answer_headers(parts, *limits_)) return refusal;
  if (parts.body.size() > limits_->body)
    return "body would take " + std::to_string(parts.body.size()) + " bytes, more than the limit of " +
           std::to_string(limits_->body);
  const auto is_type = [](const AnswerParts::Line& line) { return fields::same_name(line.name, "content-type"); };
  const bool typed = std::any_of(parts.headers.begin(), parts.headers.end(), is_type);
  encode(parts, typed ? std::string_view{} : default_type(parts.kind), answer_);
  answered_ = true;
  return std::nullopt;
}

std::size_t CallView::request_edits_size() const noexcept {
  using namespace proto::request_edits;
  std::size_t size = optional_size(kMethod, method_) + optional_size(kPath, path_) + optional_size(kQuery, query_) +
                     request_head_.edits_size();
  if (body_edited_[0]) size += bytes_field_size(kBody, bodies_[0].size());
  return size;
}

char* CallView::put_request_edits(char* to) const noexcept {
  using namespace proto::request_edits;
  to = put_optional(to, kMethod, method_);
  to = put_optional(to, kPath, path_);
  to = put_optional(to, kQuery, query_);
  to = request_head_.put_edits(to);
  return body_edited_[0] ? put_bytes_field(to, kBody, bodies_[0]) : to;
}

// An answer replaces the response, and with it what was edited there.
std::size_t CallView::response_edits_size() const noexcept {
  using namespace proto::response_edits;
  if (answered_) return 0;
  std::size_t size = response_head_.edits_size();
  if (status_edit_) size += varint_field_size(kStatus, *status_edit_);
  if (body_edited_[1]) size += bytes_field_size(kBody, bodies_[1].size());
  return size;
}

char* CallView::put_response_edits(char* to) const noexcept {
  using namespace proto::response_edits;
  if (status_edit_) to = put_varint_field(to, kStatus, *status_edit_);
  to = response_head_.put_edits(to);
  return body_edited_[1] ? put_bytes_field(to, kBody, bodies_[1]) : to;
}

std::size_t CallView::tags_size() const noexcept {
  std::size_t size = 0;
  for (const std::string_view tag : *tags_edit_)
    size += bytes_field_size(proto::tags::kTags, tag.size());
  return size;
}

std::size_t CallView::session_edits_size() const noexcept {
  using namespace proto::session_edits;
  std::size_t size = 0;
  if (session_edit_ == SessionEdit::assigned) size += bytes_field_size(kAssigned, session_.size());
  if (session_edit_ == SessionEdit::cleared) size += varint_field_size(kCleared, 1);
  if (tags_edit_) size += bytes_field_size(kTags, tags_size());
  for (const std::string_view member : metadata_set_)
    size += bytes_field_size(kMetadata, member.size());
  for (const std::string_view name : metadata_removed_)
    size += bytes_field_size(kRemovedMetadata, name.size());
  return size;
}

char* CallView::put_session_edits(char* to) const noexcept {
  using namespace proto::session_edits;
  if (session_edit_ == SessionEdit::assigned) to = put_bytes_field(to, kAssigned, session_);
  if (session_edit_ == SessionEdit::cleared) to = put_varint_field(to, kCleared, 1);
  if (tags_edit_) {
    to = put_header(to, kTags, tags_size());
    for (const std::string_view tag : *tags_edit_)
      to = put_bytes_field(to, proto::tags::kTags, tag);
  }
  for (const std::string_view member : metadata_set_)
    to = put_bytes_field(to, kMetadata, member);
  for (const std::string_view name : metadata_removed_)
    to = put_bytes_field(to, kRemovedMetadata, name);
  return to;
}

std::string_view CallView::finish() {
  using namespace proto::verdict;
  const std::size_t request = request_edits_size();
  const std::size_t response = response_edits_size();
  const std::size_t session = session_edits_size();
  const std::size_t context =
      context_edit_ ? bytes_field_size(proto::context_edits::kReplaced, context_edit_->size()) : 0;
  std::size_t size = 0;
  for (const std::size_t part : {request, response, session, context})
    if (part != 0) size += bytes_field_size(kRequest, part);  // all keys take one byte
  if (answered_) size += bytes_field_size(kAnswer, answer_.size());
  if (verdict_.size() < size) verdict_.resize(size);  // it only grows: what is in it is written over
  char* to = verdict_.data();
  if (request != 0) to = put_request_edits(put_header(to, kRequest, request));
  if (response != 0) to = put_response_edits(put_header(to, kResponse, response));
  if (session != 0) to = put_session_edits(put_header(to, kSession, session));
  if (context != 0)
    to = put_bytes_field(put_header(to, kContext, context), proto::context_edits::kReplaced, *context_edit_);
  if (answered_) put_bytes_field(to, kAnswer, answer_);
  return {verdict_.data(), size};
}

std::string_view CallView::fail(FailureKind kind, std::string_view message, std::string_view file, std::uint32_t line,
                                std::span<const std::string> stack) {
  write_failure(verdict_, {kind, message, file, line, stack});
  return verdict_;
}

void write_failure(std::string& verdict, const FailureParts& parts) {
  using namespace proto::failure;
  const std::string_view message = utf8::cut(parts.message, kMostMessage);
  const std::string_view file = utf8::cut(parts.file, kMostFile);
  const auto stack = parts.stack.first(std::min(parts.stack.size(), kMostFrames));
  std::size_t size = varint_field_size(kKind, static_cast<std::uint64_t>(parts.kind));
  if (!message.empty()) size += bytes_field_size(kMessage, message.size());
  if (!file.empty()) size += bytes_field_size(kFile, file.size());
  if (parts.line != 0) size += varint_field_size(kLine, parts.line);
  for (const std::string& frame : stack)
    size += bytes_field_size(kStack, utf8::cut(frame, kMostFrame).size());
  verdict.resize(bytes_field_size(proto::verdict::kFailure, size));
  char* to = put_header(verdict.data(), proto::verdict::kFailure, size);
  to = put_varint_field(to, kKind, static_cast<std::uint64_t>(parts.kind));
  if (!message.empty()) to = put_bytes_field(to, kMessage, message);
  if (!file.empty()) to = put_bytes_field(to, kFile, file);
  if (parts.line != 0) to = put_varint_field(to, kLine, parts.line);
  for (const std::string& frame : stack)
    to = put_bytes_field(to, kStack, utf8::cut(frame, kMostFrame));
}

}  // namespace lingate::runtimes
