#include "middleware/script_verdict.h"

#include "base/codes.h"
#include "base/utf8.h"
#include "runtimes/header_rules.h"

namespace lingate::middleware {

using runtimes::FailureKind;
using runtimes::Hook;
using runtimes::ScriptLimits;

namespace {

constexpr std::size_t kMaxMessage = 2048;
constexpr std::size_t kMaxContext = 64 * 1024;

std::size_t bytes_of(const Headers& headers) noexcept {
  std::size_t bytes = 0;
  for (const Field& field : headers.all())
    if (!field.removed) bytes += runtimes::line_bytes(field.name, field.value);
  return bytes;
}

}  // namespace

int code_of(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::exception: return code::kScriptException;
    case FailureKind::timeout: return code::kScriptTimeout;
    case FailureKind::memory: return code::kScriptMemory;
    case FailureKind::invalid: return code::kScriptInvalid;
    case FailureKind::unavailable: return code::kScriptUnavailable;
  }
  return code::kScriptException;
}

runtimes::VerdictOrigin origin_of(runtimes::Placement placement) noexcept {
  using Origin = runtimes::VerdictOrigin;
  return placement == runtimes::Placement::process ? Origin::other_process : Origin::this_process;
}

bool VerdictReader::invalid(std::string_view message) {
  failure_.kind = FailureKind::invalid;
  failure_.message = message;
  failure_.file = {};
  failure_.line = 0;
  failure_.stack.clear();
  return false;
}

VerdictReader::Outcome VerdictReader::apply(Exchange& exchange, Hook hook, std::string_view bytes,
                                            const ScriptLimits& limits) {
  if (!runtimes::read_verdict(bytes, verdict_, origin_)) {
    applied_ = &verdict_;
    invalid("the verdict is malformed, or holds what may not stand in a message");
    return Outcome::failed;
  }
  return apply(exchange, hook, verdict_, limits, Lines::elsewhere);
}

VerdictReader::Outcome VerdictReader::apply(Exchange& exchange, Hook hook, const runtimes::Verdict& verdict,
                                            const ScriptLimits& limits, Lines lines) {
  applied_ = &verdict;
  if (verdict.empty()) return Outcome::next;
  if (verdict.failure) {
    keep_failure(*verdict.failure);
    return Outcome::failed;
  }
  if (!check(exchange, hook, limits)) return Outcome::failed;
  if (verdict.request && !edit_head(exchange.request.headers, limits, lines)) return Outcome::failed;
  if (verdict.response && !verdict.answer && !edit_head(exchange.response.headers, limits, lines))
    return Outcome::failed;
  commit(exchange);
  return verdict.answer ? Outcome::answered : Outcome::next;
}

VerdictReader::Outcome VerdictReader::read_failure(std::string_view bytes) {
  if (!runtimes::read_verdict(bytes, verdict_, origin_)) {
    invalid("the verdict is malformed");
    return Outcome::failed;
  }
  return read_failure(verdict_);
}

VerdictReader::Outcome VerdictReader::read_failure(const runtimes::Verdict& verdict) {
  if (!verdict.failure) return Outcome::next;
  keep_failure(*verdict.failure);
  return Outcome::failed;
}

bool VerdictReader::fits_others() const noexcept {
  const auto& request = applied_->request;
  if (request && (request->method || request->path || request->query || request->body)) return false;
  return !applied_->session || applied_->session->assigned || applied_->session->cleared;
}

bool VerdictReader::check(const Exchange& exchange, Hook hook, const ScriptLimits& limits) {
  if (hook == Hook::request ? applied_->response.has_value() : applied_->request.has_value())
    return invalid("the verdict edits what its hook may only read");
  if (const auto& request = applied_->request) {
    const std::string_view path = request->path.value_or(exchange.request.path);
    const std::string_view query = request->query.value_or(exchange.request.query);
    const std::size_t target = path.size() + (query.empty() ? 0 : query.size() + 1);
    if ((request->path || request->query) && target > limits.target)
      return invalid("path and query are longer than the limit");
    if (request->method && request->method->size() > limits.target) return invalid("the method is too long");
    if (request->body && request->body->size() > limits.body) return invalid("the request body is over the limit");
  }
  if (applied_->response && applied_->response->body && applied_->response->body->size() > limits.body)
    return invalid("the response body is over the limit");
  if (applied_->context && applied_->context->size() > kMaxContext) return invalid("ctx is larger than 64 KiB");
  if (applied_->session) {
    auto change = apply_session_edits(exchange.session(), *applied_->session);
    if (!change) return invalid(change.error().message);
    session_ = std::move(*change);
  }
  return !applied_->answer || check_answer(*applied_->answer, limits);
}

