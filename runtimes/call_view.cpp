// Reads and edits of req and res. Sessions are in call_session.cpp, the Verdict in call_verdict.cpp.
#include "runtimes/call_view.h"

#include <utility>

#include "base/path.h"
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/target_rules.h"

namespace lingate::runtimes {
namespace {

using proto::WireType;

constexpr std::size_t kKeptCapacity = 64 * 1024;

}  // namespace

void CallView::begin(Hook hook, CallSource& source, Arena& room, const ScriptLimits& limits) {
  hook_ = hook;
  source_ = &source;
  limits_ = &limits;
  room_.begin(room, limits);
  texts_found_ = request_indexed_ = response_indexed_ = session_indexed_ = params_indexed_ = session_found_ = false;
  method_.reset();
  path_.reset();
  query_.reset();
  status_edit_.reset();
  body_edited_ = {};
  session_edit_ = SessionEdit::none;
  tags_edit_.reset();
  metadata_set_.clear();
  metadata_removed_.clear();
  context_edit_.reset();
  answered_ = failed_ = concluded_ = false;
  verdict_.clear();
}

void CallView::begin(Hook hook, std::string_view call, const ScriptLimits& limits) {
  own_room_.reset();
  encoded_.begin(call);
  begin(hook, encoded_, own_room_, limits);
  large_ = true;
}

void CallView::give_back_room() noexcept {
  if (!std::exchange(large_, false)) return;
  for (std::string* const buffer : {&bodies_[0], &bodies_[1], &answer_, &context_bytes_, &session_changes_, &bytes_})
    if (buffer->capacity() > kKeptCapacity) std::string().swap(*buffer);
  own_room_.reset();
}

std::string_view CallView::texts() {
  if (!std::exchange(texts_found_, true)) texts_ = source_->request_texts();
  return texts_;
}

// Why nothing of that side may be written in this hook; empty: it may.
std::string_view CallView::read_only(Side side) const noexcept {
  if (side == Side::request) {
    if (hook_ == Hook::response) return "req is read-only in response: it shows what was sent upstream";
    if (hook_ == Hook::log) return "req is read-only in log: the exchange is over";
  } else {
    if (hook_ == Hook::request) return "there is no res in request";
    if (hook_ == Hook::log) return "res is read-only in log: the exchange is over";
  }
  return {};
}

std::string_view CallView::request_text(RequestText which) {
  if (which == RequestText::method && method_) return *method_;
  if (which == RequestText::path && path_) return *path_;
  if (which == RequestText::query && query_) return *query_;
  if (which == RequestText::client_ip) return find_bytes(client(), proto::client::kIp);
  return find_bytes(texts(), static_cast<std::uint32_t>(which) + 1);  // in the order of their numbers
}

std::string_view CallView::client() {
  return find_bytes(texts(), proto::request::kClient);
}

std::uint32_t CallView::client_port() {
  proto::Reader reader(client());
  proto::Field field;
  while (reader.next(field))
    if (field.is(proto::client::kPort, WireType::varint)) return static_cast<std::uint32_t>(field.value);
  return 0;
}

std::string_view CallView::client_tls() {
  return find_bytes(client(), proto::client::kTls);
}

std::span<const HeadView::Line> CallView::params() {
  if (std::exchange(params_indexed_, true)) return params_;
  params_.clear();
  proto::Reader reader(texts());
  reader.skip_below(proto::request::kParams);
  proto::Field field;
  while (reader.next(field)) {
    HeadView::Line& param = params_.emplace_back();
    proto::Reader pair(field.bytes);
    while (pair.next(field))
      (field.number == proto::header::kName ? param.name : param.value) = field.bytes;
  }
  return params_;
}

const std::string_view* CallView::param(std::string_view name) {
  for (const HeadView::Line& param : params())
    if (param.name == name) return &param.value;
  return nullptr;
}

HeadView& CallView::request_head() {
  if (!std::exchange(request_indexed_, true))
    request_head_.begin(
        {*source_, Side::request, *limits_, room_, hook_ == Hook::request ? verdict_.headers : no_edits_},
        read_only(Side::request));
  return request_head_;
}

HeadView& CallView::response_head() {
  if (!std::exchange(response_indexed_, true))
    response_head_.begin(
        {*source_, Side::response, *limits_, room_, hook_ == Hook::response ? verdict_.headers : no_edits_},
        read_only(Side::response));
  return response_head_;
}

std::uint32_t CallView::status() {
  return status_edit_ ? *status_edit_ : source_->status();
}

Refusal CallView::set_text(std::string_view text, std::optional<std::string_view>& place) {
  std::string_view kept;
  if (auto refusal = room_.keep(text, kept)) return refusal;
  place = kept;
  return std::nullopt;
}

Refusal CallView::set_method(std::string_view method) {
  if (const auto reason = read_only(Side::request); !reason.empty()) return std::string(reason);
  if (auto refusal = check_method(method)) return refusal;
  return set_text(method, method_);
}

Refusal CallView::target_fits(std::size_t path, std::size_t query) {
  const std::size_t size = path + (query != 0 ? query + 1 : 0);
  if (size <= limits_->target) return std::nullopt;
  return "path and query would take " + std::to_string(size) + " bytes, more than the limit of " +
         std::to_string(limits_->target);
}

Refusal CallView::set_path(std::string_view path) {
  if (const auto reason = read_only(Side::request); !reason.empty()) return std::string(reason);
  if (auto refusal = target_fits(path.size(), request_text(RequestText::query).size())) return refusal;
  if (auto refusal = check_path(path)) return refusal;
  std::string room(path.size(), '\0');
  const auto normal = normalise_path(path, room);
  return set_text(normal ? *normal : path, path_);
}

Refusal CallView::set_query(std::string_view query) {
  if (const auto reason = read_only(Side::request); !reason.empty()) return std::string(reason);
  if (auto refusal = target_fits(request_text(RequestText::path).size(), query.size())) return refusal;
  if (auto refusal = check_query(query)) return refusal;
  return set_text(query, query_);
}

Refusal CallView::set_status(double status) {
  if (const auto reason = read_only(Side::response); !reason.empty()) return std::string(reason);
  if (auto refusal = check_status(status)) return refusal;
  status_edit_ = static_cast<std::uint32_t>(status);
  return std::nullopt;
}

CallView::BodyRead CallView::body(Side side) {
  const auto which = static_cast<std::size_t>(side);
  if (body_edited_[which]) return {std::nullopt, bodies_[which]};
  if (side == Side::request) {
    if (!limits_->request_body)
      return {"req.body is not there: bodies stream past unless the step says `body: request` or `body: both`", {}};
    return {std::nullopt, source_->body(side)};
  }
  if (!limits_->response_body)
    return {"res.body is not there: bodies stream past unless the step says `body: response` or `body: both`", {}};
  return {std::nullopt, source_->body(side)};
}

Refusal CallView::set_body(Side side, std::string_view bytes) {
  if (const auto reason = read_only(side); !reason.empty()) return std::string(reason);
  if (bytes.size() > limits_->body)
    return "body would take " + std::to_string(bytes.size()) + " bytes, more than the limit of " +
           std::to_string(limits_->body);
  const auto which = static_cast<std::size_t>(side);
  bodies_[which].assign(bytes);
  large_ = large_ || bytes.size() > kKeptCapacity / 2;
  body_edited_[which] = true;
  return std::nullopt;
}

std::string_view CallView::context() {
  return source_->context();
}

void CallView::keep_context(std::string_view members) {
  context_edit_.reset();
  if (hook_ == Hook::log || members == context()) return;
  context_bytes_.assign(members);
  large_ = large_ || members.size() > kKeptCapacity / 2;
  context_edit_ = context_bytes_;
}

}  // namespace lingate::runtimes
