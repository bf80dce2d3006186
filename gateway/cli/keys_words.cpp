// The words of `keys` and `config`.
#include <CLI/CLI.hpp>

#include "gateway/cli/keys.h"

namespace lingate::cli {
namespace {

CLI::App* add(CLI::App& keys, KeysWords& words, const char* name, const char* about) {
  CLI::App* verb = keys.add_subcommand(name, about);
  describe_admin(verb, words.admin, words.json);
  return verb;
}

void describe_fields(CLI::App* verb, SessionWords& words) {
  verb->add_option("--alias", words.alias, "what people call it")->type_name("TEXT");
  verb->add_option("--org", words.org, "whose it is")->type_name("TEXT");
  verb->add_option("--tag", words.tags, "a word to find it by; may be repeated")
      ->type_name("TEXT")
      ->expected(1)
      ->take_all();
  verb->add_option("--meta", words.metadata, "what scripts read as metadata; may be repeated")
      ->type_name("NAME=TEXT|NAME:=JSON")
      ->expected(1)
      ->take_all();
  verb->add_option("--rate", words.rate, "how many requests in how long: 100/1s")->type_name("N/TIME");
  verb->add_option("--burst", words.burst, "how many requests may come at once")->type_name("N");
  verb->add_option("--quota", words.quota, "how many requests in all")->type_name("N");
  verb->add_option("--expires", words.expires, "when it ends: 30d, 12h, 2026-12-31, 2026-12-31T18:00:00Z")
      ->type_name("TIME");
}

void add_id(CLI::App* verb, std::string& id) {
  verb->add_option("ID", id, "the session's id")->required()->type_name("");
}

void add_key_file(CLI::App* verb, std::string& file) {
  verb->add_option("--key-file", file, "take the key in this file (- is standard input) instead of making one")
      ->type_name("FILE");
}

}  // namespace

void describe_keys(CLI::App& keys, KeysWords& words) {
  keys.require_subcommand(1);
  CLI::App* create = add(keys, words, "create", "Make a session and a key; the key is shown this once");
  create->add_option("--id", words.id, "the session's id; made up if not given")->type_name("ID");
  add_key_file(create, words.key_file);
  describe_fields(create, words.session);

  CLI::App* list = add(keys, words, "list", "List sessions by id");
  list->add_option("--org", words.org, "only those of this org")->type_name("TEXT");
  list->add_option("--tag", words.tag, "only those with this tag")->type_name("TEXT");
  list->add_option("--after", words.after, "only those after this id")->type_name("ID");
  list->add_option("--limit", words.limit, "how many at most; 1000 if not told")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));

  add_id(add(keys, words, "show", "Show a session"), words.id);

  CLI::App* update = add(keys, words, "update", "Change fields of a session");
  add_id(update, words.id);
  describe_fields(update, words.session);
  update->add_option("--unset", words.unset, "remove a field, as rate or metadata.plan; may be repeated")
      ->type_name("FIELD")
      ->expected(1)
      ->take_all();

  CLI::App* rotate = add(keys, words, "rotate", "Make a new key for a session; the old one ends");
  add_id(rotate, words.id);
  add_key_file(rotate, words.key_file);
  rotate->add_option("--keep", words.keep, "how long the old key goes on: 24h; or until when")->type_name("TIME");

  add_id(add(keys, words, "revoke", "End a session and its keys"), words.id);
}

}  // namespace lingate::cli
