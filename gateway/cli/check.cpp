#include <algorithm>
#include <fstream>
#include <ostream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gateway/cli/commands.h"
#include "gateway/cli/text.h"
#include "gateway/config/loader.h"

namespace lingate::cli {
namespace {

using config::Diagnostic;

// What is known of one file.
struct Checked {
  std::string file;
  config::Loaded loaded;
  std::vector<Diagnostic> scripts;
  std::vector<std::vector<std::string>> stacks;  // beside `scripts`

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

std::string line_of(const std::string& path, std::uint32_t number) {
  std::ifstream file(path);
  std::string line;
  for (std::uint32_t at = 0; at < number; ++at)
    if (!std::getline(file, line)) return {};
  return line;
}

// A script's mistake, shown like one of the configuration.
Diagnostic diagnostic_of(const ScriptProblem& problem) {
  Diagnostic diagnostic;
  diagnostic.code = problem.code;
  diagnostic.message = problem.message;
  if (problem.file.empty()) {
    diagnostic.place = problem.step;
    diagnostic.line = line_of(problem.step.file, problem.step.line);
    return diagnostic;
  }
  diagnostic.place = {near_path(problem.file), problem.line, 1};
  diagnostic.line = line_of(problem.file, problem.line);
  const std::size_t begin = std::min(diagnostic.line.find_first_not_of(" \t"), diagnostic.line.size());
  diagnostic.place.column = static_cast<std::uint32_t>(begin + 1);
  diagnostic.width = static_cast<std::uint32_t>(std::max<std::size_t>(1, diagnostic.line.size() - begin));
  diagnostic.notes.push_back({problem.step, 1, line_of(problem.step.file, problem.step.line), "the step is here"});
  return diagnostic;
}

Checked check_one(const std::string& file, Program& program) {
  Checked checked{file, config::load_file(file), {}, {}};
  if (!checked.loaded.model) return checked;
  std::set<std::string> seen;  // several routes may use the same step
  for (const ScriptProblem& problem : program.check_scripts(*checked.loaded.model)) {
    Diagnostic diagnostic = diagnostic_of(problem);
    if (!seen.insert(config::render(diagnostic, config::Paint::none)).second) continue;
    checked.scripts.push_back(std::move(diagnostic));
    checked.stacks.push_back(problem.stack);
  }
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
  for (std::size_t i = 0; i < checked.scripts.size(); ++i) {
    console.out << config::render(checked.scripts[i], console.out_paint);
    for (const std::string& frame : checked.stacks[i])
      console.out << "        at " << frame << "\n";
  }
  console.out << checked.file << ": " << verdict(checked) << "\n";
}

nlohmann::json json_of(const Checked& checked) {
  nlohmann::json scripts = nlohmann::json::parse(config::render_json(checked.scripts));
  for (std::size_t i = 0; i < scripts.size(); ++i)
    scripts[i]["stack"] = checked.stacks[i];
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
    const Checked checked = check_one(file, program);
    if (options.format == Format::text) print_text(checked, console);
    if (options.format == Format::json) all.push_back(json_of(checked));
    if (worst != kConfigurationInvalid && checked.exit_code() != kOk) worst = checked.exit_code();
  }
  if (options.format == Format::json)
    console.out << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return worst;
}

}  // namespace lingate::cli
