#include "gateway/routing/trie.h"

#include <cstring>
#include <utility>

namespace lingate::routing {

Trie::Trie() : nodes_(3), edges_(16) {}

// Multiply and fold, eight bytes at a time. The table is fixed before the first request, so nobody can make it collide.
std::uint64_t Trie::hash(Index parent, std::string_view segment) noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  std::uint64_t state = (segment.size() + 1) * kMultiplier ^ parent;
  const char* at = segment.data();
  std::size_t left = segment.size();
  const auto mix = [&state](std::uint64_t chunk) {
    state = (state ^ chunk) * kMultiplier;
    state ^= state >> 32;
  };
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t chunk;
    std::memcpy(&chunk, at, 8);
    mix(chunk);
  }
  std::uint64_t chunk = 0;
  if (left > 0) std::memcpy(&chunk, at, left);
  mix(chunk);
  return state;
}

Trie::Index Trie::find(Index parent, std::string_view segment) const noexcept {
  const std::uint64_t wanted = hash(parent, segment);
  const std::size_t mask = edges_.size() - 1;
  for (std::size_t at = wanted & mask; edges_[at].child != kNone; at = (at + 1) & mask) {
    const Edge& edge = edges_[at];
    if (edge.hash == wanted && edge.parent == parent && text(edge) == segment) return edge.child;
  }
  return kNone;
}

Trie::Index Trie::add(Index parent, std::string_view segment) {
  if (const Index known = find(parent, segment); known != kNone) return known;
  if (++used_ * 2 > edges_.size()) grow();
  const auto child = static_cast<Index>(nodes_.size());
  nodes_.emplace_back();
  place({hash(parent, segment), parent, child, static_cast<std::uint32_t>(texts_.size()),
         static_cast<std::uint32_t>(segment.size())});
  texts_.append(segment);
  return child;
}

Trie::Index Trie::add_param(Index parent) {
  if (nodes_[parent].param == kNone) {
    const auto child = static_cast<Index>(nodes_.size());
    nodes_.emplace_back();
    nodes_[parent].param = child;
  }
  return nodes_[parent].param;
}

void Trie::place(const Edge& edge) noexcept {
  const std::size_t mask = edges_.size() - 1;
  std::size_t at = edge.hash & mask;
  while (edges_[at].child != kNone)
    at = (at + 1) & mask;
  edges_[at] = edge;
}

void Trie::grow() {
  const std::vector<Edge> old = std::exchange(edges_, std::vector<Edge>(edges_.size() * 2));
  for (const Edge& edge : old)
    if (edge.child != kNone) place(edge);
}

}  // namespace lingate::routing
