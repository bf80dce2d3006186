#include "gateway/admin/openapi.h"

#include <algorithm>
#include <map>

#include "base/codes.h"
#include "base/version.h"
#include "gateway/admin/operations.h"

namespace lingate::admin {
namespace {

Json reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}

std::string_view media_type(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';'));
}

Json content(std::string_view type, Json schema) {
  return {{std::string(type), {{"schema", std::move(schema)}}}};
}

// The codes that any operation of its kind may answer with, and its own.
std::vector<int> problems_of(const Operation& operation) {
  std::vector<int> codes = operation.problems;
  codes.push_back(code::kAdminOrigin);
  if (operation.access != Access::probe) codes.push_back(code::kAdminHost);
  if (operation.access == Access::token) codes.push_back(code::kAdminTokenWrong);
  if (operation.is_change()) codes.push_back(code::kEnding);
  codes.push_back(code::kAdminBodyTooLarge);
  codes.push_back(code::kBadAdminRequest);
  if (operation.body != Body::none) codes.push_back(code::kAdminMediaType);
  return codes;
}

Json responses(const Operation& operation) {
  std::map<std::string, Json> by_status;
  std::map<std::string, std::string> titles;
  for (const int code : problems_of(operation)) {
    std::string& title = titles[std::to_string(status_of(code))];
    title += (title.empty() ? "" : "; ") + code_name(code) + " " + std::string(find_code(code)->title);
  }
  for (const auto& [status, title] : titles)
    by_status[status] = {{"description", title}, {"content", content(kProblemType, reference("Problem"))}};
  for (const Reply& reply : operation.replies) {
    Json& response = by_status[std::to_string(reply.status)];
    response = {{"description", reply.doc}};
    if (reply.type.empty()) continue;
    Json schema = reply.schema.empty() ? Json{{"type", "string"}} : reference(reply.schema);
    response["content"] = content(media_type(reply.type), std::move(schema));
  }
  Json all = Json::object();
  for (auto& [status, response] : by_status)
    all[status] = std::move(response);
  return all;
}

Json request_body(const Operation& operation) {
  Json body{{"required", operation.body != Body::optional_json}};
  if (operation.body == Body::yaml) {
    body["content"] = content("application/yaml", {{"type", "string"}});
  } else {
    body["content"] = content(kJsonType, reference(operation.body_schema));
    if (operation.body == Body::merge_patch)
      body["content"]["application/merge-patch+json"] = {{"schema", reference(operation.body_schema)}};
  }
  return body;
}

std::string_view place_of(In in) {
  switch (in) {
    case In::path: return "path";
    case In::query: return "query";
    case In::if_match: break;
  }
  return "header";
}

Json parameters(const Operation& operation) {
  Json all = Json::array();
  for (const Parameter& each : operation.parameters)
    all.push_back({{"name", each.name},
                   {"in", place_of(each.in)},
                   {"required", each.in == In::path},
                   {"description", each.doc},
                   {"schema", Json::parse(each.schema)}});
  return all;
}

Json describe(const Operation& operation) {
  Json json{{"operationId", operation.id}, {"summary", operation.summary}, {"tags", Json::array({operation.group})}};
  if (!operation.parameters.empty()) json["parameters"] = parameters(operation);
  if (operation.body != Body::none) json["requestBody"] = request_body(operation);
  json["responses"] = responses(operation);
  if (operation.access != Access::token) json["security"] = Json::array();
  return json;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
  return result;
}

}  // namespace

Json openapi_document() {
  Json paths = Json::object();
  for (const Operation& each : operations())
    paths[std::string(each.path)][lower(each.method)] = describe(each);
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "lingate admin API"},
            {"version", version()},
            {"description",
             "For those who operate a gateway. Every error is a problem document (RFC 9457). Ask by an IP address, by "
             "localhost or by one of `admin.hosts`; requests of pages of other origins are refused."}}},
          {"servers", Json::array({{{"url", "/"}}})},
          {"security", Json::array({{{"token", Json::array()}}})},
          {"paths", std::move(paths)},
          {"components",
           {{"securitySchemes",
             {{"token",
               {{"type", "http"}, {"scheme", "bearer"}, {"description", "What `admin.token` of the gateway says."}}}}},
            {"schemas", schemas()}}}};
}

}  // namespace lingate::admin
