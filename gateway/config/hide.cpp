#include "gateway/config/hide.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/fields.h"
#include "gateway/config/yaml.h"

namespace lingate::config {
namespace {

constexpr std::array<std::string_view, 9> kTelling{"secret", "password", "passwd",     "passphrase",   "token",
                                                   "key",    "apikey",   "credential", "authorization"};

// "signing_key", "clientSecret": the word stands at the end, perhaps in the plural.
bool is_telling(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return fields::lower(c); });
  if (lower.ends_with('s')) lower.pop_back();
  return std::any_of(kTelling.begin(), kTelling.end(), [&](std::string_view word) { return lower.ends_with(word); });
}

// "$2y$10$…", perhaps behind "ann:": the hash of a password says too much wherever it stands.
bool is_hash(std::string_view text) {
  const std::size_t begin = text.find('$');
  if (begin == std::string_view::npos || (begin > 0 && text[begin - 1] != ':')) return false;
  const std::size_t second = text.find('$', begin + 1);
  return second != std::string_view::npos && second - begin <= 4 && second - begin > 1 &&
         text.find('$', second + 1) != std::string_view::npos;
}

// The spans of all hashes, and of all scalars below a telling name but for those of references.
class Finder {
 public:
  void look(const Node& node, bool telling) {
    if (telling && is_reference(node)) return;
    if (node.kind == Node::Kind::scalar && (telling || is_hash(node.text))) spans_.push_back(node.span);
    for (const Node* each : node.items)
      look(*each, telling);
    for (const Entry& each : node.entries)
      look(*each.value, telling || (is_telling(each.name) && !is_key_file(node, each)));
  }

  std::vector<Span> take() {
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
    return std::move(spans_);
  }

 private:
  // {cert: site.pem, key: site.key}: paths, which tell nothing.
  static bool is_key_file(const Node& node, const Entry& entry) {
    return entry.name == "key" &&
           std::any_of(node.entries.begin(), node.entries.end(), [](const Entry& each) { return each.name == "cert"; });
  }

  static bool is_reference(const Node& node) {
    if (node.entries.size() != 1) return false;
    const std::string_view name = node.entries.front().name;
    return name == "env" || name == "file";
  }

  std::vector<Span> spans_;
};

}  // namespace

std::string hide_secrets(std::string_view text) {
  Sources sources;
  const Source& source = sources.add({"configuration", std::string(text), {}});
  Report report(sources);
  Expansion expansion;
  const auto document = parse_yaml(source, report, expansion);
  if (!document) return "# not shown: it is no YAML\n";
  Finder finder;
  if (document->root) finder.look(*document->root, false);
  std::string shown;
  std::size_t at = 0;
  for (const Span& span : finder.take()) {
    if (span.begin < at) continue;  // an alias leads to the same place again
    shown.append(text.substr(at, span.begin - at)).append(kHidden);
    at = span.end;
  }
  return shown.append(text.substr(at));
}

}  // namespace lingate::config
