#include "gateway/cli/line_diff.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <vector>

namespace lingate::cli {
namespace {

constexpr DiffTitles kTitles{"old", "new"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

// What `patch` makes of it.
std::string patched(const std::string& before, const std::string& diff) {
  const std::vector<std::string> old = lines_of(before);
  std::string out;
  std::size_t at = 0;
  for (const std::string& line : lines_of(diff)) {
    if (line.starts_with("---") || line.starts_with("+++")) continue;
    if (line.starts_with("@@")) {
      std::size_t from = std::stoul(line.substr(4));
      const bool none = line.find(",0 +") != std::string::npos;
      for (from -= none ? 0 : 1; at < from; ++at)
        out += old[at] + "\n";
    } else if (line[0] == '+') {
      out += line.substr(1) + "\n";
    } else {
      EXPECT_EQ(old[at], line.substr(1));
      if (line[0] == ' ') out += old[at] + "\n";
      ++at;
    }
  }
  for (; at < old.size(); ++at)
    out += old[at] + "\n";
  return out;
}

TEST(LineDiff, SameTextsHaveNone) {
  EXPECT_EQ(line_diff("a\nb\n", "a\nb\n", kTitles), "");
  EXPECT_EQ(line_diff("", "", kTitles), "");
}

TEST(LineDiff, ShowsAChangeWithThreeLinesAroundIt) {
  EXPECT_EQ(line_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", kTitles),
            "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(LineDiff, PutsChangesFarApartIntoHunksOfTheirOwn) {
  std::string before;
  for (int k = 0; k < 30; ++k)
    before += std::to_string(k) + "\n";
  const std::string diff = line_diff(before, "new\n" + before.substr(0, before.size() - 3), kTitles);
  EXPECT_EQ(diff, "--- old\n+++ new\n@@ -1,3 +1,4 @@\n+new\n 0\n 1\n 2\n@@ -27,4 +28,3 @@\n 26\n 27\n 28\n-29\n");
}

TEST(LineDiff, FromNothingAndToNothing) {
  EXPECT_EQ(line_diff("", "a\n", kTitles), "--- old\n+++ new\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(line_diff("a\n", "", kTitles), "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-a\n");
}

TEST(LineDiff, MakesTheOneOfTheOther) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string texts[2];
    for (std::string& text : texts)
      for (auto k = random() % 40; k > 0; --k)
        text += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
    EXPECT_EQ(patched(texts[0], line_diff(texts[0], texts[1], kTitles)), texts[1]);
  }
}

TEST(LineDiff, TextsWithoutACommonLineCostLittle) {
  std::string before;
  std::string after;
  for (int k = 0; k < 20'000; ++k) {
    before += "a" + std::to_string(k) + "\n";
    after += "b" + std::to_string(k) + "\n";
  }
  EXPECT_EQ(patched(before, line_diff(before, after, kTitles)), after);
}

}  // namespace
}  // namespace lingate::cli
