#include "gateway/admin/openapi.h"

#include <regex>
#include <set>

#include "tests/admin/support.h"

namespace lingate::admin {
namespace {

const Json& document() {
  static const Json made = openapi_document();
  return made;
}

// Every "$ref" below, and every value under "name" keys is left alone.
void references(const Json& json, std::set<std::string>& found) {
  if (json.is_object() && json.contains("$ref")) found.insert(json["$ref"].get<std::string>());
  if (json.is_structured())
    for (const Json& each : json)
      references(each, found);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    c = static_cast<char>(std::tolower(c));
  return result;
}

TEST(OpenApi, HasWhatTheSpecificationDemands) {
  EXPECT_EQ(document()["openapi"], "3.1.0");
  EXPECT_TRUE(document()["info"]["title"].is_string());
  EXPECT_TRUE(document()["info"]["version"].is_string());
  for (const auto& [path, item] : document()["paths"].items()) {
    EXPECT_TRUE(path.starts_with("/")) << path;
    for (const auto& [method, operation] : item.items()) {
      EXPECT_TRUE(operation["operationId"].is_string()) << path << method;
      ASSERT_FALSE(operation["responses"].empty()) << path << method;
      for (const auto& [status, response] : operation["responses"].items()) {
        EXPECT_TRUE(std::regex_match(status, std::regex("[1-5][0-9][0-9]"))) << status;
        EXPECT_TRUE(response["description"].is_string());
        if (!response.contains("content")) continue;
        for (const auto& [type, media] : response["content"].items())
          EXPECT_TRUE(std::regex_match(type, std::regex("[a-z]+/[a-z+.-]+")) && media.contains("schema")) << type;
      }
    }
  }
}

TEST(OpenApi, NamesEveryOperationOfTheTableAndNoOther) {
  std::set<std::pair<std::string, std::string>> described;
  std::set<std::string> ids;
  for (const auto& [path, item] : document()["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      described.emplace(path, method);
      EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second) << operation["operationId"];
    }
  std::set<std::pair<std::string, std::string>> served;
  for (const Operation& each : operations())
    served.emplace(each.path, lower(each.method));
  EXPECT_EQ(described, served);
  EXPECT_EQ(served.size(), operations().size());
}

TEST(OpenApi, DescribesEveryParameterOfAPath) {
  for (const auto& [path, item] : document()["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      std::set<std::string> wanted;
      const std::regex name(R"(\{(\w+)\})");
      for (std::sregex_iterator at(path.begin(), path.end(), name), end; at != end; ++at)
        wanted.insert((*at)[1]);
      std::set<std::string> given;
      for (const Json& each : operation.value("parameters", Json::array())) {
        EXPECT_TRUE(each.contains("schema"));
        if (each["in"] == "path") {
          EXPECT_EQ(each["required"], true);
          given.insert(each["name"].get<std::string>());
        }
      }
      EXPECT_EQ(given, wanted) << method << path;
    }
}

TEST(OpenApi, HasNoDanglingReferenceAndNoUnusedSchema) {
  std::set<std::string> found;
  references(document(), found);
  std::set<std::string> defined;
  for (const auto& [name, schema] : document()["components"]["schemas"].items())
    defined.insert("#/components/schemas/" + name);
  EXPECT_EQ(found, defined);
}

TEST(OpenApi, SaysWhichOperationsNeedTheToken) {
  EXPECT_EQ(document()["components"]["securitySchemes"]["token"]["scheme"], "bearer");
  EXPECT_EQ(document()["security"].dump(), R"([{"token":[]}])");
  for (const Operation& each : operations()) {
    const Json& operation = document()["paths"][std::string(each.path)][lower(each.method)];
    EXPECT_EQ(operation.contains("security"), each.access != Access::token) << each.id;
    EXPECT_EQ(operation["responses"].contains("401"), each.access == Access::token) << each.id;
    EXPECT_EQ(operation.contains("requestBody"), each.body != Body::none) << each.id;
  }
}

TEST(OpenApi, TheSessionHasTheFieldsOfTheContract) {
  std::vector<std::string> names;
  for (const auto& [name, schema] : document()["components"]["schemas"]["Session"]["properties"].items())
    names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("id", "alias", "org", "tags", "metadata", "rate", "per", "burst", "quota_max",
                                          "quota_remaining", "quota_renews", "expires"));
}

}  // namespace
}  // namespace lingate::admin
