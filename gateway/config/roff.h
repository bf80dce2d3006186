// Text for manual pages (man(7)): what roff takes for a command or an escape is made plain.
//
// Pure function; any thread.
#pragma once

#include <string>
#include <string_view>

namespace lingate::config {

inline std::string roff(std::string_view text) {
  std::string plain;
  bool line_starts = true;
  for (const char c : text) {
    if (line_starts && (c == '.' || c == '\'')) plain += "\\&";
    line_starts = c == '\n';
    if (c == '\\')
      plain += "\\e";
    else if (c == '-')
      plain += "\\-";
    else
      plain += c;
  }
  return plain;
}

}  // namespace lingate::config
