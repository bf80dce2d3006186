// "Did you mean": the candidate that a misspelt name is closest to.
//
// Pure function; any thread.
#pragma once

#include <span>
#include <string_view>

namespace lingate {

// The candidate with the fewest insertions, deletions, replacements and swaps of neighbours (case is free), if that is
// few enough for a slip of the hand; else empty. The first of equals.
std::string_view closest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace lingate
