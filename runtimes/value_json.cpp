// Values as JSON text: JsonWriter.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/plain_text.h"
#include "base/utf8.h"
#include "runtimes/value.h"

namespace lingate::runtimes {
namespace {

constexpr double kExact = 9007199254740992.0;   // 2^53
constexpr std::size_t kMostKept = 1024 * 1024;  // bytes of a text that was large

constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i)
    table[i] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}

constexpr std::array<char, 256> kEscapes = make_escapes();
constexpr std::string_view kHex = "0123456789abcdef";

std::size_t plain_bytes(std::string_view text) noexcept {
  return static_cast<std::size_t>(skip_plain(text.data(), text.data() + text.size()) - text.data());
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  return utf8::is_valid(text);
}

std::string_view number_text(double value, std::span<char, 32> room) noexcept {
  char* const begin = room.data();
  char* const end = begin + room.size();
  const bool integral = value >= -kExact && value <= kExact && std::trunc(value) == value;
  // Beyond 2^53 never all digits, which would look exact: no reader of ours takes those.
  const bool large = value < -kExact || value > kExact;
  const auto done = integral ? std::to_chars(begin, end, static_cast<std::int64_t>(value))
                    : large  ? std::to_chars(begin, end, value, std::chars_format::scientific)
                             : std::to_chars(begin, end, value);
  return {begin, static_cast<std::size_t>(done.ptr - begin)};
}

JsonWriter::JsonWriter(ValueLimits limits) : limits_(limits) {}

void JsonWriter::reset(ValueLimits limits) {
  limits_ = limits;
  if (text_.capacity() > kMostKept) std::string().swap(text_);
  text_.clear();
  depth_ = 0;
  first_ = true;
  after_key_ = false;
  error_.message.clear();
  failed_ = false;
}

bool JsonWriter::refuse(std::string message) {
  if (!failed_) error_.message = std::move(message);
  failed_ = true;
  return false;
}

bool JsonWriter::refuse_size() {
  return refuse("the JSON text takes more than " + std::to_string(limits_.bytes) + " bytes");
}

// What stands before the next value or key; also the one place that looks at the size.
bool JsonWriter::separate() {
  if (failed_) return false;
  if (text_.size() > limits_.bytes) return refuse_size();
  if (!first_ && !after_key_) text_.push_back(',');
  first_ = false;
  after_key_ = false;
  return true;
}

bool JsonWriter::null() {
  if (!separate()) return false;
  text_.append("null");
  return true;
}

bool JsonWriter::boolean(bool value) {
  if (!separate()) return false;
  text_.append(value ? "true" : "false");
  return true;
}

bool JsonWriter::number(double value) {
  if (std::isnan(value)) return refuse("NaN is no value");
  if (std::isinf(value)) return refuse("infinity is no value");
  if (!separate()) return false;
  std::array<char, 32> room;
  text_.append(number_text(value, room));
  return true;
}

bool JsonWriter::text(std::string_view utf8) {
  const std::size_t plain = plain_bytes(utf8);
  if (plain != utf8.size() && !utf8::is_valid(utf8.substr(plain))) return refuse("text that is not UTF-8 is no value");
  return separate() && quote(utf8, plain);
}

bool JsonWriter::key(std::string_view utf8) {
  const std::size_t plain = plain_bytes(utf8);
  if (plain != utf8.size() && !utf8::is_valid(utf8.substr(plain))) return refuse("a key that is not UTF-8 is no key");
  if (!separate() || !quote(utf8, plain)) return false;
  text_.push_back(':');
  after_key_ = true;
  return true;
}

// The first `plain` bytes go out as they are.
bool JsonWriter::quote(std::string_view utf8, std::size_t plain) {
  if (text_.size() + utf8.size() > limits_.bytes) return refuse_size();
  text_.push_back('"');
  text_.append(utf8, 0, plain);
  std::size_t clean = plain;  // begin of the run that needs no escape
  for (std::size_t at = plain; at < utf8.size(); ++at) {
    const auto byte = static_cast<unsigned char>(utf8[at]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    if (text_.size() + utf8.size() - clean > limits_.bytes) return refuse_size();
    text_.append(utf8, clean, at - clean);
    clean = at + 1;
    text_.push_back('\\');
    text_.push_back(escape);
    if (escape == 'u') {
      text_.append("00");
      text_.push_back(kHex[byte >> 4U]);
      text_.push_back(kHex[byte & 15U]);
    }
  }
  text_.append(utf8, clean, utf8.size() - clean);
  text_.push_back('"');
  return true;
}

bool JsonWriter::begin_list() {
  return open('[');
}

bool JsonWriter::end_list() {
  return close(']');
}

bool JsonWriter::begin_map() {
  return open('{');
}

bool JsonWriter::end_map() {
  return close('}');
}

bool JsonWriter::open(char bracket) {
  if (depth_ >= limits_.depth) return refuse("lists and maps nest deeper than " + std::to_string(limits_.depth));
  if (!separate()) return false;
  text_.push_back(bracket);
  ++depth_;
  first_ = true;
  return true;
}

bool JsonWriter::close(char bracket) {
  if (failed_ || depth_ == 0) return false;
  text_.push_back(bracket);
  --depth_;
  first_ = false;
  return true;
}

}  // namespace lingate::runtimes
