// Which gateway is meant, with which token, and what its answers mean: the rest of admin_client.h.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ostream>

#include <fmt/format.h>

#include "base/percent.h"
#include "gateway/admin/token.h"
#include "gateway/cli/admin_client.h"
#include "gateway/cli/commands.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// "http://127.0.0.1:9901/" is as good as "127.0.0.1:9901".
std::string plain_address(std::string address) {
  constexpr std::string_view kScheme = "http://";
  if (address.starts_with(kScheme)) address.erase(0, kScheme.size());
  while (address.ends_with('/'))
    address.pop_back();
  return address;
}

std::nullopt_t say(Console& console, std::string_view what) {
  console.error << "lingate: " << what << "\n";
  return std::nullopt;
}

std::optional<std::string> find_token(const AdminWords& words, const std::optional<config::Model>& model,
                                      Console& console) {
  auto token = Result<std::string>(from_environment("LINGATE_TOKEN"));
  if (!words.token_file.empty())
    token = admin::read_token_file(words.token_file);
  else if (model && model->admin)
    token = admin::find_token(model->admin->token);
  if (!token) return say(console, token.error().message);
  if (!token->empty()) return *token;
  return say(console, "no token: name its file with --token-file, the configuration with -c, or set LINGATE_TOKEN");
}

// Problem documents say what is wrong; anything else is shown as it came.
std::string problem_text(const AdminAnswer& answer) {
  const Json problem = Json::parse(answer.body, nullptr, false);
  if (!problem.is_object() || !problem.contains("title"))
    return fmt::format("it answered {}: {}", answer.status, answer.body.substr(0, 200));
  const auto text = [&problem](const char* name) {
    const auto found = problem.find(name);
    return found != problem.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::string line = fmt::format("{} [{}]", text("title"), text("code"));
  if (!text("field").empty()) line += fmt::format(": {}", text("field"));
  if (!text("detail").empty()) line += fmt::format(": {}", text("detail"));
  return line;
}

}  // namespace

void describe_admin(CLI::App* verb, AdminWords& words, bool& json) {
  verb->add_option("--admin", words.admin, "the gateway's `admin.address`; or LINGATE_ADMIN")->type_name("HOST:PORT");
  verb->add_option("--token-file", words.token_file, "the file that holds its token; or LINGATE_TOKEN")
      ->type_name("FILE");
  verb->add_option("-c,--config", words.config, "its configuration, which says both")->type_name("FILE");
  verb->add_flag("--json", json, "print JSON");
}

Result<std::string, std::string> admin_address(const config::Model& model, const std::string& file) {
  if (!model.admin) return fail(file + " has no `admin`, so its gateway cannot be asked");
  const config::Address& address = model.admin->address;
  if (address.port == 0)
    return fail(file +
                " lets the system choose the admin port: name the one that the gateway printed, --admin HOST:PORT");
  const std::string host = address.host == "0.0.0.0" ? "127.0.0.1" : address.host == "::" ? "::1" : address.host;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}:{}", is_ipv6 ? "[" + host + "]" : host, address.port);
}

std::optional<AdminPlace> find_admin(const AdminWords& words, Console& console, int& code) {
  std::optional<config::Model> model;
  code = kConfigurationInvalid;
  if (!words.config.empty() && !(model = load(words.config, console))) return std::nullopt;
  AdminPlace place;
  place.address = plain_address(words.admin);
  code = kAdminUnreachable;
  if (place.address.empty() && model) {
    auto address = admin_address(*model, words.config);
    if (!address) return say(console, address.error());
    place.address = *std::move(address);
  }
  code = kUsage;
  if (place.address.empty()) place.address = plain_address(from_environment("LINGATE_ADMIN"));
  if (place.address.empty())
    return say(console,
               "which gateway? name its configuration with -c, its `admin.address` with --admin, or set "
               "LINGATE_ADMIN");
  code = kAdminUnreachable;
  auto token = find_token(words, model, console);
  if (!token) return std::nullopt;
  place.token = *std::move(token);
  return place;
}

Result<Json, int> ask(const AdminPlace& place, AdminRequest request, Console& console) {
  request.token = place.token;
  const auto answer = ask_admin(place.address, request);
  if (answer && answer->status >= 200 && answer->status < 300) {
    if (answer->body.empty()) return Json();
    Json json = Json::parse(answer->body, nullptr, false);
    if (json.is_object()) return json;
  }
  return fail(report_failure(place, answer, console));
}

int report_failure(const AdminPlace& place, const Result<AdminAnswer, std::string>& answer, Console& console) {
  if (!answer) {
    say(console, answer.error() + "; is the gateway running, and is this its `admin.address`?");
    return kAdminUnreachable;
  }
  say(console, fmt::format("{}: {}", place.address, problem_text(*answer)));
  const bool shut_out = answer->status == 401 || answer->status == 403 || answer->status == 421;
  if (shut_out) console.error << "  `lingate explain` of the code says what to do\n";
  return shut_out ? kAdminUnreachable : answer->status < 500 ? kUsage : kInternalError;
}

std::string url_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte))
      result += c;
    else
      result += fmt::format("%{:02X}", byte);
  }
  return result;
}

}  // namespace lingate::cli
