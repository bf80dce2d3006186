// Completion scripts: verbs, their options, and files. Written for each shell in its own idiom.
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gateway/cli/commands.h"

namespace lingate::cli {
namespace {

std::vector<std::string> words_of(const Verb& verb) {
  std::vector<std::string> all = verb.options;
  all.insert(all.end(), verb.words.begin(), verb.words.end());
  return all;
}

std::vector<std::string> names_of(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs)
    names.push_back(verb.name);
  return names;
}

std::string bash(const std::vector<Verb>& verbs) {
  std::string cases;
  for (const Verb& verb : verbs)
    cases += fmt::format("    {}) words=\"{}\"; files={} ;;\n", verb.name, fmt::join(words_of(verb), " "),
                         verb.files ? "yes" : "no");
  return fmt::format(R"(_lingate() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words files=no
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}" -- "$current"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "$files" = yes ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _lingate lingate
)",
                     fmt::join(names_of(verbs), " "), cases);
}

std::string zsh(const std::vector<Verb>& verbs) {
  std::string descriptions;
  std::string cases;
  for (const Verb& verb : verbs) {
    descriptions += fmt::format("    '{}:{}'\n", verb.name, verb.about);
    cases += fmt::format("    {}) compadd -- {}{} ;;\n", verb.name, fmt::join(words_of(verb), " "),
                         verb.files ? "; _files" : "");
  }
  return fmt::format(R"(#compdef lingate
_lingate() {{
  local -a verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  case $words[2] in
{}  esac
}}
compdef _lingate lingate
)",
                     descriptions, cases);
}

std::string fish(const std::vector<Verb>& verbs) {
  std::string text;
  for (const Verb& verb : verbs) {
    text += fmt::format("complete -c lingate -f -n __fish_use_subcommand -a {} -d '{}'\n", verb.name, verb.about);
    const std::string after = fmt::format("'__fish_seen_subcommand_from {}'", verb.name);
    for (const std::string& option : verb.options)
      text += fmt::format("complete -c lingate -n {} -l {}\n", after, option.substr(2));
    if (!verb.words.empty())
      text += fmt::format("complete -c lingate -f -n {} -a '{}'\n", after, fmt::join(verb.words, " "));
    if (verb.files) text += fmt::format("complete -c lingate -F -n {}\n", after);
  }
  return text;
}

}  // namespace

int completion(const std::string& shell, const std::vector<Verb>& verbs, Console& console) {
  console.out << (shell == "bash" ? bash(verbs) : shell == "zsh" ? zsh(verbs) : fish(verbs));
  return kOk;
}

}  // namespace lingate::cli
