// Operations on sessions and their keys. Each that changes something leaves a line in the log; keys are never in it.
#include "middleware/sessions/keys.h"

#include <charconv>
#include <utility>

#include "base/codes.h"
#include "gateway/admin/handlers.h"

namespace lingate::admin {
namespace {

using middleware::KeyFault;
using middleware::Keys;

// A store that is out of order is the operators' to mend: the log names what it said.
tl::unexpected<Refusal> refused(const Subject& subject, const KeyFault& fault) {
  int code = code::kStoreUnavailable;
  switch (fault.kind) {
    case KeyFault::Kind::invalid: code = code::kBadSession; break;
    case KeyFault::Kind::not_found: code = code::kNoSuchSession; break;
    case KeyFault::Kind::conflict: code = code::kSessionTaken; break;
    case KeyFault::Kind::unavailable: break;
  }
  if (code == code::kStoreUnavailable)
    subject.log.write({.level = middleware::LogLevel::error, .message = fault.message, .code = code});
  return fail(Refusal{.code = code, .detail = fault.message, .field = fault.field});
}

Json json_of(const middleware::SessionView& view) {
  return {{"session", view.session}, {"keys", view.keys}, {"created", view.created}, {"updated", view.updated}};
}

Json json_of(const middleware::MadeKey& made) {
  Json json{{"key", made.key}};
  json.update(json_of(made.view));
  return json;
}

void note(const Subject& subject, std::string_view what, const std::string& id) {
  const std::string message = "admin: session '" + id + "' " + std::string(what);
  subject.log.write({.level = middleware::LogLevel::info, .message = message});
}

tl::unexpected<Refusal> bad(std::string_view field, std::string_view detail) {
  return fail(Refusal{.code = code::kBadAdminRequest, .detail = std::string(detail), .field = std::string(field)});
}

Result<middleware::Rotation, Refusal> rotation_of(const Json& body) {
  middleware::Rotation rotation;
  if (body.is_null()) return rotation;
  if (!body.is_object()) return bad("", "an object is needed");
  for (const auto& [name, value] : body.items()) {
    if (name == "key" && value.is_string())
      rotation.key = value.get<std::string>();
    else if (name == "keep_until" && value.is_number())
      rotation.keep_until = value.get<double>();
    else
      return bad(name, name == "key" ? "a text is needed" : name == "keep_until" ? "a number is needed" : "unknown");
  }
  if (body.contains("key") && rotation.key.empty()) return bad("key", "the text is empty");
  return rotation;
}

}  // namespace

Outcome create_key(const Subject& subject, const Call& call) {
  const auto made = Keys(subject.store).create(call.body);
  if (!made) return refused(subject, made.error());
  const auto id = made->view.session["id"].get<std::string>();
  note(subject, "is made", id);
  return json_answer(201, json_of(*made));
}

Outcome list_keys(const Subject& subject, const Call& call) {
  middleware::SessionQuery query{
      .org = call.parameter("org"), .tag = call.parameter("tag"), .after = call.parameter("after")};
  if (const std::string limit = call.parameter("limit"); !limit.empty()) {
    const auto [end, problem] = std::from_chars(limit.data(), limit.data() + limit.size(), query.limit);
    const bool whole = problem == std::errc() && end == limit.data() + limit.size();
    if (!whole || query.limit == 0 || query.limit > Keys::kMostListed) return bad("limit", "a number from 1 to 1000");
  }
  if (query.after.size() > middleware::kMaxSessionText) return bad("after", "it is no id");
  const auto page = Keys(subject.store).list(query);
  if (!page) return refused(subject, page.error());
  Json sessions = Json::array();
  for (const middleware::SessionView& each : page->sessions)
    sessions.push_back(json_of(each));
  Json json{{"sessions", std::move(sessions)}};
  if (!page->next.empty()) json["next"] = page->next;
  return json_answer(200, json);
}

Outcome show_key(const Subject& subject, const Call& call) {
  const auto view = Keys(subject.store).show(call.parameter("id"));
  if (!view) return refused(subject, view.error());
  return json_answer(200, json_of(*view));
}

Outcome update_key(const Subject& subject, const Call& call) {
  const std::string id = call.parameter("id");
  const auto view = Keys(subject.store).update(id, call.body);
  if (!view) return refused(subject, view.error());
  note(subject, "is changed", id);
  return json_answer(200, json_of(*view));
}

Outcome revoke_key(const Subject& subject, const Call& call) {
  const std::string id = call.parameter("id");
  const auto revoked = Keys(subject.store).revoke(id);
  if (!revoked) return refused(subject, revoked.error());
  note(subject, "is revoked", id);
  return Answer{.status = 204};
}

Outcome rotate_key(const Subject& subject, const Call& call) {
  const std::string id = call.parameter("id");
  const auto rotation = rotation_of(call.body);
  if (!rotation) return fail(rotation.error());
  const auto made = Keys(subject.store).rotate(id, *rotation);
  if (!made) return refused(subject, made.error());
  note(subject, "has a new key", id);
  return json_answer(200, json_of(*made));
}

}  // namespace lingate::admin
