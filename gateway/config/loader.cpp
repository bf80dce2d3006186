#include "gateway/config/loader.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/config/build.h"
#include "gateway/config/include.h"
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
  return {std::nullopt, {std::move(diagnostic)}, {.file = path, .folder = {}, .text = {}}};
}

// What one load has in hand.
struct Work {
  const LoadOptions& options;
  Sources sources{};
  Report report{sources};
};

void load(Work& work, Loaded& loaded, Model& model) {
  Report& report = work.report;
  const Source& first = work.sources.of({});
  Expansion expansion;
  auto document = parse_yaml(first, report, expansion);
  if (!document) return;
  if (!document->root) {
    report.error({code::kMissingKey, {0, 0}, "the configuration is empty", "begin with 'version: 1'"});
    return;
  }
  Validator validator(report, work.options);
  Includes includes({work.sources, report, validator, work.options}, expansion);
  const bool mapping = document->root->kind == Node::Kind::mapping;
  Node& root = mapping ? includes.join(*document->root, first) : *document->root;
  loaded.written.included = includes.take_files();
  loaded.written.patterns = includes.take_patterns();
  const Settings values = validator.root(root);
  if (values.is_null()) return;
  const BuildContext context{report, work.options, View(values, root)};
  build_gateway(context, model);
  build_upstreams(context, model);
  Chains chains(context);
  build_routes(context, chains, model);
  if (report.errors() == 0) chains.warn_unused();
}

}  // namespace

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

Loaded load_text(std::string name, std::string text, LoadOptions options) {
  if (!options.environment) options.environment = from_process;
  options.folder = (std::filesystem::current_path() / options.folder).lexically_normal();
  Work work{options};
  Loaded loaded;
  loaded.written = {name, options.folder.string(), std::string(without_mark(text))};
  work.sources.add({std::move(name), loaded.written.text, options.folder});
  Model model;
  load(work, loaded, model);
  model.written = loaded.written;
  if (work.report.errors() == 0) loaded.model = std::move(model);
  loaded.diagnostics = work.report.take();
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
