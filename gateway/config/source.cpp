#include "gateway/config/source.h"

#include <algorithm>

#include "gateway/config/columns.h"

namespace lingate::config {

Source::Source(Written written, std::uint32_t begin) : written_(std::move(written)), begin_(begin) {
  line_starts_.push_back(0);
  for (std::size_t at = text().find('\n'); at != std::string::npos; at = text().find('\n', at + 1))
    line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
}

std::string_view Source::text(Span span) const noexcept {
  return std::string_view(text()).substr(span.begin - begin_, span.end - span.begin);
}

Place Source::place(Span span) const {
  const std::uint32_t at = span.begin - begin_;
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), at);
  const std::uint32_t start = *(after - 1);
  const auto before = std::string_view(text()).substr(start, at - start);
  return {name(), static_cast<std::uint32_t>(after - line_starts_.begin()),
          static_cast<std::uint32_t>(columns(before) + 1)};
}

std::string_view Source::line(std::uint32_t number) const noexcept {
  if (number == 0 || number > line_starts_.size()) return {};
  const std::uint32_t start = line_starts_[number - 1];
  std::string_view line = std::string_view(text()).substr(start);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Span Source::at(std::uint32_t line, std::uint32_t column) const noexcept {
  line = std::clamp<std::uint32_t>(line, 1, static_cast<std::uint32_t>(line_starts_.size()));
  const std::string_view text = this->line(line);
  const std::size_t offset = std::min(bytes_of_columns(text, column == 0 ? 0 : column - 1), text.size());
  const auto begin = static_cast<std::uint32_t>(begin_ + line_starts_[line - 1] + offset);
  return {begin, begin + (offset < text.size() ? 1U : 0U)};
}

// A byte between two of them, so that the end of one is not the beginning of the next.
const Source& Sources::add(Source::Written written) {
  const std::uint32_t begin = all_.empty() ? 0 : all_.back().whole().end + 1;
  return all_.emplace_back(std::move(written), begin);
}

const Source& Sources::of(Span span) const noexcept {
  const auto after = std::upper_bound(all_.begin(), all_.end(), span.begin,
                                      [](std::uint32_t at, const Source& each) { return at < each.whole().begin; });
  return *(after - 1);
}

}  // namespace lingate::config
