#include "gateway/cli/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/cli/line_diff.h"
#include "gateway/cli/text.h"
#include "gateway/config/hide.h"
#include "gateway/config/loader.h"
#include "gateway/config/yaml.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{120};  // scripts are loaded meanwhile, each within 5 s

void print_json(const Json& json, Console& console) {
  console.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

// Only scripts are to blame: their codes are LG3xxx.
int exit_code_of(const Json& problem) {
  const Json diagnostics = problem.value("diagnostics", Json::array());
  const auto of_script = [](const Json& each) {
    return each.value("severity", "") == "warning" || each.value("code", std::string()).starts_with("LG3");
  };
  const bool scripts = !diagnostics.empty() && std::all_of(diagnostics.begin(), diagnostics.end(), of_script);
  return scripts ? kScriptFailed : kConfigurationInvalid;
}

// Asks for another configuration to run, and says what became of it.
int ask_to_replace(AdminRequest request, const ConfigWords& words, Console& console) {
  int code = kOk;
  const auto place = find_admin(words.admin, console, code);
  if (!place) return code;
  request.token = place->token;
  request.patience = kPatience;
  const auto answer = ask_admin(place->address, request);
  const Json json = answer ? Json::parse(answer->body, nullptr, false) : Json();
  if (!answer || !json.is_object() || answer->status >= 300) {
    if (!json.is_object() || json.value("code", std::string()) != code_name(code::kConfigRefused))
      return report_failure(*place, answer, console);
    console.error << json.value("report", std::string())
                  << fmt::format("lingate: not applied, what ran runs on: {}\n",
                                 config::printable(json.value("detail", std::string())));
    return exit_code_of(json);
  }
  if (words.json) return print_json(json, console), kOk;
  console.error << json.value("report", std::string());
  console.out << fmt::format("generation {} runs\n", json.value("generation", 0));
  for (const Json& note : json.value("notes", Json::array()))
    console.out << fmt::format("with the next start only: {}\n", note.get<std::string>());
  return kOk;
}

int show(const Json& shown, const ConfigWords& words, Console& console) {
  if (words.json) return print_json(shown, console), kOk;
  console.out << shown.value("yaml", std::string());
  for (const Json& each : shown.value("included", Json::array()))
    console.out << fmt::format("\n# ---- {} ----\n{}", each.value("file", std::string()),
                               each.value("yaml", std::string()));
  return kOk;
}

// One file of a configuration, secrets hidden.
struct File {
  std::string name;
  std::string text;
};
using Files = std::map<std::string, File>;  // by path; the first file's is empty

Files running_files(const Json& shown) {
  Files files;
  files[""] = {"", shown.value("yaml", std::string())};
  for (const Json& each : shown.value("included", Json::array()))
    files[each.value("path", std::string())] = {each.value("file", std::string()), each.value("yaml", std::string())};
  return files;
}

Files files_on_disk(const std::string& path, std::string_view text) {
  Files files;
  files[""] = {path, config::hide_secrets(text)};
  for (const config::WrittenFile& each : config::load_file(path).written.included)
    files[each.path] = {each.name, config::hide_secrets(each.text)};
  return files;
}

// Of the files as they are now; secrets are hidden in both.
int diff(const Json& shown, const ConfigWords& words, Console& console) {
  const std::string& file = words.admin.config;
  const auto text = read_file(file, config::Document::kMostBytes);
  if (!text) {
    console.error << fmt::format("lingate: {}: {}\n", file, text.error());
    return kConfigurationInvalid;
  }
  const std::string running = fmt::format("running (generation {})", shown.value("generation", 0));
  Files before = running_files(shown);
  Files after = files_on_disk(file, *text);
  std::string changes;
  for (auto& [path, now] : after) {
    const File was = std::exchange(before[path], {});
    changes += line_diff(was.text, now.text, {.before = running, .after = now.name});
  }
  for (const auto& [path, was] : before)
    changes += line_diff(was.text, {}, {.before = running, .after = fmt::format("{} (not included)", was.name)});
  if (words.json)
    print_json({{"differs", !changes.empty()}, {"diff", changes}}, console);
  else
    console.out << (changes.empty() ? "the file is what runs\n" : changes);
  return changes.empty() ? kOk : kWouldChange;
}

int history(const Json& shown, const ConfigWords& words, Console& console) {
  if (words.json) return print_json(shown, console), kOk;
  constexpr std::string_view kRow = "{:<12} {:<10} {}\n";
  console.out << bold(fmt::format(kRow, "GENERATION", "ORIGIN", "SINCE"), console.out_paint);
  for (const Json& each : shown.value("generations", Json::array()))
    console.out << fmt::format(kRow, each.value("generation", 0), each.value("origin", std::string()),
                               each.value("since", std::string()));
  return kOk;
}

}  // namespace

int reload(const ConfigWords& words, Console& console) {
  return ask_to_replace({.method = "POST", .target = "/config/reload"}, words, console);
}

int config(const CLI::App& config, const ConfigWords& words, Console& console) {
  const std::string verb = config.get_subcommands().front()->get_name();
  if (verb == "rollback")
    return ask_to_replace(
        {.method = "POST", .target = "/config/rollback", .body = Json{{"generation", words.generation}}.dump()}, words,
        console);
  int code = kOk;
  const auto place = find_admin(words.admin, console, code);
  if (!place) return code;
  const auto shown = ask(*place, {.target = verb == "history" ? "/config/history" : "/config"}, console);
  if (!shown) return shown.error();
  if (verb == "history") return history(*shown, words, console);
  return verb == "diff" ? diff(*shown, words, console) : show(*shown, words, console);
}

void describe_config(CLI::App& config, ConfigWords& words) {
  config.require_subcommand(1);
  describe_admin(config.add_subcommand("show", "Print the configuration that the gateway runs, secrets hidden"),
                 words.admin, words.json);
  CLI::App* diff = config.add_subcommand("diff", "Compare what runs with the file -c; exit code 4 if they differ");
  describe_admin(diff, words.admin, words.json);
  diff->get_option("--config")->required();
  describe_admin(config.add_subcommand("history", "List the configurations that ran since the gateway's start"),
                 words.admin, words.json);
  CLI::App* back = config.add_subcommand("rollback", "Let a configuration of the history run again");
  back->add_option("GENERATION", words.generation, "its number, as `history` lists it")->required()->type_name("");
  describe_admin(back, words.admin, words.json);
}

void describe_reload(CLI::App& reload, ConfigWords& words) {
  describe_admin(&reload, words.admin, words.json);
}

}  // namespace lingate::cli
