#include "gateway/reload/files.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/config/loader.h"
#include "gateway/config/yaml.h"
#include "gateway/reload/save_file.h"

namespace lingate {
namespace {

using admin::NotReplaced;
using config::WrittenFile;
using Files = std::vector<WrittenFile>;

const WrittenFile* find(const Files& files, const std::string& path) {
  const auto found =
      std::find_if(files.begin(), files.end(), [&path](const WrittenFile& each) { return each.path == path; });
  return found == files.end() ? nullptr : &*found;
}

// But for a byte order mark, which a loaded text has lost.
bool is_same(std::string_view on_disk, std::string_view loaded) {
  return config::without_mark(on_disk) == config::without_mark(loaded);
}

// Somebody's edit of a file must not be lost.
std::optional<NotReplaced> check_file(const std::string& path, std::string_view before) {
  const auto now = read_file(path, config::Document::kMostBytes);
  if (now && is_same(*now, before)) return std::nullopt;
  return NotReplaced{now ? code::kConfigFileChanged : code::kConfigNotSaved, now ? path : path + ": " + now.error()};
}

// A file that its patterns match today would be part of it from the next reload on.
std::optional<NotReplaced> check_strangers(const config::Written& next) {
  const config::Loaded now = config::load_text(next.file, next.text, {next.folder, {}});
  for (const WrittenFile& each : now.written.included)
    if (!find(next.included, each.path))
      return NotReplaced{code::kConfigNotSaved,
                         fmt::format("{} would be included as well: move it away, or do not save", each.path)};
  return std::nullopt;
}

}  // namespace

std::optional<NotReplaced> check_files(const config::Written& on_disk, const config::Written& next) {
  if (auto why = check_file(next.file, on_disk.text)) return why;
  for (const WrittenFile& each : next.included) {
    const WrittenFile* const before = find(on_disk.included, each.path);
    const auto now = read_file(each.path, config::Document::kMostBytes);
    if (now && is_same(*now, each.text)) continue;
    if (!before)
      return NotReplaced{code::kConfigNotSaved,
                         fmt::format("{} is not what it was: put it back, or do not save", each.path)};
    if (auto why = check_file(each.path, before->text)) return why;
  }
  return check_strangers(next);
}

Result<void, std::string> save_files(const config::Written& on_disk, const config::Written& next) {
  for (const WrittenFile& each : next.included) {
    const WrittenFile* const before = find(on_disk.included, each.path);
    if (!before || before->text == each.text) continue;
    if (auto saved = save_file(each.path, each.text); !saved) return saved;
  }
  return save_file(next.file, next.text);
}

}  // namespace lingate
