// The admin API of a running gateway, as the verbs that talk to it see it: which one is meant, with which token, and
// one request and its answer.
//
// Thread: the caller's; waits up to a few seconds. Lifetime: a call.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "gateway/cli/cli.h"

namespace CLI {
class App;
}

namespace lingate::cli {

struct AdminAnswer {
  unsigned status = 0;
  std::string body;
};

struct AdminRequest {
  std::string method = "GET";
  std::string target;  // "/keys?limit=5"
  std::string token{};
  std::string body{};  // JSON; empty: none
  std::chrono::seconds patience{5};
};

// `address`: HOST:PORT. The error is for the console.
Result<AdminAnswer, std::string> ask_admin(const std::string& address, const AdminRequest& request);
Result<AdminAnswer, std::string> get_from_admin(const std::string& address, std::string_view path);

// As the command line says it; what is empty comes from the configuration, and then from LINGATE_ADMIN and
// LINGATE_TOKEN.
struct AdminWords {
  std::string admin;       // HOST:PORT or http://HOST:PORT
  std::string token_file;  // that holds the token
  std::string config;      // the gateway's configuration
};

// Its options on a verb, and --json.
void describe_admin(CLI::App* verb, AdminWords& words, bool& json);

struct AdminPlace {
  std::string address;  // HOST:PORT
  std::string token;
};

// Nothing: the console knows why, and `code` is the exit code.
std::optional<AdminPlace> find_admin(const AdminWords& words, Console& console, int& code);

// Where the gateway of that configuration listens, as HOST:PORT to connect to; the error is for the console.
Result<std::string, std::string> admin_address(const config::Model& model, const std::string& file);

// What comes of a request: the JSON of a good answer (null where it has none), or an exit code; then the console knows
// what the gateway said.
Result<nlohmann::ordered_json, int> ask(const AdminPlace& place, AdminRequest request, Console& console);

// Says on the console why no good answer came, and gives the exit code.
int report_failure(const AdminPlace& place, const Result<AdminAnswer, std::string>& answer, Console& console);

// "a b" as it stands in a URL.
std::string url_encoded(std::string_view text);

}  // namespace lingate::cli
