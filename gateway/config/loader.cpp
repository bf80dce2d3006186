#include "gateway/config/loader.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/config/build.h"
#include "gateway/config/validate.h"
#include "gateway/config/yaml.h"

namespace lingate::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::optional<std::string> from_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

Loaded cannot_read(const std::string& path, std::string message) {
  Diagnostic diagnostic;
  diagnostic.code = code::kCannotRead;
  diagnostic.place.file = path;
  diagnostic.message = std::move(message);
  return {std::nullopt, {std::move(diagnostic)}};
}

void load(Report& report, const LoadOptions& options, Model& model) {
  auto document = parse_yaml(report);
  if (!document) return;
  if (!document->root) {
    report.error({code::kMissingKey, {0, 0}, "the configuration is empty", "begin with 'version: 1'"});
    return;
  }
  const Settings values = Validator(report, options).root(*document->root);
  if (values.is_null()) return;
  const BuildContext context{report, options, View(values, *document->root)};
  build_gateway(context, model);
  build_upstreams(context, model);
  Chains chains(context);
  build_routes(context, chains, model);
  if (report.errors() == 0) chains.warn_unused();
}

}  // namespace

Loaded load_text(std::string name, std::string text, LoadOptions options) {
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (!options.environment) options.environment = from_process;
  options.folder = (std::filesystem::current_path() / options.folder).lexically_normal();
  const Source source(std::move(name), std::move(text));
  Report report(source);
  Loaded loaded;
  Model model;
  load(report, options, model);
  model.written = {source.name(), options.folder.string(), std::string(source.text())};
  if (report.errors() == 0) loaded.model = std::move(model);
  loaded.diagnostics = report.take();
  return loaded;
}

Loaded load_file(const std::string& path) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) return cannot_read(path, "there is no such file");
  if (std::filesystem::is_directory(path, problem)) return cannot_read(path, "this is a folder, not a file");
  auto text = read_file(path, Document::kMostBytes);
  if (!text) return cannot_read(path, fmt::format("the file cannot be read: {}", text.error()));
  return load_text(path, std::move(*text), {std::filesystem::path(path).parent_path(), {}});
}

}  // namespace lingate::config
