// Line diff: what changes between two texts, line by line, in the unified form that `diff -u` prints (a longest common
// subsequence after Myers, "An O(ND) Difference Algorithm and Its Variations", 1986).
//
// Pure function; any thread.
#pragma once

#include <string>
#include <string_view>

namespace lingate::cli {

struct DiffTitles {
  std::string_view before;
  std::string_view after;
};

// Empty: the texts are the same.
std::string line_diff(std::string_view before, std::string_view after, const DiffTitles& titles);

}  // namespace lingate::cli
