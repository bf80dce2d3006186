#include "gateway/bench/text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace lingate::bench {
namespace {

struct Scale {
  double from;
  double divisor;
  const char* unit;
};

std::string scaled(double value, std::initializer_list<Scale> scales) {
  const Scale* chosen = scales.begin();
  for (const Scale& scale : scales)
    if (std::abs(value) >= scale.from) chosen = &scale;
  const double shown = value / chosen->divisor;
  const double size = std::abs(shown);
  const int digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", shown, digits, chosen->unit);
}

}  // namespace

std::string time_text(double nanoseconds) {
  return scaled(nanoseconds, {{0, 1, "ns"}, {999.5, 1e3, "µs"}, {999.5e3, 1e6, "ms"}, {999.5e6, 1e9, "s"}});
}

std::string rate_text(double per_second) {
  return scaled(per_second, {{0, 1, "/s"}, {999.5, 1e3, "k/s"}, {999.5e3, 1e6, "M/s"}});
}

std::string value_text(double value, std::string_view unit) {
  if (unit == "ns") return time_text(value);
  if (unit == "1/s") return rate_text(value);
  return fmt::format("{:.4g} {}", value, unit);
}

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string left(std::string_view text, std::size_t width) {
  std::string cut;
  std::size_t letters = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U && ++letters > width) break;
    cut += c;
  }
  return cut + std::string(width - std::min(width, width_of(cut)), ' ');
}

std::string right(std::string_view text, std::size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ') + std::string(text);
}

std::string sparkline(const std::vector<Bucket>& histogram, std::size_t width) {
  constexpr std::array kBars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double kFrom = 2;  // log10 of ns
  constexpr double kDecades = 6;
  std::vector<double> sums(width);
  for (const Bucket& bucket : histogram) {
    const double at = (std::log10(std::max(bucket.upto, 1.0)) - kFrom) / kDecades * static_cast<double>(width);
    const auto column = static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(width - 1)));
    sums[column] += static_cast<double>(bucket.count);
  }
  const double highest = *std::max_element(sums.begin(), sums.end());
  std::string line;
  for (const double sum : sums) {
    // What is there at all is seen.
    const double height = highest > 0 ? std::ceil(sum / highest * (kBars.size() - 1)) : 0;
    line += kBars[static_cast<std::size_t>(height)];
  }
  return line;
}

}  // namespace lingate::bench
