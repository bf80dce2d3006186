// Diagnostics: what is wrong with a configuration, where, and what to do about it, shown the way compilers do. Each
// carries the line it is about, so that it can be shown after the source is gone.
//
// Plain values; a Report belongs to one load and one thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/model.h"
#include "gateway/config/source.h"

namespace lingate::config {

// A second place that belongs to a diagnostic: "first defined here".
struct Note {
  Place place;
  std::uint32_t width = 1;  // columns to underline; 0: the line is not shown
  std::string line;
  std::string text;
};

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  int code = 0;
  Place place;
  std::uint32_t width = 1;
  std::string line;     // the source line, empty where there is none to show
  std::string message;  // what is wrong
  std::string cure;     // what to do, shown beside the underline
  std::vector<Note> notes;
};

// Collects the diagnostics of one load. The same mistake (code and cure) at the same place counts once, however many
// aliases lead there; after kMost errors they are only counted. A file that is named as a configuration may be
// anything, of secrets too: of one that is withheld no line is shown.
class Report {
 public:
  static constexpr std::size_t kMost = 200;

  explicit Report(const Sources& sources) : sources_(sources) {}

  struct Finding {
    int code;
    Span span;
    std::string message;
    std::string cure;
  };
  struct Second {
    Span span;
    std::string text;
  };

  void error(Finding finding) { add(Severity::error, std::move(finding), {}); }
  void error(Finding finding, std::vector<Second> notes) { add(Severity::error, std::move(finding), std::move(notes)); }
  void warning(Finding finding) { add(Severity::warning, std::move(finding), {}); }

  void withhold(const Source& source) { withheld_.insert(&source); }
  void show(const Source& source) { withheld_.erase(&source); }
  bool shows(const Source& source) const { return !withheld_.contains(&source); }

  bool full() const noexcept { return errors_ >= kMost; }  // what follows is only counted
  void count_error() noexcept { ++errors_; }

  Place place(Span span) const { return sources_.of(span).place(span); }
  const std::filesystem::path& folder(Span span) const { return sources_.of(span).folder(); }
  std::size_t errors() const noexcept { return errors_; }
  std::vector<Diagnostic> take();  // in the order of files and places

 private:
  void add(Severity severity, Finding finding, std::vector<Second> notes);
  Note excerpt(Span span, std::string text) const;

  struct Found {
    std::uint32_t at = 0;
    Diagnostic diagnostic;
  };

  const Sources& sources_;
  std::set<const Source*> withheld_;
  std::vector<Found> found_;
  std::set<std::pair<std::uint32_t, std::string>> seen_;  // place, code and cure
  std::size_t errors_ = 0;
};

enum class Paint { none, ansi };

// For terminals: control bytes but tabs and line breaks, and bytes that are not UTF-8, as escapes ("\\x1b").
std::string printable(std::string_view text);

std::string render(const Diagnostic& diagnostic, Paint paint);        // printable
std::string render_json(const std::vector<Diagnostic>& diagnostics);  // a JSON array

}  // namespace lingate::config
