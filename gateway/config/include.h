// Includes: brings a configuration that is written in several files together to one tree, before anything of it is
// validated. Lists are added to, mappings of names joined, and what can be said once may stand in one file; what is
// wrong with that is reported where it stands. A file is taken once, however often it is named.
//
// Thread: one load. Lifetime: the tree points into this and into the first file's document.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/loader.h"
#include "gateway/config/validate.h"
#include "gateway/config/view.h"
#include "gateway/config/yaml.h"

namespace lingate::config {

class Includes {
 public:
  static constexpr std::size_t kMostFiles = 1000;
  static constexpr std::size_t kDeepest = 8;  // files that include each other

  struct Load {
    Sources& sources;
    Report& report;
    Validator& validator;
    const LoadOptions& options;
  };

  Includes(const Load& load, Expansion& expansion) : load_(load), expansion_(expansion) {}

  // The whole of which `root` is the first file.
  Node& join(Node& root, const Source& source);

  // What was read, and what was looked for: paths and patterns. Also where something was wrong.
  std::vector<WrittenFile> take_files() { return std::move(files_); }
  std::vector<std::string> take_patterns() { return std::move(patterns_); }

 private:
  // One that is being read.
  struct File {
    const Source& source;
    std::string identity;
    const File* outer = nullptr;
    Span at{};  // where that one includes it
  };
  enum class By { name, pattern };
  struct Wanted {
    std::string written;         // relative to the file that names it
    std::filesystem::path path;  // absolute
    std::string name;            // as messages call it
    Span at;
    By by;
  };

  void add(Node& root, const File& file);
  void take(const Entry& entry);
  void unite(Entry& before, const Entry& entry, const Field& field);
  Node& own_copy(Entry& entry);

  void include(const View& pattern, const File& from);
  void read(const Wanted& wanted, const File& from);
  bool is_open(const Wanted& wanted, const std::string& identity, const File& from);
  bool is_too_much(const Wanted& wanted, const File& from);
  std::optional<std::string> text_of(const Wanted& wanted, const File& from);
  std::vector<std::string> names_in(const std::filesystem::path& folder, const std::string& pattern) const;
  void parse(const Source& source, const File& file);

  const Load load_;
  Expansion& expansion_;
  Node whole_;
  std::deque<Document> documents_;
  std::deque<Node> copies_;
  std::map<std::string_view, std::map<std::string_view, Span>> names_;  // of the mappings that were joined
  std::set<std::string> taken_;                                         // files, as canonical paths
  std::vector<WrittenFile> files_;
  std::vector<std::string> patterns_;
};

}  // namespace lingate::config
