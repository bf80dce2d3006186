#include "gateway/config/include.h"

#include <fnmatch.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/config/paths.h"

namespace lingate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInclude = "include";

std::string identity_of(const fs::path& path) {
  std::error_code problem;
  const fs::path canonical = fs::weakly_canonical(path, problem);
  return (problem ? path : canonical).string();
}

bool is_nothing(const Node& node) {
  return node.kind == Node::Kind::scalar && std::holds_alternative<std::monostate>(read_scalar(node));
}

// Whether more can be added to it.
bool has_shape(const Node& node, Shape shape) {
  if (shape == Shape::map) return node.kind == Node::Kind::mapping;
  if (node.kind == Node::Kind::sequence) return true;
  return shape == Shape::one_or_list && node.kind != Node::Kind::broken && !is_nothing(node);
}

bool fits(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0;
}

}  // namespace

Node& Includes::join(Node& root, const Source& source) {
  whole_.kind = Node::Kind::mapping;
  whole_.span = root.span;
  const auto name = fs::path(source.name()).filename();
  File first{source, identity_of(source.folder() / name)};
  taken_.insert(first.identity);
  add(root, first);
  return whole_;
}

// ---- what they hold ----

void Includes::add(Node& root, const File& file) {
  load_.validator.keys(root);
  for (const Entry& entry : root.entries)
    take(entry);
  const Entry* const more = root.find(kInclude);
  if (!more) return;
  const Settings patterns = load_.validator.top(*more->value, *find_field("", kInclude));
  for (const View& each : View(patterns, *more->value).items())
    if (each.valid()) include(each, file);
}

void Includes::take(const Entry& entry) {
  if (entry.name == kInclude) return;
  const Field& field = *find_field("", entry.name);
  Entry* const before = whole_.find(entry.name);
  if (!before) {
    whole_.entries.push_back(entry);
  } else if (field.shape != Shape::one) {
    unite(*before, entry, field);
  } else if (entry.name == "version") {  // each file may say it
    load_.validator.top(*entry.value, field);
  } else {
    load_.report.error(
        {code::kDuplicateKey, entry.span, fmt::format("'{}' stands in two files", entry.name), "say it in one of them"},
        {{before->span, "first said here"}});
  }
}

void Includes::unite(Entry& before, const Entry& entry, const Field& field) {
  if (!has_shape(*entry.value, field.shape)) {
    load_.validator.top(*entry.value, field);  // which says why
    return;
  }
  if (!has_shape(*before.value, field.shape)) return;  // as will be said of it
  Node& all = own_copy(before);
  if (field.shape != Shape::map) {
    if (entry.value->kind == Node::Kind::sequence)
      all.items.insert(all.items.end(), entry.value->items.begin(), entry.value->items.end());
    else
      all.items.push_back(entry.value);
    return;
  }
  auto& names = names_[field.name];
  for (const Entry& each : entry.value->entries) {
    const auto [first, fresh] = names.emplace(each.name, each.span);
    if (fresh) {
      all.entries.push_back(each);
      continue;
    }
    const std::string_view thing = field.type == Type::chain ? "chain" : section(field.of).thing;
    load_.report.error({code::kDuplicateName, each.span, fmt::format("{} '{}' is defined twice", thing, each.name),
                        "rename or remove one of the two"},
                       {{first->second, "first defined here"}});
  }
}

// What was parsed stays as it is: an anchor may stand for it elsewhere.
Node& Includes::own_copy(Entry& entry) {
  if (names_.contains(entry.name)) return *entry.value;
  auto& names = names_[entry.name];
  Node& copy = copies_.emplace_back();
  copy.span = entry.value->span;
  copy.kind = entry.value->kind;
  copy.entries = entry.value->entries;
  copy.items = entry.value->items;
  for (const Entry& each : copy.entries)
    names.emplace(each.name, each.span);
  const bool one_of_a_list = find_field("", entry.name)->shape != Shape::map && copy.kind != Node::Kind::sequence;
  if (one_of_a_list) {
    copy.kind = Node::Kind::sequence;
    copy.entries.clear();
    copy.items = {entry.value};
  }
  entry.value = &copy;
  return copy;
}

// ---- where they are ----

void Includes::include(const View& pattern, const File& from) {
  const fs::path written(pattern.settings().as_text());
  const auto wanted = [&](const fs::path& file, By by) -> Wanted {
    return {file.string(), (from.source.folder() / file).lexically_normal(),
            (fs::path(from.source.name()).parent_path() / file).lexically_normal().string(), pattern.span(), by};
  };
  const Wanted whole = wanted(written, By::name);
  patterns_.push_back(whole.path.string());
  if (!has_wildcard(whole.written)) return read(whole, from);
  std::error_code problem;
  const fs::path folder = whole.path.parent_path();
  if (!load_.options.included && !fs::is_directory(folder, problem))
    load_.report.warning({code::kSuspiciousValue, pattern.span(),
                          fmt::format("'include': there is no folder '{}'", written.parent_path().string()),
                          fmt::format("looked for {}", folder.string())});
  for (const std::string& name : names_in(folder, whole.path.filename().string()))
    read(wanted(written.parent_path() / name, By::pattern), from);
}

