#include "gateway/config/fields.h"

#include <set>

#include <nlohmann/json.hpp>

#include "gateway/config/reference.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

TEST(FieldTable, EveryRowIsDocumentedWithAnExample) {
  for (const Field& field : all_fields()) {
    EXPECT_TRUE(field.doc.ends_with(".")) << field.section << "." << field.name;
    EXPECT_FALSE(field.example.empty()) << field.section << "." << field.name;
    EXPECT_FALSE(type_in_words(field).empty()) << field.section << "." << field.name;
  }
}

TEST(FieldTable, EveryOptionalValueSaysItsDefault) {
  const std::set<Type> without = {
      Type::section,          Type::chain,         Type::any,           Type::any_with_secrets,
      Type::header_lines,     Type::text,          Type::path_prefix,   Type::header_conditions,
      Type::query_conditions, Type::path_template, Type::query_template};
  for (const Field& field : all_fields()) {
    if (field.required || without.count(field.type) || field.section == "step.rewrite" ||
        field.section == "step.headers.edits")
      continue;
    EXPECT_FALSE(default_in_words(field).empty()) << field.section << "." << field.name;
  }
}

TEST(FieldTable, NoSectionHasAKeyTwice) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Field& field : all_fields())
    EXPECT_TRUE(seen.emplace(field.section, field.name).second) << field.section << "." << field.name;
}

TEST(FieldTable, EverySectionIsReachedAndDescribed) {
  std::set<std::string_view> described;
  for (const Section& each : all_sections())
    described.insert(each.name);
  std::set<std::string_view> reached;
  for (const Located& each : locate_all())
    reached.insert(each.field->section);
  for (const Field& field : all_fields()) {
    EXPECT_TRUE(described.count(field.section)) << field.section;
    EXPECT_TRUE(reached.count(field.section)) << field.section;
    if (field.type == Type::section) {
      EXPECT_FALSE(fields_of(field.of).empty()) << field.name;
    }
  }
}

TEST(FieldTable, EveryShorthandIsAKeyOfItsSection) {
  for (const Section& each : all_sections()) {
    if (each.shorthand.empty()) continue;
    EXPECT_NE(find_field(each.name, each.shorthand), nullptr) << each.name;
  }
}

// Puts `key: example` where it belongs, beside what its section demands.
std::string with_example(const Located& located) {
  std::string path = located.path;
  if (located.field->section.starts_with("step.")) path = "chains.c[]." + path;
  std::string inner = fmt::format("\"{}\": {}", located.field->name, located.field->example);
  for (const Field& other : fields_of(located.field->section))
    if (other.required && other.name != located.field->name)
      inner += fmt::format(", {}: {}", other.name, other.example);
  std::string text = "{" + inner + "}";
  while (path.find('.') != std::string::npos) {
    path.erase(path.rfind('.'));
    std::string key = path.substr(path.rfind('.') + 1);
    const bool list = key.ends_with("[]");
    if (list) key.resize(key.size() - 2);
    text = fmt::format("{{\"{}\": {}}}", key, list ? "[" + text + "]" : text);
  }
  return text;
}

TEST(FieldTable, EveryExampleIsValid) {
  folder().write("scripts/tenant.lua", "");
  std::filesystem::create_directory(folder().path() / "logs");
  std::filesystem::create_directories(folder().path() / "data/spool");
  folder().write("data/geo.db", "");
  std::filesystem::create_directory(folder().path() / "routes");
  folder().write("redis.password", "secret");
  for (const char* file : {"site.pem", "site.key", "a.pem", "a.key", "b.pem", "b.key", "clients.pem", "ca.pem",
                           "gateway.pem", "gateway.key", "upstreams.yaml"})
    folder().write(file, "");  // not what they should be: LG2031
  for (const Located& located : locate_all()) {
    const auto lines = show(load(with_example(located)).diagnostics);
    // Such a small configuration lacks other things; the value itself must be in order.
    for (const std::string& line : lines)
      EXPECT_THAT(line, testing::AnyOf(testing::HasSubstr("LG2005"),
                                       testing::HasSubstr("is larger than 'head', which it is a part of"),
                                       testing::HasSubstr("LG2010"), testing::HasSubstr("LG2022"),
                                       testing::HasSubstr("LG2026"), testing::HasSubstr("LG2029"),
                                       testing::HasSubstr("LG2031"), testing::HasSubstr("LG2103")))
          << with_example(located);
  }
}

TEST(Schema, IsDraft07AndNamesEveryKey) {
  const auto schema = nlohmann::json::parse(schema_json());
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  for (const Field& field : all_fields()) {
    const auto& definition = schema["definitions"][field.section.empty() ? "top" : std::string(field.section)];
    const std::string description = definition["properties"][std::string(field.name)]["description"];
    EXPECT_TRUE(description.starts_with(field.doc)) << field.name;
    EXPECT_EQ(definition["additionalProperties"], false);
    const auto required = definition.value("required", nlohmann::json::array());
    EXPECT_EQ(std::find(required.begin(), required.end(), field.name) != required.end(), field.required);
  }
}

void collect_references(const nlohmann::json& json, std::set<std::string>& references) {
  if (json.is_object() && json.contains("$ref")) references.insert(json["$ref"].get<std::string>());
  for (const auto& child : json)
    if (child.is_structured()) collect_references(child, references);
}

TEST(Schema, HasNoDanglingReferences) {
  const auto schema = nlohmann::json::parse(schema_json());
  std::set<std::string> references;
  collect_references(schema, references);
  EXPECT_GT(references.size(), 20U);
  for (const std::string& each : references)
    EXPECT_TRUE(schema["definitions"].contains(each.substr(std::string("#/definitions/").size()))) << each;
}

TEST(Schema, AsAPageNamesEveryKey) {
  const std::string page = schema_markdown();
  for (const Field& field : all_fields())
    EXPECT_NE(page.find("| `" + std::string(field.name) + "`"), std::string::npos) << field.name;
}

TEST(FindKeys, TakesWholePathsAndTheirEnds) {
  const auto paths = [](std::string_view key) {
    std::vector<std::string> found;
    for (const Located& each : find_keys(key))
      found.push_back(each.path);
    return found;
  };
  EXPECT_THAT(paths("routes[].match.path"), testing::ElementsAre("routes[].match.path"));
  EXPECT_THAT(paths("routes.match.path"), testing::ElementsAre("routes[].match.path"));
  EXPECT_THAT(paths("match.path"), testing::ElementsAre("routes[].match.path"));
  EXPECT_THAT(paths("upstreams.health.every"), testing::ElementsAre("upstreams.NAME.health.every"));
  EXPECT_THAT(paths("budget"), testing::ElementsAre("store.budget", "runtimes.lua.budget", "runtimes.python.budget",
                                                    "runtimes.js.budget", "script.budget"));
  EXPECT_THAT(paths("limits"), testing::ElementsAre("limits"));
  EXPECT_THAT(paths("nothing"), testing::IsEmpty());
}

}  // namespace
}  // namespace lingate::config
