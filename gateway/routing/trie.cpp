#include "gateway/routing/trie.h"

#include <cstring>
#include <utility>

namespace lingate::routing {

Trie::Trie() : nodes_(3), edges_(16) {}

namespace {

std::uint64_t load8(const char* at) noexcept {
  std::uint64_t chunk;
  std::memcpy(&chunk, at, 8);
  return chunk;
}

std::uint64_t load4(const char* at) noexcept {
  std::uint32_t chunk;
  std::memcpy(&chunk, at, 4);
  return chunk;
}

// All bytes of a text of up to eight.
std::uint64_t load_short(std::string_view text) noexcept {
  const std::size_t size = text.size();
  if (size >= 4) return load4(text.data()) | load4(text.data() + size - 4) << 32;
  std::uint64_t chunk = 0;
  for (const char c : text)
    chunk = chunk << 8 | static_cast<unsigned char>(c);
  return chunk;
}

}  // namespace

// Multiply and fold, eight bytes at a time; the last eight may overlap those before. The table is fixed before the
// first request, so nobody can make it collide.
std::uint64_t Trie::hash(Index parent, std::string_view segment) noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  std::uint64_t state = segment.size() << 32 ^ parent;
  const auto mix = [&state](std::uint64_t chunk) {
    state = (state ^ chunk) * kMultiplier;
    state ^= state >> 32;
  };
  if (segment.size() <= 8) {
    mix(load_short(segment));
  } else {
    for (std::size_t at = 0; at + 8 < segment.size(); at += 8)
      mix(load8(segment.data() + at));
    mix(load8(segment.data() + segment.size() - 8));
  }
  return state * kMultiplier;
}

bool Trie::is(const Edge& edge, std::string_view segment) const noexcept {
  if (edge.length != segment.size()) return false;
  if (edge.length <= kInline) return std::memcmp(edge.head.data(), segment.data(), edge.length) == 0;
  return std::memcmp(edge.head.data(), segment.data(), kInline) == 0 &&
         std::string_view(texts_).substr(edge.rest, edge.length - kInline) == segment.substr(kInline);
}

Trie::Index Trie::find(Index parent, std::string_view segment) const noexcept {
  if (!nodes_[parent].literals) return kNone;
  const std::uint64_t wanted = hash(parent, segment);
  const std::size_t mask = edges_.size() - 1;
  for (std::size_t at = (wanted >> 32) & mask; edges_[at].child != kNone; at = (at + 1) & mask) {
    const Edge& edge = edges_[at];
    if (edge.hash == wanted && edge.parent == parent && is(edge, segment)) return edge.child;
  }
  return kNone;
}

Trie::Index Trie::add(Index parent, std::string_view segment) {
  if (const Index known = find(parent, segment); known != kNone) return known;
  if (++used_ * 2 > edges_.size()) grow();
  const auto child = static_cast<Index>(nodes_.size());
  nodes_.emplace_back();
  nodes_[parent].literals = true;
  Edge edge{hash(parent, segment), parent, child, static_cast<std::uint32_t>(segment.size()), 0, {}};
  segment.copy(edge.head.data(), kInline);
  if (segment.size() > kInline) {
    edge.rest = static_cast<std::uint32_t>(texts_.size());
    texts_.append(segment.substr(kInline));
  }
  place(edge);
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
  std::size_t at = (edge.hash >> 32) & mask;
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
