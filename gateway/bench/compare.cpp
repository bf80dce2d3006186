#include "gateway/bench/compare.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gateway/bench/text.h"

namespace lingate::bench {
namespace {

// The mean of many rows is known better than each of them.
constexpr double kOverallFloor = 0.006;

std::vector<std::string> figures_of(const Record& record, const std::vector<Limit>& limits) {
  std::vector<std::string> names;
  if (record.kind == "http")
    names = {std::string(figure::kRate), std::string(figure::kP50), std::string(figure::kP99)};
  else
    names = {std::string(figure::kCpu)};
  for (const Limit& limit : limits)
    if (std::find(names.begin(), names.end(), limit.figure) == names.end()) names.push_back(limit.figure);
  return names;
}

bool lies_in(double value, const Figure& figure) noexcept {
  return value >= figure.low && value <= figure.high;
}

// Quantiles under load are those of the whole run, low and high its best and worst second: one bad second is no noise,
// it is what was looked for. So they differ as soon as one of them is outside what the other has seen.
Ratio ratio_of_quantiles(const Figure& before, const Figure& after) noexcept {
  Ratio ratio;
  if (before.median <= 0 || before.high <= 0 || before.low <= 0) return ratio;
  ratio.value = after.median / before.median;
  ratio.low = after.low / before.high;
  ratio.high = after.high / before.low;
  ratio.differs =
      std::abs(ratio.value - 1) > kFloor && (!lies_in(after.median, before) || !lies_in(before.median, after));
  return ratio;
}

bool breaks(const std::vector<Limit>& limits, const std::string& figure, const Ratio& ratio) {
  return std::any_of(limits.begin(), limits.end(),
                     [&](const Limit& limit) { return limit.figure == figure && limit.broken_by(ratio); });
}

// All rows of a record together, a sample a process.
struct AllRows {
  std::vector<std::vector<double>> logs;  // of a process, by row

  bool add(const Figure& figure) {
    if (logs.empty()) logs.resize(figure.samples.size());
    if (figure.samples.size() != logs.size()) return false;
    for (std::size_t k = 0; k < logs.size(); ++k) {
      if (!(figure.samples[k] > 0)) return false;
      logs[k].push_back(std::log(figure.samples[k]));
    }
    return true;
  }
  std::size_t rows() const noexcept { return logs.empty() ? 0 : logs.front().size(); }
  std::vector<double> means() const {  // geometric
    std::vector<double> means;
    for (const auto& each : logs)
      means.push_back(std::exp(std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(each.size())));
    return means;
  }
};

// Of a pair the median row: one that was disturbed says nothing of the others.
std::vector<double> pair_ratios(const AllRows& before, const AllRows& after) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < std::min(before.logs.size(), after.logs.size()); ++k) {
    std::vector<double> rows = after.logs[k];
    for (std::size_t row = 0; row < rows.size(); ++row)
      rows[row] -= before.logs[k][row];
    ratios.push_back(std::exp(median_of(std::move(rows))));
  }
  return ratios;
}

Ratio ratio_of_samples(const Figure& before, const Figure& after, Samples samples) {
  return samples == Samples::paired ? ratio_of_pairs(before.samples, after.samples)
                                    : ratio_of(before.samples, after.samples);
}

void compare_figure(const Record& before, const Record& after, const std::string& name,
                    const std::vector<Limit>& limits, Samples samples, Comparison& result) {
  AllRows old_rows, new_rows;
  bool whole = true;
  for (const Row& row : before.rows) {
    const Row* other = after.find(row.name);
    const auto old_figure = row.figures.find(name);
    if (!other || old_figure == row.figures.end()) continue;
    const auto new_figure = other->figures.find(name);
    if (new_figure == other->figures.end()) continue;
    const bool quantile = before.kind == "http" && name != figure::kRate;
    const Ratio ratio = quantile ? ratio_of_quantiles(old_figure->second, new_figure->second)
                                 : ratio_of_samples(old_figure->second, new_figure->second, samples);
    result.changes.push_back({.name = row.name,
                              .figure = name,
                              .unit = old_figure->second.unit,
                              .before = old_figure->second.median,
                              .after = new_figure->second.median,
                              .ratio = ratio,
                              .broken = breaks(limits, name, ratio)});
    whole = whole && old_rows.add(old_figure->second) && new_rows.add(new_figure->second);
  }
  if (!whole || old_rows.rows() < 2 || before.kind == "http") return;
  const auto old_samples = old_rows.means();
  const auto new_samples = new_rows.means();
  const auto ratios = pair_ratios(old_rows, new_rows);
  const Ratio ratio = samples == Samples::paired
                          ? ratio_of_pairs(std::vector<double>(ratios.size(), 1), ratios, kOverallFloor)
                          : ratio_of(old_samples, new_samples, kOverallFloor);
  result.changes.push_back({.name = std::string(kOverall),
                            .figure = name,
                            .unit = result.changes.back().unit,
                            .before = median_of(old_samples),
                            .after = median_of(new_samples),
                            .ratio = ratio,
                            .broken = breaks(limits, name, ratio)});
}

