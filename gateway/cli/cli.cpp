#include "gateway/cli/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/similar.h"
#include "gateway/cli/bench.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/config.h"
#include "gateway/cli/keys.h"
#include "gateway/cli/manual.h"
#include "gateway/cli/store.h"
#include "gateway/config/reference.h"

namespace lingate::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 2 usage, 3 configuration invalid, 5 admin API unreachable, 6 cannot start, 7 script failed to "
    "load, 8 not as expected, 9 regression.";

// Everything that the command line can say; filled by CLI11.
struct Words {
  RunOptions run;
  CheckOptions check;
  RouteOptions route;
  ExplainOptions explain;
  DoctorOptions doctor;
  BenchWords bench;
  KeysWords keys;
  ConfigWords config;
  StoreWords store;
  std::string check_format = "text";
  std::string shell;
  bool markdown = false;
  bool manual = false;
  bool json = false;

  Format format() const noexcept { return json ? Format::json : Format::text; }
};

CLI::App* add_verb(CLI::App& app, const char* name, const char* about) {
  return app.add_subcommand(name, about);
}

void add_json(CLI::App* verb, Words& words) {
  verb->add_flag("--json", words.json, "print JSON");
}

void add_config(CLI::App* verb, std::string& path) {
  verb->add_option("-c,--config", path, "the configuration file")->required()->type_name("FILE");
}

