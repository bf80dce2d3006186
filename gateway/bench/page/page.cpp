#include "gateway/bench/page/page.h"

#include <string_view>
#include <utility>

#include "lingate_build/bench_page.h"

namespace lingate::bench {
namespace {

// JSON for the inside of a <script> element: without '<' no text can end the element or open a comment. Line breaks and
// what indents the next line are layout (in a text they are escaped), and most of a record's bytes.
void append_inert(std::string& page, std::string_view json) {
  bool indent = false;
  for (const char c : json) {
    if (c == '\n')
      indent = true;
    else if (c != ' ')
      indent = false;
    if (indent) continue;
    if (c == '<')
      page += "\\u003c";
    else
      page += c;
  }
}

std::string inert_json(const std::vector<Record>& records) {
  std::string json = "[";
  for (const Record& record : records) {
    if (json.size() > 1) json += ",\n";
    append_inert(json, to_json(record));
  }
  return json + "]";
}

// The frame's places in their order; a place is a line of its own.
void append_upto(std::string& page, std::string_view& frame, std::string_view place, std::string_view text) {
  const std::size_t at = frame.find(place);
  page += frame.substr(0, at);
  page += text;
  frame.remove_prefix(at + place.size());
}

}  // namespace

std::string page_of(const std::vector<Record>& records) {
  std::string page;
  std::string_view frame = kFrame;
  append_upto(page, frame, "/* style */\n", kStyle);
  append_upto(page, frame, "{{records}}", inert_json(records));
  append_upto(page, frame, "/* script */\n", kScript);
  page += frame;
  return page;
}

}  // namespace lingate::bench
