#include "gateway/cli/scripts.h"

#include <algorithm>
#include <fstream>
#include <ostream>
#include <set>

#include "gateway/cli/text.h"

namespace lingate::cli {
namespace {

using config::Diagnostic;

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

}  // namespace

std::vector<BadScript> find_bad_scripts(const config::Model& model, Program& program) {
  std::vector<BadScript> bad;
  std::set<std::string> seen;  // several routes may use the same step
  for (const ScriptProblem& problem : program.check_scripts(model)) {
    Diagnostic diagnostic = diagnostic_of(problem);
    if (seen.insert(config::render(diagnostic, config::Paint::none)).second)
      bad.push_back({std::move(diagnostic), problem.stack});
  }
  return bad;
}

void print(const BadScript& script, std::ostream& out, config::Paint paint) {
  out << config::render(script.diagnostic, paint);
  for (const std::string& frame : script.stack)
    out << "        at " << config::printable(frame) << "\n";
}

}  // namespace lingate::cli
