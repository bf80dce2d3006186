#include "gateway/config/secret.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"

namespace lingate::config {
namespace {

constexpr std::uintmax_t kMostBytes = 64 * 1024;

Parsed<Secret> from_environment(const std::string& name, const LoadOptions& options) {
  auto value = options.environment(name);
  if (value) return Secret{*std::move(value)};
  return fail(Fault{code::kBadSecret, fmt::format("the environment variable '{}' is not set", name),
                    fmt::format("set it: export {}=…", name)});
}

Parsed<Secret> from_file(const std::string& name, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / name;
  std::error_code problem;
  const bool readable = std::filesystem::is_regular_file(path, problem);
  const std::uintmax_t size = readable ? std::filesystem::file_size(path, problem) : 0;
  if (size > kMostBytes)
    return fail(Fault{code::kBadSecret, fmt::format("the file '{}' is larger than 64KiB", path.string()),
                      "a secret is one short text"});
  auto read = readable ? read_file(path.string(), kMostBytes)
                       : Result<std::string, std::string>(fail(std::string("no such file")));
  if (!read)
    return fail(Fault{code::kBadSecret, fmt::format("the file '{}' cannot be read: {}", path.string(), read.error()),
                      "create it; the path is relative to the configuration file"});
  std::string text = std::move(*read);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret{std::move(text)};
}

}  // namespace

bool is_secret(const Node& node) noexcept {
  if (node.kind != Node::Kind::mapping || node.entries.size() != 1) return false;
  const Entry& only = node.entries.front();
  return (only.name == "env" || only.name == "file") && only.value->kind == Node::Kind::scalar;
}

Parsed<Secret> read_secret(const Node& node, const std::filesystem::path& folder, const LoadOptions& options) {
  const Entry& only = node.entries.front();
  const std::string name(only.value->text);
  if (name.empty())
    return fail(Fault{code::kBadSecret, fmt::format("'{}' names nothing", only.name),
                      "a secret is written '{env: NAME}' or '{file: PATH}'"});
  return only.name == "env" ? from_environment(name, options) : from_file(name, folder);
}

bool is_token(std::string_view text) noexcept {
  return text.size() >= kShortestToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Parsed<Settings> read_token(const Node& node, const std::filesystem::path& folder, const LoadOptions& options) {
  const Entry& only = node.entries.front();
  if (only.name == "file" && !only.value->text.empty()) {
    const std::string path = (folder / only.value->text).lexically_normal().string();
    return Settings(Settings::Map{{"file", Settings(path)}});
  }
  auto secret = read_secret(node, folder, options);
  if (!secret) return fail(std::move(secret.error()));
  if (is_token(secret->text)) return Settings(*std::move(secret));
  return fail(
      Fault{code::kBadSecret, fmt::format("the environment variable '{}' holds no token", only.value->text),
            fmt::format("a token has at least {} visible characters, as of 'openssl rand -hex 32'", kShortestToken)});
}

}  // namespace lingate::config
