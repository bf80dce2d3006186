// Trie: path segments as nodes. Literal edges of all nodes live in one open-addressing hash table keyed by (node,
// segment), so that a step costs one look-up however many siblings there are. Hosts are edges too, from two roots of
// their own.
//
// Thread: grown by one, then immutable and read by any. No allocation in find().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::routing {

class Trie {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  static constexpr Index kAnyHost = 0;   // the paths of routes without host
  static constexpr Index kHosts = 1;     // parent of exact hosts
  static constexpr Index kSuffixes = 2;  // parent of "*.suffix" hosts, by "suffix"

  struct Node {
    Index param = kNone;     // child that takes any one segment
    Index end = kNone;       // what matches if the path ends here
    Index wildcard = kNone;  // what matches this path and all below
    bool literals = false;   // are there literal children at all?
  };

  Trie();

  const Node& node(Index index) const noexcept { return nodes_[index]; }
  Index find(Index parent, std::string_view segment) const noexcept;  // literal child, or kNone

  Index add(Index parent, std::string_view segment);  // the literal child, made if need be
  Index add_param(Index parent);
  Node& edit(Index index) noexcept { return nodes_[index]; }
  std::size_t size() const noexcept { return nodes_.size(); }

 private:
  static constexpr std::size_t kInline = 36;

  // One cache line, so that a step touches little more than one. Longer segments are compared in texts_ too.
  struct alignas(64) Edge {
    std::uint64_t hash = 0;
    Index parent = kNone;
    Index child = kNone;  // kNone: a free place
    std::uint32_t length = 0;
    std::uint32_t rest = 0;  // where in texts_ what does not fit into `head` stands
    std::array<char, kInline> head{};
  };

  static std::uint64_t hash(Index parent, std::string_view segment) noexcept;
  bool is(const Edge& edge, std::string_view segment) const noexcept;
  void place(const Edge& edge) noexcept;
  void grow();

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;  // a power of two, at most half full
  std::size_t used_ = 0;
  std::string texts_;
};

}  // namespace lingate::routing
