// YAML documents as trees that know where everything stands. The parser is libfyaml's; this adds what a configuration
// needs: duplicate keys are errors, aliases are followed under a budget (and never in a circle), depth is bounded, and
// plain scalars are read by the core schema of YAML 1.2, where `yes` and `on` are texts.
//
// Thread: a document belongs to one load. Lifetime: texts borrow from the document or from its source.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/config/diagnostic.h"

namespace lingate::config {

struct Node;

struct Entry {
  std::string_view name;
  Span span;  // of the name
  Node* value = nullptr;
};

struct Node {
  enum class Kind { scalar, sequence, mapping, broken };  // broken: reported already; nobody complains again

  Kind kind = Kind::scalar;
  bool plain = false;  // scalar: written without quotes
  Span span;           // a collection's: its first character or first key
  std::string_view text;
  std::vector<Node*> items;
  std::vector<Entry> entries;
  std::uint64_t weight = 1;  // nodes in it, aliases expanded
  std::uint64_t bytes = 0;   // of texts in it, names included, aliases expanded
  std::uint32_t height = 1;  // levels below and with it

  const Entry* find(std::string_view name) const noexcept;
  Entry* find(std::string_view name) noexcept;
};

class Document {
 public:
  static constexpr std::size_t kMostBytes = 64U * 1024 * 1024;
  static constexpr std::uint32_t kDeepest = 64;

  Node* root = nullptr;  // nullptr: the document is empty

  Node& make() { return nodes_.emplace_back(); }
  std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

 private:
  std::deque<Node> nodes_;
  std::deque<std::string> texts_;
};

// What the aliases of one load have expanded to.
struct Expansion {
  static constexpr std::uint64_t kMostNodes = 1'000'000;
  static constexpr std::uint64_t kMostText = 64U * 1024 * 1024;  // bytes

  std::uint64_t nodes = 0;
  std::uint64_t text = 0;
};

// Nothing if it is not well-formed; then the report says why. Duplicate keys are reported and dropped.
std::optional<Document> parse_yaml(const Source& source, Report& report, Expansion& expansion);

// What a scalar means. Quoted ones are always text.
using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;
Scalar read_scalar(const Node& node);

}  // namespace lingate::config