bool VerdictReader::check_answer(const runtimes::VerdictAnswer& answer, const ScriptLimits& limits) {
  if (answer.body.size() > limits.body) return invalid("the answer's body is over the limit");
  runtimes::HeaderLines lines = answer.headers;
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::string_view name, value; lines.next(name, value); ++count) {
    const std::size_t line = runtimes::line_bytes(name, value);
    if (!runtimes::is_line_within(line, limits)) return invalid("a header of the answer is too long");
    bytes += line;
  }
  // One line more than a script may write: the Content-Type that respond() adds.
  if (count > limits.fields + 1 || bytes > limits.head + limits.field_line)
    return invalid("the answer's head is over the limits");
  return true;
}

// Whether the lines that the edits add could take the head over its limits.
VerdictReader::Fit VerdictReader::fit_of(const Headers& headers, const ScriptLimits& limits) const {
  const runtimes::HeaderEdits& edits = applied_->headers;
  if (!runtimes::is_line_within(edits.longest_line(), limits)) return Fit::never;
  const bool fits = headers.all().size() + edits.line_count() <= limits.fields &&
                    headers.most_bytes() + edits.lines_bytes() <= limits.head;
  return fits ? Fit::sure : Fit::doubtful;
}

// Edits are made at once; where they might pass the limits of a head, the lines before them are kept to go back to.
bool VerdictReader::edit_head(Headers& headers, const ScriptLimits& limits, Lines lines) {
  const runtimes::HeaderEdits& edits = applied_->headers;
  if (edits.size() == 0) return true;
  const Fit fit = fit_of(headers, limits);
  if (fit == Fit::never) return invalid("a header line is longer than the limit");
  if (fit == Fit::doubtful) saved_.assign(headers.all().begin(), headers.all().end());
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const runtimes::HeaderEdit edit = edits[i];
    if (lines == Lines::elsewhere)
      edit.append ? headers.add(edit.name, edit.values) : headers.set(edit.name, edit.values);
    else
      edit.append ? headers.add_lasting(edit.name, edit.values) : headers.set_lasting(edit.name, edit.values);
  }
  if (fit == Fit::sure || (headers.size() <= limits.fields && bytes_of(headers) <= limits.head)) return true;
  headers.restore(saved_);
  return invalid("the head would be larger than the limits");
}

void VerdictReader::commit(Exchange& exchange) {
  if (const auto& request = applied_->request) {
    if (request->method) exchange.edit_method(*request->method);
    if (request->path) exchange.edit_path(*request->path);
    if (request->query) exchange.edit_query(*request->query);
    if (request->body) exchange.replace_request_body(*request->body);
  }
  if (applied_->session && session_.changed) exchange.change_session(std::move(session_.session), *applied_->session);
  if (applied_->context) exchange.set_context(*applied_->context);
  if (const auto& answer = applied_->answer) {
    exchange.respond(static_cast<std::uint16_t>(answer->status), answer->body);
    runtimes::HeaderLines lines = answer->headers;
    for (std::string_view name, value; lines.next(name, value);)
      exchange.response.headers.add(name, value);
    return;
  }
  if (const auto& response = applied_->response) {
    if (response->status) exchange.response.status = static_cast<std::uint16_t>(*response->status);
    if (response->body) exchange.replace_response_body(*response->body);
  }
}

void VerdictReader::keep_failure(const runtimes::VerdictFailure& failure) {
  failure_.kind = failure.kind;
  failure_.message = utf8::cut(failure.message, kMaxMessage);
  failure_.file = failure.file;
  failure_.line = failure.line;
  failure_.stack.clear();
  runtimes::Repeated frames = failure.stack;
  for (std::string_view frame; failure_.stack.size() < kMaxFrames && frames.next(frame);)
    failure_.stack.push_back(frame);
}

}  // namespace lingate::middleware
