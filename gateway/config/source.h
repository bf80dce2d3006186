// Sources: the texts of one load, the first file's and those that it includes, laid end to end like one long text. So a
// Span, two numbers, says where something stands, whichever file that is in.
//
// Thread: one load. Lifetime: a source stays where it is until the Sources go; spans mean nothing without them.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/model.h"

namespace lingate::config {

// A stretch of a load's texts, in bytes. It lies within one of them.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// One file's text and the way from bytes to lines and columns.
class Source {
 public:
  struct Written {
    std::string name;              // as messages call it
    std::string text;              // of at most 4 GiB, with those before it
    std::filesystem::path folder;  // what paths in it are relative to
  };

  Source(Written written, std::uint32_t begin);

  const std::string& name() const noexcept { return written_.name; }
  const std::string& text() const noexcept { return written_.text; }
  const std::filesystem::path& folder() const noexcept { return written_.folder; }
  Span whole() const noexcept { return {begin_, begin_ + static_cast<std::uint32_t>(written_.text.size())}; }
  Span at(std::uint32_t line, std::uint32_t column) const noexcept;

  // Of spans in this one.
  std::string_view text(Span span) const noexcept;
  Place place(Span span) const;
  std::string_view line(std::uint32_t number) const noexcept;  // from 1, without its end

 private:
  const Written written_;
  const std::uint32_t begin_;
  std::vector<std::uint32_t> line_starts_;  // in its own text
};

class Sources {
 public:
  const Source& add(Source::Written written);

  const Source& of(Span span) const noexcept;  // there is at least one
  std::size_t count() const noexcept { return all_.size(); }
  std::size_t bytes() const noexcept { return all_.empty() ? 0 : all_.back().whole().end; }

 private:
  std::deque<Source> all_;
};

}  // namespace lingate::config
