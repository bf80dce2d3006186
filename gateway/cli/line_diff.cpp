#include "gateway/cli/line_diff.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/pairs.h"

namespace lingate::cli {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;
constexpr std::ptrdiff_t kMostEdits = 2000;  // memory grows with their square: 32 MiB

struct Line {
  char mark;  // ' ', '-' or '+'
  std::string_view text;
};

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty())
    lines.push_back(take_until(text, '\n'));
  return lines;
}

// How far down the first text each diagonal is after so many edits: diagonal k at [k + edits + 1].
using Reach = std::vector<std::ptrdiff_t>;

bool goes_down(const Reach& before, std::ptrdiff_t d, std::ptrdiff_t k) {
  const auto at = [&](std::ptrdiff_t diagonal) { return before[static_cast<std::size_t>(diagonal + d)]; };
  return k == -d || (k != d && at(k - 1) < at(k + 1));
}

// By the number of edits, until both ends are reached. Empty: that would take more than kMostEdits.
std::vector<Reach> reach(const Lines& a, const Lines& b) {
  const auto n = static_cast<std::ptrdiff_t>(a.size());
  const auto m = static_cast<std::ptrdiff_t>(b.size());
  std::vector<Reach> trace{Reach{0, 0}};  // before the first edit
  for (std::ptrdiff_t d = 0; d <= kMostEdits; ++d) {
    const Reach& before = trace.back();
    const auto at = [&](std::ptrdiff_t k) { return before[static_cast<std::size_t>(k + d)]; };
    Reach now(static_cast<std::size_t>(2 * d + 3), 0);
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      std::ptrdiff_t x = d == 0 ? 0 : goes_down(before, d, k) ? at(k + 1) : at(k - 1) + 1;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)])
        ++x;
      now[static_cast<std::size_t>(k + d + 1)] = x;
      if (x >= n && x - k >= m) return trace;
    }
    trace.push_back(std::move(now));
  }
  return {};
}

std::vector<Line> all_replaced(const Lines& a, const Lines& b) {
  std::vector<Line> lines;
  for (const std::string_view line : a)
    lines.push_back({'-', line});
  for (const std::string_view line : b)
    lines.push_back({'+', line});
  return lines;
}

std::vector<Line> edits(const Lines& a, const Lines& b) {
  const std::vector<Reach> trace = reach(a, b);
  if (trace.empty()) return all_replaced(a, b);
  auto x = static_cast<std::ptrdiff_t>(a.size());
  auto y = static_cast<std::ptrdiff_t>(b.size());
  std::vector<Line> backwards;
  for (auto d = static_cast<std::ptrdiff_t>(trace.size()) - 1; d >= 0; --d) {
    const Reach& before = trace[static_cast<std::size_t>(d)];
    const bool down = d != 0 && goes_down(before, d, x - y);
    const std::ptrdiff_t from_k = down ? x - y + 1 : x - y - 1;
    const std::ptrdiff_t from_x = d == 0 ? 0 : before[static_cast<std::size_t>(from_k + d)];
    const std::ptrdiff_t from_y = d == 0 ? 0 : from_x - from_k;
    const std::ptrdiff_t start_x = d == 0 || down ? from_x : from_x + 1;
    while (x > start_x) {
      --x, --y;
      backwards.push_back({' ', a[static_cast<std::size_t>(x)]});
    }
    if (d == 0) break;
    backwards.push_back(down ? Line{'+', b[static_cast<std::size_t>(from_y)]}
                             : Line{'-', a[static_cast<std::size_t>(from_x)]});
    x = from_x;
    y = from_y;
  }
  return {backwards.rbegin(), backwards.rend()};
}

// One stretch of changes with what stands around it.
void write_hunk(std::string& out, const std::vector<Line>& lines, std::size_t begin, std::size_t end) {
  std::size_t before = 1;
  std::size_t after = 1;
  for (std::size_t k = 0; k < begin; ++k) {
    before += lines[k].mark != '+';
    after += lines[k].mark != '-';
  }
  std::size_t olds = 0;
  std::size_t news = 0;
  std::string body;
  for (std::size_t k = begin; k < end; ++k) {
    olds += lines[k].mark != '+';
    news += lines[k].mark != '-';
    body += fmt::format("{}{}\n", lines[k].mark, lines[k].text);
  }
  out += fmt::format("@@ -{},{} +{},{} @@\n{}", olds ? before : before - 1, olds, news ? after : after - 1, news, body);
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after, const DiffTitles& titles) {
  const std::vector<Line> lines = edits(lines_of(before), lines_of(after));
  const auto changed = [&lines](std::size_t k) { return lines[k].mark != ' '; };
  std::string out;
  for (std::size_t k = 0; k < lines.size(); ++k) {
    if (!changed(k)) continue;
    std::size_t last = k;
    for (std::size_t next = k; next < lines.size() && next <= last + 2 * kContext; ++next)
      if (changed(next)) last = next;
    if (out.empty()) out = fmt::format("--- {}\n+++ {}\n", titles.before, titles.after);
    write_hunk(out, lines, k < kContext ? 0 : k - kContext, std::min(last + kContext + 1, lines.size()));
    k = last;
  }
  return out;
}

}  // namespace lingate::cli
