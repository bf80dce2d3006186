#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gateway/cli/commands.h"
#include "gateway/cli/scripts.h"
#include "gateway/config/loader.h"

namespace lingate::cli {
namespace {

using config::Diagnostic;

// What is known of one file.
struct Checked {
  std::string file;
  config::Loaded loaded;
  std::vector<BadScript> scripts;

  std::size_t errors() const {
    return static_cast<std::size_t>(
        std::count_if(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                      [](const Diagnostic& each) { return each.severity == config::Severity::error; }));
  }
  int exit_code() const {
    if (!loaded.model) return kConfigurationInvalid;
    return scripts.empty() ? kOk : kScriptFailed;
  }
};

config::Loaded load_standard_input(const CheckOptions& options) {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (options.as.empty()) return config::load_text("<stdin>", std::move(text), {options.folder, {}});
  return config::load_text(options.as, std::move(text), {std::filesystem::path(options.as).parent_path(), {}});
}

Checked check_one(const std::string& file, const CheckOptions& options, Program& program) {
  Checked checked{file, file == "-" ? load_standard_input(options) : config::load_file(file), {}};
  if (checked.loaded.model) checked.scripts = find_bad_scripts(*checked.loaded.model, program);
  return checked;
}

std::string count(std::size_t number, std::string_view thing) {
  return fmt::format("{} {}{}", number, thing, number == 1 ? "" : "s");
}

std::string verdict(const Checked& checked) {
  const std::size_t warnings = checked.loaded.diagnostics.size() - checked.errors();
  const std::string and_warnings = warnings == 0 ? "" : ", " + count(warnings, "warning");
  if (!checked.loaded.model) return count(checked.errors(), "error") + and_warnings;
  if (!checked.scripts.empty()) return count(checked.scripts.size(), "script") + " failed to load" + and_warnings;
  return fmt::format("ok ({}, {}){}", count(checked.loaded.model->routes.size(), "route"),
                     count(checked.loaded.model->upstreams.size(), "upstream"), and_warnings);
}

void print_text(const Checked& checked, Console& console) {
  for (const Diagnostic& each : checked.loaded.diagnostics)
    console.out << config::render(each, console.out_paint);
  for (const BadScript& each : checked.scripts)
    print(each, console.out, console.out_paint);
  console.out << config::printable(checked.file) << ": " << verdict(checked) << "\n";
}

nlohmann::json json_of(const Checked& checked) {
  std::vector<Diagnostic> diagnostics;
  for (const BadScript& each : checked.scripts)
    diagnostics.push_back(each.diagnostic);
  nlohmann::json scripts = nlohmann::json::parse(config::render_json(diagnostics));
  for (std::size_t i = 0; i < scripts.size(); ++i)
    scripts[i]["stack"] = checked.scripts[i].stack;
  return {{"file", checked.file},
          {"ok", checked.exit_code() == kOk},
          {"diagnostics", nlohmann::json::parse(config::render_json(checked.loaded.diagnostics))},
          {"scripts", std::move(scripts)}};
}

}  // namespace

int check(const CheckOptions& options, Program& program, Console& console) {
  nlohmann::json all = nlohmann::json::array();
  int worst = kOk;
  for (const std::string& file : options.files) {
    const Checked checked = check_one(file, options, program);
    if (options.format == Format::text) print_text(checked, console);
    if (options.format == Format::json) all.push_back(json_of(checked));
    if (worst != kConfigurationInvalid && checked.exit_code() != kOk) worst = checked.exit_code();
  }
  if (options.format == Format::json)
    console.out << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return worst;
}

}  // namespace lingate::cli
