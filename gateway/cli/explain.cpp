#include <algorithm>
#include <charconv>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "base/similar.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/text.h"
#include "gateway/config/reference.h"

namespace lingate::cli {
namespace {

using config::Located;

// "LG2001", "lg2001", "2001"
const CodeInfo* code_named(std::string_view text) {
  if (text.starts_with("LG") || text.starts_with("lg")) text.remove_prefix(2);
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? find_code(number) : nullptr;
}

void print_code(const CodeInfo& info, const ExplainOptions& options, Console& console) {
  if (options.format == Format::json) {
    const nlohmann::ordered_json json{{"code", code_name(info.code)},
                                      {"title", info.title},
                                      {"status", info.status},
                                      {"explanation", info.explanation},
                                      {"cure", info.cure}};
    console.out << json.dump(2) << "\n";
    return;
  }
  console.out << bold(fmt::format("{}: {}", code_name(info.code), info.title), console.out_paint) << "\n";
  if (info.status != 0) console.out << fmt::format("  answered with status {}\n", info.status);
  console.out << "\n" << wrap(info.explanation, 2) << "\n" << wrap("What to do: " + std::string(info.cure), 2);
}

void print_key(const Located& located, Console& console) {
  const config::Field& field = *located.field;
  console.out << bold(located.path, console.out_paint) << (field.required ? "  (required)" : "") << "\n"
              << wrap(field.doc, 2) << fmt::format("\n  takes    {}\n", config::type_in_words(field));
  if (const std::string text = config::default_in_words(field); !text.empty())
    console.out << fmt::format("  default  {}\n", text);
  console.out << fmt::format("  example  {}: {}\n", field.name, field.example);
  const auto below =
      field.type == config::Type::section ? config::fields_of(field.of) : std::span<const config::Field>();
  if (!below.empty()) console.out << "\n  keys\n";
  for (const config::Field& each : below)
    console.out << fmt::format("    {:<16}{}\n", each.name, each.doc);
}

nlohmann::ordered_json json_of(const Located& located) {
  const config::Field& field = *located.field;
  return {{"key", located.path},
          {"takes", config::type_in_words(field)},
          {"default", config::default_in_words(field)},
          {"required", field.required},
          {"example", field.example},
          {"doc", field.doc}};
}

bool is_step(std::string_view name) {
  const auto steps = config::step_names();
  return std::find(steps.begin(), steps.end(), name) != steps.end();
}

void print_step(std::string_view name, Console& console) {
  const std::string section = fmt::format("step.{}", name);
  console.out << bold(fmt::format("step {}", name), console.out_paint)
              << fmt::format("\n  {}\n\n  options\n", config::section(section).doc);
  for (const config::Field& each : config::fields_of(section))
    console.out << fmt::format("    {:<16}{}\n", each.name, each.doc);
}

nlohmann::ordered_json json_of_step(std::string_view name) {
  const std::string section = fmt::format("step.{}", name);
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const config::Field& each : config::fields_of(section))
    options.push_back(json_of({fmt::format("{}.{}", name, each.name), &each}));
  return {{"step", name}, {"doc", config::section(section).doc}, {"options", std::move(options)}};
}

// A step's name explains the step, "cors", and the keys of that name.
void print_keys(std::string_view name, const std::vector<Located>& keys, Console& console) {
  if (is_step(name)) print_step(name, console);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0 || is_step(name)) console.out << "\n";
    print_key(keys[i], console);
  }
}

void print_json(std::string_view name, const std::vector<Located>& keys, Console& console) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  if (is_step(name)) all.push_back(json_of_step(name));
  for (const Located& each : keys)
    all.push_back(json_of(each));
  console.out << all.dump(2) << "\n";
}

int unknown(const ExplainOptions& options, Console& console) {
  const std::vector<Located> all = config::locate_all();
  std::vector<std::string_view> names;
  for (const Located& each : all) {
    names.push_back(each.path);
    names.push_back(each.field->name);
  }
  const std::string_view meant = closest(options.subject, names);
  console.error << "lingate: there is no code and no key '" << options.subject << "'"
                << (meant.empty() ? "; 'lingate schema --markdown' lists all keys"
                                  : "; did you mean '" + std::string(meant) + "'?")
                << "\n";
  return kUsage;
}

}  // namespace

int explain(const ExplainOptions& options, Console& console) {
  if (const CodeInfo* info = code_named(options.subject)) return print_code(*info, options, console), kOk;
  const std::vector<Located> keys = config::find_keys(options.subject);
  if (keys.empty() && !is_step(options.subject)) return unknown(options, console);
  const auto print = options.format == Format::json ? print_json : print_keys;
  print(options.subject, keys, console);
  return kOk;
}

}  // namespace lingate::cli
