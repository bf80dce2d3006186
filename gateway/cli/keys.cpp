// Each verb of `keys` is one request, or for a long list a few; what comes back is shown for people, or as it came.
#include "gateway/cli/keys.h"

#include <CLI/CLI.hpp>
#include <ctime>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/read_file.h"
#include "gateway/cli/text.h"
#include "gateway/config/diagnostic.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostKey = 4096;
constexpr std::size_t kPage = 1000;

int usage(std::string_view what, Console& console) {
  console.error << "lingate: " << what << "\n";
  return kUsage;
}

std::string when(const Json& seconds) {
  const auto time = static_cast<std::time_t>(seconds.get<double>());
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// A field's value in a line; what a session holds may come from anybody, so control characters are shown as such.
std::string show_value(const std::string& name, const Json& value) {
  if ((name == "expires" || name == "quota_renews") && value.is_number()) return when(value);
  std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return config::printable(text);
}

std::string member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string() : show_value(name, *found);
}

void print_json(const Json& json, Console& console) {
  console.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void print_entry(const Json& entry, Console& console) {
  if (!entry.is_object() || !entry.contains("session")) return;
  for (const auto& [name, value] : entry["session"].items())
    console.out << fmt::format("{:<17}{}\n", name, show_value(name, value));
  if (entry.contains("keys")) console.out << fmt::format("{:<17}{}\n", "keys", entry["keys"].dump());
  if (entry.contains("created") && entry["created"].is_number())
    console.out << fmt::format("{:<17}{}\n", "created", when(entry["created"]));
}

// The key stands alone on its line, so that a script can take it.
void print_made(const Json& made, const KeysWords& words, Console& console) {
  if (words.json) return print_json(made, console);
  console.out << fmt::format("{:<17}{}\n", "key", member(made, "key"));
  print_entry(made, console);
  console.error << "The key is shown this once; the gateway keeps only its hash.\n";
}

void print_list(const Json& sessions, Console& console) {
  constexpr std::string_view kRow = "{:<24} {:<20} {:<16} {:<24} {}\n";
  console.out << bold(fmt::format(kRow, "ID", "ALIAS", "ORG", "TAGS", "EXPIRES"), console.out_paint);
  for (const Json& each : sessions) {
    const Json& session = each["session"];
    std::vector<std::string> tags;
    if (const auto found = session.find("tags"); found != session.end())
      for (const Json& tag : *found)
        tags.push_back(show_value("tag", tag));
    console.out << fmt::format(kRow, member(session, "id"), member(session, "alias"), member(session, "org"),
                               fmt::format("{}", fmt::join(tags, ",")), member(session, "expires"));
  }
}

// The key that was brought along; nothing where none was, and an error where it cannot be read.
Result<std::optional<std::string>, std::string> own_key(const std::string& file) {
  if (file.empty()) return std::nullopt;
  std::string key;
  if (file == "-") {
    std::getline(std::cin, key);
  } else {
    auto read = read_file(file, kMostKey);
    if (!read) return fail(fmt::format("{}: {}", file, read.error()));
    key = *std::move(read);
  }
  while (key.ends_with('\n') || key.ends_with('\r'))
    key.pop_back();
  if (key.empty()) return fail(fmt::format("{}: it holds no key", file == "-" ? "standard input" : file));
  return key;
}

int create(const KeysWords& words, const AdminPlace& place, Console& console) {
  auto fields = session_fields(words.session);
  if (!fields) return usage(fields.error(), console);
  const auto key = own_key(words.key_file);
  if (!key) return usage(key.error(), console);
  if (!words.id.empty()) (*fields)["id"] = words.id;
  if (*key) (*fields)["key"] = **key;
  const auto made = ask(place, {.method = "POST", .target = "/keys", .body = fields->dump()}, console);
  if (!made) return made.error();
  return print_made(*made, words, console), kOk;
}

int list(const KeysWords& words, const AdminPlace& place, Console& console) {
  Json sessions = Json::array();
  std::string after = words.after;
  do {
    std::string target = fmt::format("/keys?limit={}", std::min<std::size_t>(words.limit - sessions.size(), kPage));
    for (const auto& [name, value] : {std::pair("org", &words.org), std::pair("tag", &words.tag),
                                      std::pair<const char*, const std::string*>("after", &after)})
      if (!value->empty()) target += fmt::format("&{}={}", name, url_encoded(*value));
    const auto page = ask(place, {.target = target}, console);
    if (!page) return page.error();
    for (const Json& each : page->value("sessions", Json::array()))
      if (each.contains("session")) sessions.push_back(each);
    after = page->value("next", std::string());
  } while (!after.empty() && sessions.size() < words.limit);
  words.json ? print_json(sessions, console) : print_list(sessions, console);
  if (!after.empty()) console.error << fmt::format("There are more: --after '{}'\n", after);
  return kOk;
}

std::string target_of(const std::string& id) {
  return "/keys/" + url_encoded(id);
}

int show(const KeysWords& words, const AdminPlace& place, Console& console) {
  const auto entry = ask(place, {.target = target_of(words.id)}, console);
  if (!entry) return entry.error();
  words.json ? print_json(*entry, console) : print_entry(*entry, console);
  return kOk;
}

int update(const KeysWords& words, const AdminPlace& place, Console& console) {
  auto patch = session_fields(words.session);
  if (!patch) return usage(patch.error(), console);
  for (const std::string& each : words.unset) {
    constexpr std::string_view kMetadata = "metadata.";
    if (each.starts_with(kMetadata))
      (*patch)["metadata"][each.substr(kMetadata.size())] = nullptr;
    else
      (*patch)[each] = nullptr;
    if (each == "rate") (*patch)["per"] = nullptr;
  }
  if (patch->empty()) return usage("nothing to change; `lingate keys update --help` lists the fields", console);
  const auto entry = ask(place, {.method = "PATCH", .target = target_of(words.id), .body = patch->dump()}, console);
  if (!entry) return entry.error();
  words.json ? print_json(*entry, console) : print_entry(*entry, console);
  return kOk;
}

int rotate(const KeysWords& words, const AdminPlace& place, Console& console) {
  Json body = Json::object();
  const auto key = own_key(words.key_file);
  if (!key) return usage(key.error(), console);
  if (*key) body["key"] = **key;
  if (!words.keep.empty()) {
    const auto until = time_from(words.keep);
    if (!until) return usage(until.error(), console);
    body["keep_until"] = *until;
  }
  const auto made =
      ask(place, {.method = "POST", .target = target_of(words.id) + "/rotate", .body = body.dump()}, console);
  if (!made) return made.error();
  return print_made(*made, words, console), kOk;
}

int revoke(const KeysWords& words, const AdminPlace& place, Console& console) {
  const auto gone = ask(place, {.method = "DELETE", .target = target_of(words.id)}, console);
  if (!gone) return gone.error();
  if (words.json) return print_json({{"revoked", words.id}}, console), kOk;
  console.out << config::printable(words.id) << " is revoked\n";
  return kOk;
}

}  // namespace

int keys(const CLI::App& keys, const KeysWords& words, Console& console) {
  int code = kOk;
  const auto place = find_admin(words.admin, console, code);
  if (!place) return code;
  const std::string verb = keys.get_subcommands().front()->get_name();
  if (verb == "create") return create(words, *place, console);
  if (verb == "list") return list(words, *place, console);
  if (verb == "show") return show(words, *place, console);
  if (verb == "update") return update(words, *place, console);
  if (verb == "rotate") return rotate(words, *place, console);
  return revoke(words, *place, console);
}

}  // namespace lingate::cli
