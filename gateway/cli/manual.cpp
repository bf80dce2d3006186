#include "gateway/cli/manual.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include "gateway/config/roff.h"

namespace lingate::cli {
namespace {

using config::roff;

std::string options_of(const CLI::App& verb) {
  std::string text;
  for (const CLI::Option* option : verb.get_options()) {
    if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
    const std::string name = option->get_positional() ? option->get_name(true) : option->get_name(false, true);
    text += fmt::format(".RS\n.TP\n\\fB{}\\fR {}\n{}\n.RE\n", roff(name), roff(option->get_type_name()),
                        roff(option->get_description()));
  }
  return text;
}

bool is_shown(const CLI::App* verb) {
  return !verb->get_group().empty();
}

std::string entry_of(const CLI::App& verb, const std::string& name) {
  std::string text =
      fmt::format(".TP\n.B lingate {}\n{}.\n{}", roff(name), roff(verb.get_description()), options_of(verb));
  for (const CLI::App* own : verb.get_subcommands(is_shown))
    text += entry_of(*own, name + " " + own->get_name());
  return text;
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string page = ".TH LINGATE 1 \"\" lingate \"User Commands\"\n.SH NAME\nlingate \\- ";
  const std::string about = app.get_description();
  page += roff(about.substr(about.find(' ') + 1)) + "\n.SH SYNOPSIS\n.B lingate\n.I VERB\n[\\fIOPTION\\fR ...]\n";
  page += ".SH VERBS\n";
  for (const CLI::App* verb : app.get_subcommands(is_shown))
    page += entry_of(*verb, verb->get_name());
  page += fmt::format(".SH EXIT STATUS\n{}\n", roff(app.get_footer()));
  page +=
      ".SH SIGNALS\n.TP\n.B SIGHUP\nloads the configuration again; one that is wrong changes nothing.\n"
      ".TP\n.B SIGUSR1\nopens log files anew, after they were moved away.\n"
      ".TP\n.B SIGUSR2\nstarts the program that is on disk in this one's place, with the same arguments: it takes over "
      "what "
      "is listened on, and when it serves this process drains. If it does not come to serve, this one serves on.\n"
      ".TP\n.BR SIGTERM \", \" SIGINT\nend it when the requests in flight are over, at the latest after "
      "limits.timeout.drain; "
      "the second at once.\n";
  return page + ".SH SEE ALSO\n.BR lingate.yaml (5)\n";
}

}  // namespace lingate::cli
