#include "gateway/admin/api.h"

#include <algorithm>

#include "base/codes.h"

namespace lingate::admin {
namespace {

constexpr int kDeepest = 64;  // of a body; a session's metadata may have 32

// Brackets that are open at once, those in strings left out.
bool is_too_deep(std::string_view json) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\') ++i;
    if (c == '"') in_text = !in_text;
    if (in_text) continue;
    if ((c == '{' || c == '[') && ++depth > kDeepest) return true;
    if (c == '}' || c == ']') --depth;
  }
  return false;
}

}  // namespace

std::string Call::parameter(std::string_view name) const {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [name](const auto& each) { return each.first == name; });
  return found == parameters.end() ? std::string() : found->second;
}

Answer json_answer(int status, const Json& json) {
  // What a store gave back may be no UTF-8, which must not throw.
  return {status, std::string(kJsonType), json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", {}};
}

Answer problem(const Refusal& refusal, std::string_view request_id) {
  const CodeInfo* info = find_code(refusal.code);
  if (!info) info = find_code(code::kInternal);
  const int status = status_of(info->code);
  const std::string name = code_name(info->code);
  Json json{{"type", "urn:lingate:" + name}, {"title", info->title}, {"status", status}, {"code", name}};
  if (!refusal.detail.empty()) json["detail"] = refusal.detail;
  if (!refusal.field.empty()) json["field"] = refusal.field;
  json["request_id"] = request_id;
  if (refusal.more.is_object()) json.update(refusal.more);
  Answer answer = json_answer(status, json);
  answer.type = kProblemType;
  if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"lingate admin\"");
  if (!refusal.allow.empty()) answer.headers.emplace_back("Allow", refusal.allow);
  return answer;
}

Result<Json, Refusal> parse_body(std::string_view text) {
  if (is_too_deep(text))
    return fail(Refusal{code::kBadAdminRequest, "the body is nested deeper than " + std::to_string(kDeepest)});
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(Refusal{code::kBadAdminRequest, "the body is no JSON in UTF-8"});
  return json;
}

}  // namespace lingate::admin
