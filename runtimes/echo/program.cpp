#include "runtimes/echo/program.h"

#include <algorithm>
#include <charconv>

#include "base/similar.h"
#include "runtimes/header_rules.h"

namespace lingate::runtimes::echo {
namespace {

using Kind = Step::Kind;

struct Command {
  std::string_view name;
  Kind kind;
  bool takes_number;
  std::size_t arguments;  // that must be there
};

constexpr std::array<Command, 15> kCommands{{
    {"set-header", Kind::set_header, false, 1},
    {"add-header", Kind::add_header, false, 1},
    {"remove-header", Kind::remove_header, false, 1},
    {"copy-header", Kind::copy_header, false, 2},
    {"set-path", Kind::set_path, false, 1},
    {"set-status", Kind::set_status, true, 1},
    {"set-body", Kind::set_body, false, 0},
    {"set-context", Kind::set_context, false, 1},
    {"echo-body", Kind::echo_body, false, 0},
    {"respond", Kind::respond, true, 1},
    {"sleep", Kind::sleep, true, 1},
    {"spin", Kind::spin, true, 0},
    {"read-all", Kind::read_all, false, 0},
    {"log", Kind::log, false, 0},
    {"fail", Kind::fail, false, 0},
}};

constexpr std::array<std::string_view, 4> kHooks{"init", "request", "response", "log"};
constexpr std::int8_t kTakesAll = 3;

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

class Parser {
 public:
  explicit Parser(const Script& script) : script_(script) {}

  Result<Program, LoadError> run() {
    std::string_view rest = script_.source;
    while (!rest.empty()) {
      ++line_;
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view text = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (text.empty() || text.front() == '#') continue;
      if (!parse_line(text))
        return lingate::fail(LoadError{FailureKind::exception, std::move(error_), script_.path, line_, {}});
    }
    find_hooks();
    return std::move(program_);
  }

 private:
  bool parse_line(std::string_view line) {
    const std::string_view word = take_word(line);
    if (word == "on") return parse_hook(line);
    const auto* const command =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& known) { return known.name == word; });
    if (command == kCommands.end()) return unknown(word);
    Step step{command->kind, {}, {}, 0, line_};
    if (command->takes_number) {
      if (!parse_number(line, *command, step)) return false;
    } else if (command->kind == Kind::set_header || command->kind == Kind::add_header ||
               command->kind == Kind::copy_header) {
      step.first = take_word(line);
    }
    step.rest = line;
    if (command->arguments > 0 && step.first.empty() && step.rest.empty()) return missing(word);
    if (command->arguments > 1 && step.rest.empty()) return missing(word);
    program_.steps[hook_].push_back(std::move(step));
    return true;
  }

  bool parse_number(std::string_view& line, const Command& command, Step& step) {
    step.first = take_word(line);
    if (step.first.empty() && command.arguments == 0) return true;
    const char* const end = step.first.data() + step.first.size();
    const auto done = std::from_chars(step.first.data(), end, step.number);
    if (done.ec == std::errc{} && done.ptr == end) return true;
    error_ = std::string(command.name) + " takes a number, not '" + shown(step.first) + "'";
    return false;
  }

  bool parse_hook(std::string_view name) {
    const auto* const found = std::find(kHooks.begin(), kHooks.end(), name);
    if (found == kHooks.end()) {
      error_ = "there is no hook '" + shown(name) + "': it may be init, request, response or log";
      return false;
    }
    hook_ = static_cast<std::size_t>(found - kHooks.begin());
    return true;
  }

  bool unknown(std::string_view word) {
    std::array<std::string_view, kCommands.size()> names;
    std::transform(kCommands.begin(), kCommands.end(), names.begin(), [](const Command& known) { return known.name; });
    error_ = "unknown command '" + shown(word) + "'";
    if (const auto meant = closest(word, names); !meant.empty())
      error_ += "; did you mean '" + std::string(meant) + "'?";
    return false;
  }

  bool missing(std::string_view word) {
    error_ = std::string(word) + " needs more arguments";
    return false;
  }

  // An empty script is the control of benchmarks: it has both hooks and does nothing in them.
  void find_hooks() {
    const auto arity = [&](Hook hook) { return program_.of(hook).empty() ? HookSet::kAbsent : kTakesAll; };
    program_.hooks = {arity(Hook::request), arity(Hook::response), arity(Hook::log)};
    const bool none =
        !program_.hooks.has(Hook::request) && !program_.hooks.has(Hook::response) && !program_.hooks.has(Hook::log);
    if (none) program_.hooks = {kTakesAll, kTakesAll, HookSet::kAbsent};
  }

  const Script& script_;
  Program program_;
  std::size_t hook_ = static_cast<std::size_t>(Hook::request) - 1;
  std::uint32_t line_ = 0;
  std::string error_;
};

}  // namespace

Result<Program, LoadError> parse(const Script& script) {
  return Parser(script).run();
}

}  // namespace lingate::runtimes::echo
