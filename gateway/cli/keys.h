// The verb `keys` and its own verbs (create, list, show, update, rotate, revoke): they ask the admin API of a running
// gateway.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/cli/admin_client.h"
#include "gateway/cli/cli.h"

namespace CLI {
class App;
}

namespace lingate::cli {

// A session's fields as people write them.
struct SessionWords {
  std::optional<std::string> alias, org, rate, expires;
  std::optional<double> burst, quota;
  std::vector<std::string> tags;
  std::vector<std::string> metadata;  // "k=text", "k:=JSON"
};

struct KeysWords {
  AdminWords admin;
  SessionWords session;
  std::string id;
  std::string key_file;            // of a key that exists already; "-": standard input
  std::vector<std::string> unset;  // update: "rate", "metadata.plan"
  std::string keep;                // rotate: how long the old keys go on
  std::string org, tag, after;     // list
  unsigned limit = 1000;
  bool json = false;
};

void describe_keys(CLI::App& keys, KeysWords& words);
int keys(const CLI::App& keys, const KeysWords& words, Console& console);

// The fields that were given, as the admin API takes them. The error is for people.
Result<nlohmann::ordered_json, std::string> session_fields(const SessionWords& words);

// "30d", "2026-12-31", "2026-12-31T18:00:00Z" or Unix seconds: Unix seconds.
Result<double, std::string> time_from(std::string_view text);

}  // namespace lingate::cli
