#include "gateway/http2/response_fields.h"

#include <charconv>

#include "base/fields.h"
#include "gateway/http2/request_text.h"

namespace lingate::http2 {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool read_status(std::string_view line, std::uint16_t& status) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (!line.starts_with(kStart) || line.size() < kStart.size() + 3) return false;
  const char* const at = line.data() + kStart.size();
  const auto [end, error] = std::from_chars(at, at + 3, status);
  return error == std::errc() && end == at + 3 && status >= 100 && status <= 599;
}

}  // namespace

bool read_fields(std::string& text, std::size_t from, ResponseFields& into) {
  for (std::size_t at = from;;) {
    const std::size_t end = text.find(kLineEnd, at);
    if (end == std::string::npos) return false;
    if (end == at) return end + kLineEnd.size() == text.size();
    const std::size_t colon = text.find(':', at);
    if (colon >= end || colon == at) return false;
    for (std::size_t k = at; k < colon; ++k)
      text[k] = fields::lower(text[k]);
    const std::string_view name(text.data() + at, colon - at);
    const std::string_view value = fields::without_ows({text.data() + colon + 1, end - colon - 1});
    if (!fields::is_token(name) || !fields::is_value(value)) return false;
    at = end + kLineEnd.size();
    if (is_connection_specific(name)) continue;
    if (name == "content-length") {
      std::uint64_t length = 0;
      const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (error != std::errc() || stop != value.data() + value.size()) return false;
      into.length = length;
    }
    into.fields.push_back({name, value});
  }
}

bool read_response(std::string& text, ResponseFields& into) {
  into = {};
  const std::size_t end = text.find(kLineEnd);
  if (end == std::string::npos || !read_status({text.data(), end}, into.status)) return false;
  return read_fields(text, end + kLineEnd.size(), into);
}

}  // namespace lingate::http2