void describe(CLI::App& app, Words& words) {
  CLI::App* run = add_verb(app, "run", "Serve");
  add_config(run, words.run.config);
  run->add_flag("--watch", words.run.watch, "reload when the configuration or a script changes");

  CLI::App* check = add_verb(app, "check", "Load configurations fully, scripts included, without serving");
  check->add_option("FILE", words.check.files, "configuration files; - reads one from standard input")
      ->required()
      ->type_name("");
  check->add_option("--folder", words.check.folder, "what paths in standard input are relative to")->type_name("DIR");
  check->add_option("--as", words.check.as, "the file in whose place standard input stands")->type_name("FILE");
  check->add_option("--format", words.check_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");

  CLI::App* route = add_verb(app, "route", "Show which route matches a request, why, and the near misses");
  route->add_option("METHOD", words.route.method, "GET, POST, …")->required()->type_name("");
  route->add_option("URL", words.route.url, "http://api.example.com/users/7, or from the path on")
      ->required()
      ->type_name("");
  add_config(route, words.route.config);
  route->add_option("-H,--header", words.route.headers, "a header field of the request")
      ->type_name("'NAME: VALUE'")
      ->expected(1)
      ->take_all();
  route->add_option("--expect", words.route.expect, "exit with 8 if another route matches; 'none': if any does")
      ->type_name("NAME");
  add_json(route, words);

  describe_bench(*add_verb(app, "bench", "Measure runtimes, a script or a server"), words.bench);

  describe_keys(*add_verb(app, "keys", "Make, show, change and end sessions and keys of a running gateway"),
                words.keys);
  describe_config(*add_verb(app, "config", "Show, compare and take back the configuration of a running gateway"),
                  words.config);
  describe_reload(*add_verb(app, "reload", "Have a running gateway load its configuration and scripts again"),
                  words.config);

  describe_store(*add_verb(app, "store", "Carry what a store keeps to another one"), words.store);

  CLI::App* schema = add_verb(app, "schema", "Print the configuration reference as JSON Schema (draft-07)");
  schema->add_flag("--markdown", words.markdown, "print it as a page");
  schema->add_flag("--man", words.manual, "print it as the manual page lingate.yaml(5)")->excludes("--markdown");

  CLI::App* explain = add_verb(app, "explain", "Explain a code (LG2001) or a configuration key (upstreams.retry)");
  explain->add_option("CODE|KEY", words.explain.subject, "")->required()->type_name("");
  add_json(explain, words);

  CLI::App* doctor = add_verb(app, "doctor", "Show what build and machine offer, and how a running gateway does");
  CLI::Option* admin = doctor->add_option("--admin", words.doctor.admin, "the gateway's `admin.address`");
  admin->type_name("HOST:PORT");
  doctor->add_option("-c,--config", words.doctor.config, "the configuration that it runs")
      ->type_name("FILE")
      ->excludes(admin);
  add_json(doctor, words);

  add_json(add_verb(app, "version", "Print the version, and those of the script engines"), words);

  CLI::App* completion = add_verb(app, "completion", "Print a completion script for a shell");
  completion->add_option("SHELL", words.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("bash|zsh|fish");

  add_verb(app, "man", "Print the manual page lingate(1)");
}

// For completion: the verbs as they were described above.
std::vector<Verb> verbs_of(const CLI::App& app) {
  std::vector<Verb> verbs;
  for (const CLI::App* each : app.get_subcommands({})) {
    Verb verb{each->get_name(), each->get_description(), {}, {}, false};
    for (const CLI::Option* option : each->get_options())
      for (const std::string& name : option->get_lnames())
        verb.options.push_back("--" + name);
    for (const CLI::App* own : each->get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) {
      verb.words.push_back(own->get_name());
      verb.files |= own->get_option_no_throw("--config") != nullptr;
      for (const CLI::Option* option : own->get_options())
        for (const std::string& name : option->get_lnames())
          if (std::find(verb.options.begin(), verb.options.end(), "--" + name) == verb.options.end())
            verb.options.push_back("--" + name);
    }
    if (verb.name == "completion") verb.words = {"bash", "zsh", "fish"};
    verb.files |= verb.name == "check" || verb.name == "bench" || each->get_option_no_throw("--config") != nullptr;
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

int dispatch(const CLI::App& app, Words& words, const std::string& typed, Program& program, Console& console) {
  const std::string verb = app.get_subcommands().front()->get_name();
  words.route.format = words.explain.format = words.doctor.format = words.format();
  words.check.format = words.check_format == "json" ? Format::json : Format::text;
  if (verb == "run") return run(words.run, program, console);
  if (verb == "check") return check(words.check, program, console);
  if (verb == "route") return route(words.route, console);
  if (verb == "explain") return explain(words.explain, console);
  if (verb == "doctor") return doctor(words.doctor, program, console);
  if (verb == "version") return version(words.format(), program, console);
  if (verb == "keys") return keys(*app.get_subcommands().front(), words.keys, console);
  if (verb == "config") return config(*app.get_subcommands().front(), words.config, console);
  if (verb == "reload") return reload(words.config, console);
  if (verb == "store") return store(*app.get_subcommands().front(), words.store, program, console);
  if (verb == "bench") return bench(*app.get_subcommands().front(), words.bench, typed, console);
  if (verb == "completion") return completion(words.shell, verbs_of(app), console);
  if (verb == "man") return console.out << manual(app), kOk;
  console.out << (words.manual     ? config::schema_manual()
                  : words.markdown ? config::schema_markdown()
                                   : config::schema_json() + "\n");
  return kOk;
}

// "lingate chek" is no verb; say which one it may have been.
std::string misspelt_verb(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments[1].starts_with("-")) return {};
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands({}))
    names.push_back(each->get_name());
  if (std::find(names.begin(), names.end(), arguments[1]) != names.end()) return {};
  const std::string_view meant = closest(arguments[1], std::vector<std::string_view>(names.begin(), names.end()));
  return "there is no verb '" + arguments[1] + "'" +
         (meant.empty() ? "" : "; did you mean '" + std::string(meant) + "'?");
}

int usage_error(const CLI::App& app, const std::vector<std::string>& arguments, std::string message, Console& console) {
  if (std::string misspelt = misspelt_verb(app, arguments); !misspelt.empty()) message = std::move(misspelt);
  const auto chosen = app.get_subcommands();
  console.error << "lingate: " << message << "\nTry: lingate "
                << (chosen.empty() ? std::string() : chosen.front()->get_name() + " ") << "--help\n";
  return kUsage;
}

}  // namespace

Console standard_console() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color && *no_color != '\0';
  const auto paint = [plain](int descriptor) {
    return !plain && ::isatty(descriptor) == 1 ? config::Paint::ansi : config::Paint::none;
  };
  return {std::cout, std::cerr, paint(STDOUT_FILENO), paint(STDERR_FILENO)};
}

int run_command_line(const std::vector<std::string>& arguments, Program& program, Console& console) {
  CLI::App app("lingate: an HTTP reverse proxy with middleware in Lua, Python and JavaScript", "lingate");
  Words words;
  describe(app, words);
  app.require_subcommand(1);
  app.footer(kFooter);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  if (!reversed.empty()) reversed.pop_back();
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    console.out << (chosen.empty() ? app.help() : chosen.front()->help("lingate"));
    return kOk;
  } catch (const CLI::ParseError& error) {
    return usage_error(app, arguments, error.what(), console);
  }
  return dispatch(app, words, fmt::format("{}", fmt::join(arguments, " ")), program, console);
}

}  // namespace lingate::cli
