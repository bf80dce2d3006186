#include "middleware/exchange.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/path.h"
#include "middleware/error.h"
#include "middleware/middleware.h"
#include "runtimes/wire_verdict.h"

namespace lingate::middleware {
namespace {

// Buffers above this are given back when an exchange ends, so that one large request does not pin memory.
constexpr std::size_t kKeep = 64 * 1024;

void trim(std::string& text) {
  text.clear();
  if (text.capacity() > kKeep) text.shrink_to_fit();
}

std::string_view number_text(Arena& arena, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return arena.copy({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

// The old content's length, coding and digests do not describe the new one. What a step has written meanwhile does.
void describe_new_content(Headers& headers, Arena& arena, std::size_t size) {
  constexpr FieldId kOfTheContent[] = {FieldId::etag,   FieldId::content_digest, FieldId::repr_digest,
                                       FieldId::digest, FieldId::content_md5,    FieldId::content_encoding};
  for (const FieldId id : kOfTheContent)
    if (const Field* const field = headers.find(id); field && field->received()) headers.remove(id);
  if (const Field* const range = headers.find("content-range"); range && range->received())
    headers.remove("content-range");
  headers.remove(FieldId::transfer_encoding);
  headers.set("Content-Length", number_text(arena, size));
}

}  // namespace

void Request::clear() noexcept {
  method = target = path = query = host = scheme = client_ip = client_tls = {};
  has_query = target_edited = peer_trusted = only_head = false;
  version = Version::http11;
  client_port = 0;
  params.clear();
  headers.clear();
  body = {};
}

void Response::clear() noexcept {
  source = Source::none;
  status = 0;
  headers.clear();
  body = {};
  filter = nullptr;
  filtered_tag = {};
}

void Response::drop_filter() noexcept {
  if (std::exchange(filter, nullptr)) headers.remove(FieldId::content_encoding);
}

void Exchange::begin(const Chain& chain, std::string_view route) noexcept {
  chain_ = &chain;
  route_ = route;
  steps.assign(chain.size(), StepRecord{});
  facts.started = host_.loop().now();
  run.start();
}

void Exchange::end() noexcept {
  if (chain_) run.finish();
  chain_ = nullptr;
  route_ = {};
  id_ = {};
  if (unsaved_.saver) save_session();
  session_.reset();
  saver_ = nullptr;
  trim(context_);
  encoded_texts.forget(kKeep);
  encoded_lines.forget(kKeep);
  wall_ = {};
  ++version_;
  body_limit = UINT64_MAX;
  facts = Facts{};
  steps.clear();
  request.clear();
  response.clear();
  arena.reset();
}

void Exchange::Encoded::forget(std::size_t most) noexcept {
  bytes = {};
  if (room.capacity() > most) room = {};
}

void Exchange::set_session(std::optional<Session> session) {
  session_ = std::move(session);
  saver_ = nullptr;
}

void Exchange::set_stored_session(const Session& session, SessionSaver& saver) {
  session_ = session;
  saver_ = &saver;
}

void Exchange::change_session(std::optional<Session> session, const runtimes::SessionEdits& edits) {
  if (edits.assigned || edits.cleared) {
    saver_ = nullptr;
  } else if (saver_) {
    if (unsaved_.saver && unsaved_.id != session_->id()) save_session();
    unsaved_.saver = saver_;
    unsaved_.id = session_->id();
    unsaved_.edits.emplace_back(edits.encoded);
  }
  session_ = std::move(session);
}

void Exchange::save_session() noexcept {
  Unsaved unsaved = std::exchange(unsaved_, Unsaved{});
  unsaved.saver->save(std::move(unsaved.id), std::move(unsaved.edits));
}

std::string_view Exchange::id() {
  if (id_.empty()) {
    char* place = arena.allocate(IdSource::kUuidLength);
    host_.ids().uuid7(wall(), std::span<char, IdSource::kUuidLength>(place, IdSource::kUuidLength));
    id_ = {place, IdSource::kUuidLength};
  }
  return id_;
}

std::chrono::system_clock::time_point Exchange::wall() {
  if (wall_ == std::chrono::system_clock::time_point{}) wall_ = host_.loop().wall();
  return wall_;
}

void Exchange::edit_method(std::string_view method) {
  request.method = arena.copy(method);
  ++version_;
}

void Exchange::edit_path(std::string_view path) {
  const std::span<char> room(arena.allocate(path.size()), path.size());
  const auto normal = normalise_path(path, room);
  request.path = arena.copy(normal ? *normal : path);
  request.target_edited = true;
  ++version_;
}

void Exchange::edit_query(std::string_view query) {
  request.query = arena.copy(query);
  request.has_query = !query.empty();
  request.target_edited = true;
  ++version_;
}

void Exchange::replace_request_body(std::string_view bytes) {
  request.body = {.kind = Body::Kind::bytes, .bytes = arena.copy(bytes), .replaced = true};
  describe_new_content(request.headers, arena, bytes.size());
}

void Exchange::replace_response_body(std::string_view bytes) {
  response.drop_filter();
  if (const Field* const tag = response.headers.find(FieldId::etag);
      tag && !tag->value.empty() && tag->value.data() == response.filtered_tag.data())
    response.headers.remove(FieldId::etag);  // made of the old content's; a step's own would be another text
  response.body = {.kind = Body::Kind::bytes, .bytes = arena.copy(bytes), .replaced = true};
  describe_new_content(response.headers, arena, bytes.size());
}

void Exchange::respond(std::uint16_t status, std::string_view body) {
  const std::string_view kept = arena.copy(body);  // `body` may be a view of the response that goes
  response.clear();
  response.source = Response::Source::step;
  response.status = status;
  response.body = {.kind = Body::Kind::bytes, .bytes = kept, .replaced = true};
}

void Exchange::fail(const Fault& fault) {
  facts.fault = fault.code;
  log_fault(*this, fault);
  set_problem(*this, fault.code);
}

}  // namespace lingate::middleware
