// Configurations: any text is loaded or refused, and every refusal says where, what and how to mend it.
#include "gateway/config/loader.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "base/utf8.h"
#include "gateway/config/fields.h"
#include "gateway/routing/router.h"
#include "tests/fuzz/target.h"

namespace lingate::fuzz {
namespace {

using config::Diagnostic;
using config::Loaded;
using config::Severity;

constexpr std::string_view kName = "gw.yaml";
constexpr std::string_view kSecret = "Xq7-secret-Zw9";

// A folder with scripts in three languages, and an environment with one variable.
Loaded load(std::string_view text) {
  return config::load_text(std::string(kName), std::string(text),
                           {LINGATE_FUZZ_FOLDER, [](const std::string& name) {
                              return name == "TENANT_KEY" ? std::optional<std::string>(kSecret) : std::nullopt;
                            }});
}

std::size_t lines_of(std::string_view text) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1; --number)
    text.remove_prefix(text.find('\n') + 1);
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What is about the file as a whole and not about one of its keys.
bool is_about_the_text(int code) noexcept {
  return code == code::kYamlSyntax || code == code::kYamlTooLarge;
}

// The word at a place: the key or the value that a message is about.
std::string_view word_at(const Diagnostic& diagnostic) {
  const std::size_t start = diagnostic.place.column - 1;
  if (start >= diagnostic.line.size()) return {};
  const std::string_view rest = std::string_view(diagnostic.line).substr(start);
  return rest.substr(0, rest.find_first_of(": ,}]"));
}

// "the chain of route 1"
bool names_a_field(std::string_view words) {
  const auto fields = config::all_fields();
  return std::any_of(fields.begin(), fields.end(),
                     [words](const config::Field& field) { return words.find(field.name) != std::string_view::npos; });
}

// In quotes, by a field's name, or as the word that is underlined. A key that is a list has no name: then the message
// is about it as a key.
bool names_something(const Diagnostic& diagnostic) {
  const std::string words = diagnostic.message + diagnostic.cure;
  const std::string_view word = word_at(diagnostic);
  return words.find('\'') != std::string::npos || words.find("key") != std::string::npos || names_a_field(words) ||
         (!word.empty() && words.find(word) != std::string::npos);
}

bool is_included(const Loaded& loaded, const std::string& file) {
  const auto& all = loaded.written.included;
  return std::any_of(all.begin(), all.end(), [&file](const config::WrittenFile& each) { return each.name == file; });
}

void check_place(const Loaded& loaded, const Diagnostic& diagnostic, std::string_view text) {
  const bool first = diagnostic.place.file == kName;
  require(first || is_included(loaded, diagnostic.place.file), "a message names the file");
  require(diagnostic.place.line > 0 && diagnostic.place.column > 0, "a message has a line and a column");
  if (!first) return;
  require(diagnostic.place.line <= lines_of(text), "the line is one of the file's");
  const std::string_view line = line_of(text, diagnostic.place.line);
  if (diagnostic.width == 0)
    require(diagnostic.line.empty(), "a line that is withheld is not there");
  else
    require(diagnostic.line == line, "the line that is shown is the file's");
  require(diagnostic.place.column <= line.size() + 2, "the column is one of the line's");
}

void check_words(const Diagnostic& diagnostic) {
  require(find_code(diagnostic.code) != nullptr, "a message has a code that can be explained");
  require(!diagnostic.message.empty() && !diagnostic.cure.empty(), "a message says what is wrong and what to do");
  require(is_about_the_text(diagnostic.code) || names_something(diagnostic), "a message names the key");
}

// Terminals get nothing but text.
void check_shown(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& each : diagnostics) {
    const std::string shown = render(each, config::Paint::none);
    require(utf8::is_valid(shown), "what is shown is UTF-8");
    for (const char c : shown)
      require(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t', "what is shown holds no control byte");
  }
  const auto json = nlohmann::json::parse(render_json(diagnostics), nullptr, false);
  require(json.is_array() && json.size() == diagnostics.size(), "the JSON form is JSON");
}

void check_secret(const std::vector<Diagnostic>& diagnostics, std::string_view text) {
  if (text.find(kSecret) != std::string_view::npos) return;
  require(render_json(diagnostics).find(kSecret) == std::string::npos, "no message holds a secret");
}

bool same(const Loaded& a, const Loaded& b) {
  return a.model.has_value() == b.model.has_value() && render_json(a.diagnostics) == render_json(b.diagnostics);
}

// What loads can be routed with.
void check_model(const config::Model& model) {
  std::vector<routing::Match> matches;
  for (const config::Route& route : model.routes) {
    require(route.place.line > 0, "a route knows its place");
    matches.push_back(route.match);
  }
  const routing::Router router(matches);
  const routing::Found found =
      router.match({.method = "GET", .host = "api.example.com", .path = "/users/7", .query = {}});
  require(found.outcome != routing::Found::Outcome::matched || found.route < matches.size(), "a match is a route");
}

void check(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const Loaded loaded = load(text);
  bool error = false;
  for (const Diagnostic& each : loaded.diagnostics) {
    error = error || each.severity == Severity::error;
    check_place(loaded, each, text);
    check_words(each);
  }
  require(loaded.model.has_value() != error, "a model, or an error");
  check_shown(loaded.diagnostics);
  check_secret(loaded.diagnostics, text);
  require(same(loaded, load(std::string("\xEF\xBB\xBF").append(text))), "a byte order mark changes nothing");
  if (loaded.model) check_model(*loaded.model);
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size));
  return 0;
}