std::vector<std::string> Includes::names_in(const fs::path& folder, const std::string& pattern) const {
  std::vector<std::string> names;
  const auto look_at = [&](const fs::path& path) {
    if (const std::string name = path.filename().string(); fits(pattern, name)) names.push_back(name);
  };
  std::error_code problem;
  if (load_.options.included) {
    for (const WrittenFile& each : *load_.options.included)
      if (const fs::path path(each.path); path.parent_path() == folder) look_at(path);
  } else {
    for (fs::directory_iterator each(folder, problem), end; !problem && each != end; each.increment(problem))
      if (std::error_code unknown; each->is_regular_file(unknown)) look_at(each->path());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Includes::read(const Wanted& wanted, const File& from) {
  std::string identity = identity_of(wanted.path);
  if (is_open(wanted, identity, from) || taken_.contains(identity) || is_too_much(wanted, from)) return;
  taken_.insert(identity);
  auto text = text_of(wanted, from);
  if (!text) return;
  files_.push_back({wanted.name, wanted.path.string(), *text});
  const Source& source = load_.sources.add({wanted.name, std::string(without_mark(*text)), wanted.path.parent_path()});
  parse(source, {source, std::move(identity), &from, wanted.at});
}

// A pattern may fit the file that it stands in.
bool Includes::is_open(const Wanted& wanted, const std::string& identity, const File& from) {
  std::vector<Report::Second> way;
  const File* file = &from;
  for (; file && file->identity != identity; file = file->outer)
    way.insert(way.begin(), {file->at, "by way of this"});
  if (!file) return false;
  if (wanted.by == By::name)
    load_.report.error(
        {code::kCyclicInclude, wanted.at, fmt::format("'{}' includes itself", wanted.name), "remove this, or that"},
        std::move(way));
  return true;
}

bool Includes::is_too_much(const Wanted& wanted, const File& from) {
  std::size_t depth = 1;
  for (const File* file = &from; file->outer; file = file->outer)
    ++depth;
  const bool many = files_.size() >= kMostFiles;
  if (!many && depth <= kDeepest) return false;
  load_.report.error({code::kYamlTooLarge, wanted.at,
                      many ? fmt::format("more than {} files are included", kMostFiles)
                           : fmt::format("'include': files are nested deeper than {}", kDeepest),
                      many ? "look at what the pattern matches" : "include them from the first file"});
  return true;
}

std::optional<std::string> Includes::text_of(const Wanted& wanted, const File& from) {
  const auto refuse = [&](Fault fault) {
    load_.report.error({fault.code, wanted.at, "'include': " + fault.what, std::move(fault.cure)});
    return std::nullopt;
  };
  const auto missing = [&] { return missing_file(wanted.written, from.source.folder()); };
  if (load_.options.included) {
    for (const WrittenFile& each : *load_.options.included)
      if (each.path == wanted.path) return each.text;
    return refuse(missing());
  }
  std::error_code problem;
  if (!fs::exists(wanted.path, problem)) return refuse(missing());
  if (!fs::is_regular_file(wanted.path, problem))
    return refuse(
        {code::kFileNotFound, fmt::format("'{}' is no file", wanted.name), "a folder's files are 'FOLDER/*.yaml'"});
  const std::size_t room = Document::kMostBytes - std::min(load_.sources.bytes(), Document::kMostBytes);
  auto text = read_file(wanted.path.string(), room);
  if (text) return *std::move(text);
  return refuse({code::kCannotRead, fmt::format("'{}' cannot be read: {}", wanted.name, text.error()),
                 "all files of a configuration have at most 64MiB; see that this user may read them"});
}

void Includes::parse(const Source& source, const File& file) {
  auto document = parse_yaml(source, load_.report, expansion_);
  if (!document || !document->root || document->root->kind == Node::Kind::broken) return;
  Node& root = *documents_.emplace_back(std::move(*document)).root;
  if (root.kind == Node::Kind::mapping) return add(root, file);
  if (!is_nothing(root))
    load_.report.error({code::kWrongType, root.span,
                        fmt::format("an included file is a mapping, not {}", describe_kind(root)),
                        "it holds keys as the first file does: 'routes:', 'upstreams:'"});
}

}  // namespace lingate::config