void remark_rows(const Record& one, const Record& other, std::string_view which, Comparison& result) {
  for (const Row& row : one.rows)
    if (!other.find(row.name)) result.remarks.push_back(fmt::format("{} is in the {} only", row.name, which));
}

std::string fact(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.machine)
    if (key == name) return value;
  return {};
}

std::string change_text(const Change& change) {
  if (!change.ratio.differs) return "~";
  return fmt::format("{:+.1f} %", (change.ratio.value - 1) * 100);
}

}  // namespace

bool Limit::broken_by(const Ratio& ratio) const noexcept {
  if (!ratio.differs) return false;
  return change >= 0 ? ratio.value > 1 + change : ratio.value < 1 + change;
}

Result<Limit, std::string> limit_from(std::string_view text) {
  const auto wrong = [&] {
    return fail(
        fmt::format("'{}' is no limit; write a figure, a sign and a percentage, like 'p99>+5%' or 'rate<-5%'", text));
  };
  const std::size_t sign = text.find_first_of("<>");
  if (sign == 0 || sign == text.npos || !text.ends_with('%')) return wrong();
  const std::string_view figure = text.substr(0, sign);
  constexpr std::array kNames{figure::kCpu, figure::kP50, figure::kP99, figure::kP999, figure::kMax, figure::kRate};
  if (std::find(kNames.begin(), kNames.end(), figure) == kNames.end()) return wrong();
  std::string_view number = text.substr(sign + 1, text.size() - sign - 2);
  const bool grows = text[sign] == '>';
  if (number.starts_with('+') && grows) number.remove_prefix(1);
  double percent = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), percent);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return wrong();
  if (grows ? percent < 0 : percent >= 0) return wrong();
  return Limit{.figure = std::string(figure), .change = percent / 100};
}

bool Comparison::broken() const noexcept {
  return std::any_of(changes.begin(), changes.end(), [](const Change& change) { return change.broken; });
}

Comparison compare(const Record& before, const Record& after, const std::vector<Limit>& limits, Samples samples) {
  Comparison result;
  for (const std::string& name : figures_of(before, limits))
    compare_figure(before, after, name, limits, samples, result);
  remark_rows(before, after, "first", result);
  remark_rows(after, before, "second", result);
  for (const char* name : {"processor", "kernel", "governor"})
    if (fact(before, name) != fact(after, name))
      result.remarks.push_back(fmt::format("not the same {}: {} and {}", name, fact(before, name), fact(after, name)));
  return result;
}

std::string table_of(const Comparison& comparison) {
  std::string text = fmt::format("  {}{}{}{}{}  {}\n", left("", 24), left("", 6), right("before", 10),
                                 right("after", 10), right("change", 9), "99 % interval");
  for (const Change& change : comparison.changes)
    text += fmt::format("{} {}{}{}{}{}  {:+.1f} … {:+.1f} %\n", change.broken ? "!" : " ", left(change.name, 24),
                        left(change.figure, 6), right(value_text(change.before, change.unit), 10),
                        right(value_text(change.after, change.unit), 10), right(change_text(change), 9),
                        (change.ratio.low - 1) * 100, (change.ratio.high - 1) * 100);
  for (const std::string& remark : comparison.remarks)
    text += "  note: " + remark + "\n";
  return text;
}

std::string json_of(const Comparison& comparison) {
  nlohmann::ordered_json json{{"changes", nlohmann::ordered_json::array()}, {"remarks", comparison.remarks}};
  for (const Change& change : comparison.changes)
    json["changes"].push_back({{"name", change.name},
                               {"figure", change.figure},
                               {"unit", change.unit},
                               {"before", change.before},
                               {"after", change.after},
                               {"ratio", change.ratio.value},
                               {"low", change.ratio.low},
                               {"high", change.ratio.high},
                               {"differs", change.ratio.differs},
                               {"broken", change.broken}});
  return json.dump(1) + "\n";
}

}  // namespace lingate::bench
