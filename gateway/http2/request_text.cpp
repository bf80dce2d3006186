#include "gateway/http2/request_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/fields.h"

namespace lingate::http2 {
namespace {

constexpr std::size_t kOverhead = 32;  // of a field, as HPACK counts it
constexpr std::array<std::string_view, 4> kPseudo{":method", ":scheme", ":authority", ":path"};

// What may stand in a word of the request line or in Host: nothing that ends the word or the line. The scan of the head
// is stricter still.
bool is_word(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
}

bool is_lower_token(std::string_view name) noexcept {
  return fields::is_token(name) && std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

bool is_connection_specific(std::string_view name) noexcept {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" || name == "transfer-encoding" ||
         name == "upgrade";
}

void RequestText::begin(std::size_t limit) {
  for (std::string* each : {&method_, &scheme_, &authority_, &path_, &fields_, &cookie_})
    each->clear();
  limit_ = limit;
  size_ = 0;
  seen_ = 0;
  regular_ = has_length_ = trailers_ = false;
}

bool RequestText::add_pseudo(std::string_view name, std::string_view value) {
  const auto found = std::find(kPseudo.begin(), kPseudo.end(), name);
  if (found == kPseudo.end() || regular_ || !is_word(value) || value.empty()) return false;
  const auto place = static_cast<std::size_t>(found - kPseudo.begin());
  if ((seen_ & (1U << place)) != 0) return false;
  seen_ |= 1U << place;
  if (too_large() && place == 3) return true;
  std::string* const into[] = {&method_, &scheme_, &authority_, &path_};
  into[place]->assign(value);
  return true;
}

bool RequestText::add(std::string_view name, std::string_view value) {
  size_ += name.size() + value.size() + kOverhead;
  if (name.starts_with(':')) return add_pseudo(name, value);
  regular_ = true;
  if (!is_lower_token(name) || !fields::is_value(value) || is_connection_specific(name)) return false;
  if (!value.empty() && (fields::is_ows(value.front()) || fields::is_ows(value.back()))) return false;
  if (name == "te") {
    if (!fields::same_name(value, "trailers")) return false;
    trailers_ = true;
  }
  if (name == "content-length") has_length_ = true;
  if (too_large()) return true;
  if (name == "cookie") {  // its crumbs are one field elsewhere (RFC 9113 section 8.2.3)
    if (!cookie_.empty()) cookie_.append("; ");
    cookie_.append(value);
    return true;
  }
  fields_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

std::string RequestText::take() {
  constexpr std::size_t kWorthKeeping = 4 * 1024;  // the connection may be idle from now on
  std::string text = compose();
  for (std::string* each : {&method_, &scheme_, &authority_, &path_, &fields_, &cookie_})
    if (each->capacity() > kWorthKeeping) std::string().swap(*each);
  return text;
}

std::string RequestText::compose() {
  constexpr std::uint32_t kMethod = 1, kScheme = 2, kAuthority = 4, kPath = 8;
  const bool connects = method_ == "CONNECT";
  const std::uint32_t needed = connects ? kMethod | kAuthority : kMethod | kScheme | kPath;
  if ((seen_ & needed) != needed || !fields::is_token(method_)) return {};
  if (connects && (seen_ & (kScheme | kPath)) != 0) return {};
  if (!connects && !fields::same_name(scheme_, "http") && !fields::same_name(scheme_, "https")) return {};
  const std::string_view path = connects ? authority_ : path_.empty() ? std::string_view("/") : path_;
  if (!connects && path.front() != '/' && path != "*") return {};  // no absolute form: the scheme has its own field
  std::string text;
  text.reserve(method_.size() + path.size() + authority_.size() + fields_.size() + cookie_.size() + 64);
  text.append(method_).append(" ").append(path).append(" HTTP/1.1\r\n");
  if ((seen_ & kAuthority) != 0) {
    text.append("host: ").append(authority_).append("\r\n");
    // Beside it, Host may only say the same (RFC 9113 section 8.3.1); anything else stays, and is a second one.
    const std::string same = "host: " + authority_ + "\r\n";
    const std::size_t at = fields_.starts_with(same) ? 0 : fields_.find("\r\n" + same);
    if (at != std::string::npos) fields_.erase(at == 0 ? 0 : at + 2, same.size());
  }
  if (!too_large()) {
    text.append(fields_);
    if (!cookie_.empty()) text.append("cookie: ").append(cookie_).append("\r\n");
  }
  return text.append("\r\n");
}

}  // namespace lingate::http2
