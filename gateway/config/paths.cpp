#include "gateway/config/paths.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/similar.h"

namespace lingate::config {

Fault missing_file(std::string_view text, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / text;
  std::error_code problem;
  std::vector<std::string> siblings;
  for (std::filesystem::directory_iterator each(path.parent_path(), problem), end; !problem && each != end;
       each.increment(problem))
    siblings.push_back(each->path().filename().string());
  std::sort(siblings.begin(), siblings.end());
  const std::string wanted = path.filename().string();
  const std::string_view similar = closest(wanted, std::vector<std::string_view>(siblings.begin(), siblings.end()));
  const auto meant = std::filesystem::path(text).parent_path() / similar;
  return {code::kFileNotFound, fmt::format("there is no file '{}'", text),
          similar.empty() ? fmt::format("looked for {}", path.lexically_normal().string())
                          : fmt::format("did you mean '{}'?", meant.string())};
}

Parsed<void> check_script_file(std::string_view text, const std::filesystem::path& folder, const Report& report) {
  std::error_code problem;
  if (std::filesystem::is_regular_file(folder / text, problem)) return {};
  return fail(report.full() ? Fault{code::kFileNotFound, {}, {}} : missing_file(text, folder));
}

Parsed<void> check_existing_path(std::string_view text, const std::filesystem::path& folder) {
  std::error_code problem;
  if (std::filesystem::exists(folder / text, problem)) return {};
  return fail(Fault{code::kFileNotFound, fmt::format("there is no file or folder '{}'", text),
                    fmt::format("looked for {}", (folder / text).lexically_normal().string())});
}

Parsed<void> check_output(std::string_view text, const std::filesystem::path& folder) {
  const std::filesystem::path path = (folder / text).lexically_normal();
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem))
    return fail(Fault{code::kFileNotFound, fmt::format("'{}' is a folder", text), "name a file in it"});
  if (std::filesystem::is_directory(path.parent_path(), problem)) return {};
  return fail(Fault{code::kFileNotFound, fmt::format("there is no folder '{}'", path.parent_path().string()),
                    "create it, or write 'stdout' or 'stderr'"});
}

Parsed<void> check_folder(std::string_view text, const std::filesystem::path& folder) {
  const std::filesystem::path path = (folder / text).lexically_normal();
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) return {};
  if (std::filesystem::exists(path, problem))
    return fail(Fault{code::kFileNotFound, fmt::format("'{}' is a file", text), "name a folder"});
  if (std::filesystem::is_directory(path.parent_path(), problem)) return {};
  return fail(Fault{code::kFileNotFound, fmt::format("there is no folder '{}'", path.parent_path().string()),
                    "create it; only the last folder of the path is made"});
}

bool has_wildcard(std::string_view text) noexcept {
  return text.find_first_of("*?[") != std::string_view::npos;
}

Parsed<void> check_file_pattern(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  const std::string_view folder = text.substr(0, slash == std::string_view::npos ? 0 : slash);
  if (has_wildcard(folder))
    return fail(Fault{code::kBadValue, fmt::format("'{}' has a wildcard in a folder", text),
                      "wildcards stand in the name of the file: 'routes/*.yaml'"});
  const bool whole = text.find('\0') == std::string_view::npos;
  if (!text.empty() && !text.ends_with('/') && whole) return {};
  return fail(Fault{code::kBadValue, fmt::format("'{}' names no file", text), "for example: 'routes/*.yaml'"});
}

}  // namespace lingate::config
