#include "gateway/config/reference.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gateway/config/values.h"

namespace lingate::config {
namespace {

std::string bound(const Field& field, std::int64_t value) {
  if (field.type == Type::duration) return show_duration(Duration(value));
  if (field.type == Type::size) return show_size(static_cast<std::uint64_t>(value));
  return std::to_string(value);
}

std::string value_in_words(const Field& field) {
  switch (field.type) {
    case Type::flag: return "true or false";
    case Type::integer: return "number";
    case Type::duration: return "duration";
    case Type::size: return "size";
    case Type::text: return "text or secret";
    case Type::name: return "name";
    case Type::choice: return fmt::format("one of {}", fmt::join(split_words(field.words), ", "));
    case Type::header_name:
    case Type::any_header_name: return "header name";
    case Type::method: return "method";
    case Type::host_pattern: return "host";
    case Type::path_pattern: return "path pattern";
    case Type::path_prefix: return "path";
    case Type::request_path: return "path";
    case Type::path_template:
    case Type::query_template: return "text with {name}";
    case Type::location: return "URL or path with {name}";
    case Type::listen_address: return "address";
    case Type::target_url: return "URL";
    case Type::network: return "network";
    case Type::origin: return "origin";
    case Type::hash_key: return "client, host, path, header.NAME, cookie.NAME or query.NAME";
    case Type::rate: return "rate: requests/time";
    case Type::share: return "share: a number and %";
    case Type::count_key: return "session.id, client.ip, route, header.NAME or ctx.NAME";
    case Type::output: return "file";
    case Type::folder: return "folder";
    case Type::script_file: return "file";
    case Type::existing_path: return "file or folder";
    case Type::file_pattern: return "file, or pattern of files";
    case Type::upstream_name: return "name of an upstream";
    case Type::chain_name: return "name of a chain";
    case Type::header_lines: return "names with a text or a list of texts";
    case Type::header_conditions:
    case Type::query_conditions: return "names with a text, true or false";
    case Type::any: return "any value";
    case Type::any_with_secrets: return "any value, secrets allowed";
    case Type::users: return "hashes by name, or a file";
    case Type::token: return "secret";
    case Type::section: return "keys";
    case Type::chain: return "list of steps";
  }
  return {};
}

// "routes[].match.path" without list marks and NAME.
std::string plain_path(std::string_view path) {
  std::string result(path);
  for (const std::string_view mark : {"[]", ".NAME"})
    for (std::size_t at = result.find(mark); at != std::string::npos; at = result.find(mark))
      result.erase(at, mark.size());
  return result;
}

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", cell(text));
}

std::string heading_of(const Section& section) {
  if (section.name.empty()) return "The top";
  if (section.name.starts_with("step.")) return fmt::format("Step `{}`", section.name.substr(5));
  return fmt::format("`{}`", section.name);
}

}  // namespace

std::string type_in_words(const Field& field) {
  std::string text = value_in_words(field);
  const bool bounded = field.most != Field::kUnbounded;
  if (bounded && field.least != field.most)
    text += fmt::format(", {} to {}", bound(field, field.least), bound(field, field.most));
  if (field.type != Type::choice && !field.words.empty())
    text += fmt::format(", or {}", fmt::join(split_words(field.words), " or "));
  switch (field.shape) {
    case Shape::one: return text;
    case Shape::list: return "list of: " + text;
    case Shape::one_or_list: return text + "; one or a list";
    case Shape::map: return "by name: " + text;
  }
  return text;
}

std::string default_in_words(const Field& field) {
  const bool plain = !field.fallback.empty() && field.fallback != "{}";
  if (plain && !field.says.empty()) return fmt::format("{} ({})", field.fallback, field.says);
  return std::string(plain ? field.fallback : field.says);
}

std::vector<Located> find_keys(std::string_view key) {
  std::vector<Located> exact;
  std::vector<Located> ending;
  const std::string wanted = plain_path(key);
  for (Located& each : locate_all()) {
    const std::string path = plain_path(each.path);
    if (path == wanted) exact.push_back(each);
    if (path.ends_with("." + wanted) || path == wanted) ending.push_back(std::move(each));
  }
  return exact.empty() ? ending : exact;
}

std::string schema_markdown() {
  std::string page =
      "# Configuration reference\n\n"
      "YAML 1.2. Durations are an integer and `us`, `ms`, `s`, `m` or `h`; sizes an integer and `B`, `KiB`, `MiB` or "
      "`GiB`. A secret is `{env: NAME}` or `{file: PATH}`. Paths are relative to the file that they stand in. "
      "Top-level "
      "keys "
      "that begin with `x-` are ignored and may hold anchors.\n";
  for (const Section& section : all_sections()) {
    page += fmt::format("\n## {}\n\n{}\n\n", heading_of(section), section.doc);
    if (fields_of(section.name).empty()) continue;
    page += "| key | takes | default | meaning | example |\n|---|---|---|---|---|\n";
    for (const Field& field : fields_of(section.name))
      page += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", field.name, field.required ? " (required)" : "",
                          cell(type_in_words(field)), cell(default_in_words(field)), cell(field.doc),
                          code(fmt::format("{}: {}", field.name, field.example)));
  }
  return page;
}

}  // namespace lingate::config
