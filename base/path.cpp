#include "base/path.h"

#include "base/percent.h"

namespace lingate {
namespace {

// Is a segment that begins at `at` empty (and not the last), "." or ".."?
bool needs_work(std::string_view path, std::size_t at) noexcept {
  if (at == path.size()) return false;
  if (path[at] == '/') return true;
  if (path[at] != '.') return false;
  if (++at == path.size() || path[at] == '/') return true;
  return path[at] == '.' && (at + 1 == path.size() || path[at + 1] == '/');
}

enum class Form { normal, not_normal };

Result<Form, PathFault> examine(std::string_view path) noexcept {
  Form form = Form::normal;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/') {
      if (needs_work(path, i + 1)) form = Form::not_normal;
    } else if (path[i] == '%') {
      const int byte = percent_triplet(path, i);
      if (byte < 0) return fail(PathFault::broken_triplet);
      if (byte == 0) return fail(PathFault::encoded_nul);
      if (is_unreserved(byte)) form = Form::not_normal;
    }
  }
  return form;
}

std::size_t decode_unreserved(std::string_view raw, char* out) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int byte = percent_triplet(raw, i);
    if (is_unreserved(byte)) {
      out[size++] = static_cast<char>(byte);
      i += 2;
    } else {
      out[size++] = raw[i];
    }
  }
  return size;
}

// Drops empty and dot segments in place. The write position never passes the read position.
std::size_t collapse(char* text, std::size_t size) noexcept {
  std::size_t out = 0;  // text[0, out) is done: "" or "/a/b", without trailing slash
  bool trailing_slash = false;
  for (std::size_t at = 1; at <= size;) {
    std::size_t end = at;
    while (end < size && text[end] != '/')
      ++end;
    const std::string_view segment(text + at, end - at);
    trailing_slash = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      while (out > 0 && text[--out] != '/') {
      }
    } else if (!trailing_slash) {
      text[out++] = '/';
      for (std::size_t i = at; i < end; ++i)
        text[out++] = text[i];
    }
    at = end + 1;
  }
  if (trailing_slash) text[out++] = '/';
  return out;
}

}  // namespace

std::string_view describe(PathFault fault) noexcept {
  switch (fault) {
    case PathFault::not_absolute: return "the path does not begin with '/'";
    case PathFault::broken_triplet: return "the path holds a '%' without two hexadecimal digits";
    case PathFault::encoded_nul: return "the path holds an encoded NUL";
  }
  return "";
}

Result<std::string_view, PathFault> normalise_path(std::string_view raw, std::span<char> scratch) noexcept {
  if (raw.empty() || raw.front() != '/') return fail(PathFault::not_absolute);
  const auto form = examine(raw);
  if (!form) return fail(form.error());
  if (*form == Form::normal) return raw;
  const std::size_t decoded = decode_unreserved(raw, scratch.data());
  return std::string_view(scratch.data(), collapse(scratch.data(), decoded));
}

std::string_view percent_decode(std::string_view text, std::span<char> scratch) noexcept {
  if (text.find('%') == std::string_view::npos) return text;
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = percent_triplet(text, i);
    scratch[size++] = byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return {scratch.data(), size};
}

}  // namespace lingate
