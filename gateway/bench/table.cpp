#include "gateway/bench/table.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "gateway/bench/stats.h"
#include "gateway/bench/text.h"

namespace lingate::bench {
namespace {

constexpr std::size_t kSpark = 11;

const Figure* figure(const Row& row, std::string_view name) {
  const auto found = row.figures.find(name);
  return found == row.figures.end() ? nullptr : &found->second;
}

double median(const Row& row, std::string_view name) {
  const Figure* found = figure(row, name);
  return found ? found->median : 0;
}

std::string shown(const Row& row, std::string_view name) {
  const Figure* found = figure(row, name);
  return found ? value_text(found->median, found->unit) : "-";
}

std::string place_of(const Row& row) {
  if (row.runtime.empty()) return row.job;
  return row.placement.empty() ? row.runtime : row.runtime + " " + row.placement;
}

// Half the interval, as a part of the median.
std::string spread(const Figure& figure) {
  if (figure.median <= 0) return "";
  return fmt::format("±{:.1f}%", (figure.high - figure.low) / 2 / figure.median * 100);
}

// `~`: the samples do not tell this row from the one above it.
bool same_as(const Row* above, const Row& row) {
  if (!above) return false;
  const Figure* before = figure(*above, figure::kCpu);
  const Figure* after = figure(row, figure::kCpu);
  return before && after && !ratio_of(before->samples, after->samples).differs;
}

std::string script_line(const Row& row, const Row* above, double native) {
  const Figure* const cpu = figure(row, figure::kCpu);
  if (!cpu) return {};
  return fmt::format("  {}{}{}{}{}{}{}{} {}\n", left(place_of(row), 14), same_as(above, row) ? "~" : " ",
                     right(time_text(cpu->median), 9), right(spread(*cpu), 7),
                     right(native > 0 ? fmt::format("{:.1f}×", cpu->median / native) : "", 8),
                     right(shown(row, figure::kP50), 9), right(shown(row, figure::kP99), 9),
                     right(shown(row, figure::kP999), 9), sparkline(row.histogram, kSpark));
}

std::vector<const Row*> rows_of(const Record& record, std::string_view job) {
  std::vector<const Row*> rows;
  for (const Row& row : record.rows)
    if (row.job == job) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const Row* one, const Row* other) {
    return median(*one, figure::kCpu) < median(*other, figure::kCpu);
  });
  return rows;
}

std::string script_table(const Record& record) {
  std::string text =
      fmt::format("  {} {}{}{}{}{}{} {}\n", left("", 14), right("CPU", 9), right("", 7), right("× native", 8),
                  right("p50", 9), right("p99", 9), right("p99.9", 9), "100ns…100ms");
  std::vector<std::string_view> told;
  for (const Row& first : record.rows) {
    if (std::find(told.begin(), told.end(), first.job) != told.end()) continue;
    told.push_back(first.job);
    text += first.job + "\n";
    const auto rows = rows_of(record, first.job);
    const Row* native = record.find("native/" + first.job);
    const Row* above = nullptr;
    for (const Row* row : rows) {
      text += script_line(*row, above, native ? median(*native, figure::kCpu) : 0);
      above = row;
    }
  }
  return text;
}

std::string http_table(const Record& record) {
  std::string text = fmt::format("  {}{}{}{}{}{}\n", left("", 20), right("rate", 11), right("p50", 10),
                                 right("p99", 10), right("p99.9", 10), right("max", 10));
  for (const Row& row : record.rows)
    text += fmt::format("  {}{}{}{}{}{}\n", left(row.job, 20), right(shown(row, figure::kRate), 11),
                        right(shown(row, figure::kP50), 10), right(shown(row, figure::kP99), 10),
                        right(shown(row, figure::kP999), 10), right(shown(row, figure::kMax), 10));
  for (const Row& row : record.rows)
    text += fmt::format("  {} 100ns {} 100ms\n", left(row.job, 20), sparkline(row.histogram, 40));
  return text;
}

}  // namespace

std::string table_of(const Record& record) {
  return record.kind == "http" ? http_table(record) : script_table(record);
}

}  // namespace lingate::bench
