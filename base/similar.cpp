#include "base/similar.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/fields.h"

namespace lingate {
namespace {

constexpr std::size_t kLongest = 64;
using Row = std::array<std::size_t, kLongest + 1>;

// Edit distance with swaps of neighbours (optimal string alignment), three rows at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  Row before{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = fields::lower(a[i - 1]) == fields::lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string_view closest(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kLongest) return {};
  // A third of the name may be wrong, at least one letter.
  const std::size_t most = std::max<std::size_t>(1, name.size() / 3);
  std::size_t best = 2 * (most + 1);
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    // Of two that are as near, the one that begins alike is meant.
    const bool begins_alike = !name.empty() && !candidate.empty() && name.front() == candidate.front();
    const std::size_t away = 2 * distance(name, candidate) + (begins_alike ? 0 : 1);
    if (away >= best) continue;
    best = away;
    found = candidate;
  }
  return found;
}

}  // namespace lingate
