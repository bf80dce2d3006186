// The JSON Schema (draft-07) of a configuration: half of reference.h, apart because it needs a JSON library.
#include <nlohmann/json.hpp>

#include "gateway/config/reference.h"

namespace lingate::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kToken = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

std::string definition(std::string_view section) {
  return section.empty() ? "top" : std::string(section);
}

Json reference(std::string_view name) {
  return {{"$ref", "#/definitions/" + std::string(name)}};
}

Json any_of(Json first, Json second) {
  Json both = Json::array();
  both.push_back(std::move(first));
  both.push_back(std::move(second));
  return {{"anyOf", std::move(both)}};
}

Json text_like(std::string_view pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

// Words as YAML reads them: 503 is a number.
Json words(std::string_view list) {
  Json values = Json::array();
  for (const std::string_view word : split_words(list)) {
    const bool number = word.find_first_not_of("0123456789") == std::string_view::npos;
    if (number) values.push_back(std::stoi(std::string(word)));
    values.push_back(word);
  }
  return {{"enum", std::move(values)}};
}

Json mapping(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

Json list_of(Json item) {
  return {{"type", "array"}, {"items", std::move(item)}};
}

Json integer(const Field& field) {
  Json schema{{"type", "integer"}, {"minimum", field.least}};
  if (field.most != Field::kUnbounded) schema["maximum"] = field.most;
  return schema;
}

Json value(const Field& field);

// The keys of a section, or what its shorthand takes.
Json section_schema(std::string_view name) {
  const Section& info = section(name);
  const Field* bare = info.shorthand.empty() ? nullptr : find_field(name, info.shorthand);
  return bare ? any_of(reference(definition(name)), value(*bare)) : reference(definition(name));
}

Json value(const Field& field) {
  switch (field.type) {
    case Type::flag: return {{"type", "boolean"}};
    case Type::integer: return integer(field);
    case Type::duration: return text_like("^[0-9]+(us|ms|s|m|h)$");
    case Type::size: return text_like("^[0-9]+(B|KiB|MiB|GiB)$");
    case Type::rate: return text_like("^[0-9]+/[0-9]+(us|ms|s|m|h)$");
    case Type::share: return text_like("^[0-9]+(\\.[0-9]+)?%$");
    case Type::count_key: return text_like("^(session\\.id|client\\.ip|route|header\\..+|ctx\\..+)$");
    case Type::text: return reference("text");
    case Type::choice: return words(field.words);
    case Type::header_name:
    case Type::any_header_name:
    case Type::method: return text_like(kToken);
    case Type::path_pattern:
    case Type::path_prefix:
    case Type::request_path:
    case Type::path_template: return text_like("^/");
    case Type::target_url: return text_like("^(http://|unix:)");
    case Type::header_lines: return mapping(any_of(reference("text"), list_of(reference("text"))));
    case Type::header_conditions:
    case Type::query_conditions: return mapping(any_of(reference("text"), {{"type", "boolean"}}));
    case Type::any:
    case Type::any_with_secrets: return Json::object();
    case Type::users: return any_of(mapping(reference("text")), list_of(reference("text")));
    case Type::token: return reference("secret");
    case Type::section: return section_schema(field.of);
    case Type::chain: return list_of(reference("step"));
    default: return {{"type", "string"}};
  }
}

Json shaped(const Field& field) {
  Json item = value(field);
  const bool more_words = field.type != Type::choice && field.type != Type::output && !field.words.empty();
  if (more_words) item = any_of(words(field.words), std::move(item));
  switch (field.shape) {
    case Shape::one: return item;
    case Shape::list: return list_of(std::move(item));
    case Shape::one_or_list: return any_of(item, list_of(item));
    case Shape::map: return mapping(std::move(item));
  }
  return item;
}

Json section_definition(const Section& section) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Field& field : fields_of(section.name)) {
    Json schema = shaped(field);
    if (schema.contains("$ref"))
      schema = Json{{"allOf", Json::array({schema})}};  // draft-07 ignores what is beside $ref
    schema["description"] = field.doc;
    if (const std::string text = default_in_words(field); !text.empty())
      schema["description"] = std::string(field.doc) + " Default: " + text + ".";
    properties[std::string(field.name)] = std::move(schema);
    if (field.required) required.push_back(field.name);
  }
  Json schema{{"type", "object"}, {"description", section.doc}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (section.name.empty()) schema["patternProperties"] = {{"^x-", Json::object()}};
  schema["additionalProperties"] = false;
  return schema;
}

bool needs_options(std::string_view step) {
  const auto fields = fields_of("step." + std::string(step));
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.required; });
}

// A bare name, or a mapping with one step and its options.
Json step_definition() {
  Json names = Json::array();
  Json choices = Json::array();
  for (const std::string_view step : step_names())
    if (!needs_options(step)) names.push_back(step);
  choices.push_back({{"enum", std::move(names)}});
  for (const std::string_view step : step_names()) {
    Json options = section_schema("step." + std::string(step));
    if (!needs_options(step)) options = any_of(std::move(options), {{"type", "null"}});
    choices.push_back({{"type", "object"},
                       {"properties", {{std::string(step), std::move(options)}}},
                       {"required", Json::array({step})},
                       {"additionalProperties", false}});
  }
  return {{"anyOf", std::move(choices)}};
}

Json secret(std::string_view key) {
  return {{"type", "object"},
          {"properties", {{std::string(key), {{"type", "string"}}}}},
          {"required", Json::array({key})},
          {"additionalProperties", false}};
}

}  // namespace

std::string schema_json() {
  Json definitions = Json::object();
  for (const Section& section : all_sections())
    definitions[definition(section.name)] = section_definition(section);
  definitions["step"] = step_definition();
  definitions["secret"] = {{"anyOf", Json::array({secret("env"), secret("file")})}};
  definitions["text"] = {{"anyOf", Json::array({{{"type", "string"}}, secret("env"), secret("file")})}};
  const Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                    {"title", "lingate configuration"},
                    {"allOf", Json::array({reference("top")})},
                    {"definitions", std::move(definitions)}};
  return schema.dump(2);
}

}  // namespace lingate::config
