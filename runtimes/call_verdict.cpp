// The end of a call: respond()'s answer, and the Verdict. Every message is measured first and then written once.
#include <algorithm>
#include <utility>

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

// One that is refused leaves the one before as it is: a script that catches the refusal may return that one still.
Refusal CallView::answer(const AnswerParts& parts) {
  if (hook_ == Hook::log) return "respond has no effect in log: the exchange is over";
  if (auto refusal = check_status(parts.status)) return refusal;
  if (auto refusal = check_answer_headers(parts, *limits_)) return refusal;
  if (parts.body.size() > limits_->body)
    return "body would take " + std::to_string(parts.body.size()) + " bytes, more than the limit of " +
           std::to_string(limits_->body);
  const auto is_type = [](const AnswerParts::Line& line) { return fields::same_name(line.name, "content-type"); };
  const bool typed = std::any_of(parts.headers.begin(), parts.headers.end(), is_type);
  encode(parts, typed ? std::string_view{} : default_type(parts.kind), answer_);
  large_ = true;
  answered_ = true;
  return std::nullopt;
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

const Verdict& CallView::verdict() {
  if (!std::exchange(concluded_, true)) conclude();
  return verdict_;
}

// What was written in this process is looked at once more where that is rare: it ends here if a room is broken.
void CallView::conclude() {
  verdict_.request.reset();
  verdict_.response.reset();
  verdict_.session.reset();
  verdict_.context.reset();
  verdict_.answer.reset();
  if (!failed_) conclude_edits();
  if (!failed_) return;
  verdict_.clear();
  if (!read_failure(failure_, verdict_.failure.emplace())) verdict_.failure.emplace();
}

void CallView::conclude_edits() {
  constexpr std::string_view kBroken = "the verdict is malformed, or holds what may not stand in a message";
  const bool headers = verdict_.headers.size() != 0;
  if (method_ || path_ || query_ || body_edited_[0] || (headers && hook_ == Hook::request)) {
    RequestEdits& edits = verdict_.request.emplace();
    edits.method = method_;
    edits.path = path_;
    edits.query = query_;
    if (body_edited_[0]) edits.body = bodies_[0];
  }
  if (answered_) {
    // It replaces the response, and with that what was edited there.
    if (!read_answer(answer_, verdict_.answer.emplace())) return fail(FailureKind::invalid, kBroken);
  } else if (status_edit_ || body_edited_[1] || (headers && hook_ == Hook::response)) {
    ResponseEdits& edits = verdict_.response.emplace();
    edits.status = status_edit_;
    if (body_edited_[1]) edits.body = bodies_[1];
  }
  if (session_edit_ != SessionEdit::none || tags_edit_ || !metadata_set_.empty() || !metadata_removed_.empty()) {
    session_changes_.resize(session_edits_size());
    large_ = true;
    put_session_edits(session_changes_.data());
    if (!read_session_edits(session_changes_, verdict_.session.emplace())) return fail(FailureKind::invalid, kBroken);
  }
  if (!context_edit_) return;
  verdict_.context = context_edit_;
  if (!is_context(*context_edit_)) fail(FailureKind::invalid, kBroken);
}

// What was written since it was asked for last counts, too.
std::string_view CallView::finish() {
  concluded_ = false;
  write_verdict(bytes_, verdict());
  return bytes_;
}

void CallView::fail(FailureKind kind, std::string_view message, std::string_view file, std::uint32_t line,
                    std::span<const std::string> stack) {
  encode_failure(failure_, {kind, message, file, line, stack});
  failed_ = true;
  concluded_ = false;
}

void encode_failure(std::string& failure, const FailureParts& parts) {
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
  failure.resize(size);
  char* to = put_varint_field(failure.data(), kKind, static_cast<std::uint64_t>(parts.kind));
  if (!message.empty()) to = put_bytes_field(to, kMessage, message);
  if (!file.empty()) to = put_bytes_field(to, kFile, file);
  if (parts.line != 0) to = put_varint_field(to, kLine, parts.line);
  for (const std::string& frame : stack)
    to = put_bytes_field(to, kStack, utf8::cut(frame, kMostFrame));
}

void write_failure(std::string& verdict, const FailureParts& parts) {
  std::string failure;
  encode_failure(failure, parts);
  verdict.clear();
  proto::append_bytes(verdict, proto::verdict::kFailure, failure);
}

}  // namespace lingate::runtimes
