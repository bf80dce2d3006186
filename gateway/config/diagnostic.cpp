#include "gateway/config/diagnostic.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "base/utf8.h"
#include "gateway/config/columns.h"

namespace lingate::config {
namespace {

constexpr std::size_t kWidestLine = 120;  // columns of a source line that are shown
constexpr std::string_view kGutter = "      | ";

// Tabs become spaces, so that the underline stands where it should.
std::string without_tabs(std::string_view text) {
  std::string result = printable(text);
  std::replace(result.begin(), result.end(), '\t', ' ');
  return result;
}

struct Colours {
  std::string_view bold, red, yellow, cyan, green, off;
};

Colours colours(Paint paint) {
  if (paint == Paint::none) return {};
  return {"\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[36m", "\x1b[1;32m", "\x1b[0m"};
}

struct Excerpt {
  std::string_view line;
  const Place& place;
  std::uint32_t width;
  std::string_view remark;
};

// The source line, and under it the underline and what to say about it. Escapes are wider than what they stand for.
std::string excerpt(const Excerpt& part, const Colours& colour) {
  if (part.line.empty() && part.place.line == 0) return {};
  if (part.width == 0) return fmt::format("{}{}{}{}\n", colour.cyan, kGutter, colour.off, printable(part.remark));
  const std::size_t begin = bytes_of_columns(part.line, std::max(part.place.column, 1U) - 1);
  std::string_view rest = part.line.substr(begin);
  rest = rest.substr(0, bytes_of_columns(rest, kWidestLine + 1));
  const std::size_t marked = columns(without_tabs(rest.substr(0, bytes_of_columns(rest, part.width))));
  std::string line = without_tabs(part.line.substr(0, begin));
  if (const std::size_t before = columns(line); before > kWidestLine - 20)  // keep the place in view
    line = "…" + line.substr(bytes_of_columns(line, before - 40));
  const std::size_t column = columns(line);
  line += without_tabs(rest);
  if (columns(line) > kWidestLine) line = line.substr(0, bytes_of_columns(line, kWidestLine)) + "…";
  const std::size_t room = std::max<std::size_t>(columns(line), column + 1) - column;
  const std::size_t width = std::clamp<std::size_t>(marked, 1, room);
  std::string text = fmt::format("{}{:>5} | {}{}\n", colour.cyan, part.place.line, colour.off, line);
  text +=
      fmt::format("{}{}{}{:{}}{}^{:~<{}}", colour.cyan, kGutter, colour.off, "", column, colour.green, "", width - 1);
  text += fmt::format("{}{}{}\n", part.remark.empty() ? "" : " ", printable(part.remark), colour.off);
  return text;
}

std::string position(const Place& place) {
  const std::string file = printable(place.file);
  return place.line == 0 ? file : fmt::format("{}:{}:{}", file, place.line, place.column);
}

nlohmann::json json_place(const Place& place, std::uint32_t width) {
  return {{"file", place.file}, {"line", place.line}, {"column", place.column}, {"end_column", place.column + width}};
}

}  // namespace

void Report::add(Severity severity, Finding finding, std::vector<Second> notes) {
  if (!seen_.emplace(finding.span.begin, fmt::format("{} {}", finding.code, finding.cure)).second) return;
  if (severity == Severity::error && ++errors_ > kMost) return;
  Note shown = excerpt(finding.span, {});
  Diagnostic result;
  result.severity = severity;
  result.code = finding.code;
  result.place = std::move(shown.place);
  result.width = shown.width;
  result.line = std::move(shown.line);
  result.message = std::move(finding.message);
  result.cure = std::move(finding.cure);
  for (Second& note : notes)
    result.notes.push_back(excerpt(note.span, std::move(note.text)));
  found_.push_back({finding.span.begin, std::move(result)});
}

Note Report::excerpt(Span span, std::string text) const {
  const Source& source = sources_.of(span);
  const Place place = source.place(span);
  if (!shows(source)) return {place, 0, {}, std::move(text)};
  const std::string_view marked = source.text(span);
  const std::size_t width = std::max<std::size_t>(1, columns(marked.substr(0, marked.find('\n'))));
  return {place, static_cast<std::uint32_t>(width), std::string(source.line(place.line)), std::move(text)};
}

std::vector<Diagnostic> Report::take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.at < b.at; });
  std::vector<Diagnostic> all;
  for (Found& each : found_)
    all.push_back(std::move(each.diagnostic));
  if (errors_ > kMost && !all.empty())
    all.back().notes.push_back(
        {{sources_.of({}).name(), 0, 0}, 1, {}, fmt::format("{} more errors are not shown", errors_ - kMost)});
  return all;
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8::character(text.substr(at));
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto next = static_cast<unsigned char>(size == 2 ? text[at + 1] : '\0');
    const bool control = (byte < ' ' && byte != '\t' && byte != '\n') || byte == 0x7F;
    if (size == 0 || control) {
      result += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xC2 && next < 0xA0) {  // the controls above ASCII
      result += fmt::format("\\u{:04x}", next);
    } else {
      result.append(text, at, size);
    }
    at += std::max<std::size_t>(size, 1);
  }
  return result;
}

std::string render(const Diagnostic& diagnostic, Paint paint) {
  const Colours colour = colours(paint);
  const bool error = diagnostic.severity == Severity::error;
  std::string text =
      fmt::format("{}{}:{} {}{}[{}]:{} {}{}{}\n", colour.bold, position(diagnostic.place), colour.off,
                  error ? colour.red : colour.yellow, error ? "error" : "warning", code_name(diagnostic.code),
                  colour.off, colour.bold, printable(diagnostic.message), colour.off);
  text += excerpt({diagnostic.line, diagnostic.place, diagnostic.width, diagnostic.cure}, colour);
  for (const Note& note : diagnostic.notes) {
    text += fmt::format("{}{}:{} note: {}\n", colour.bold, position(note.place), colour.off, printable(note.text));
    text += excerpt({note.line, note.place, note.width, {}}, colour);
  }
  return text;
}

std::string render_json(const std::vector<Diagnostic>& diagnostics) {
  nlohmann::json all = nlohmann::json::array();
  for (const Diagnostic& each : diagnostics) {
    nlohmann::json one = json_place(each.place, each.width);
    one["severity"] = each.severity == Severity::error ? "error" : "warning";
    one["code"] = code_name(each.code);
    one["message"] = each.message;
    one["cure"] = each.cure;
    one["notes"] = nlohmann::json::array();
    for (const Note& note : each.notes) {
      nlohmann::json second = json_place(note.place, note.width);
      second["message"] = note.text;
      one["notes"].push_back(std::move(second));
    }
    all.push_back(std::move(one));
  }
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace lingate::config
