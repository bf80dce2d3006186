#include "runtimes/duktape/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::size_t ascii_prefix(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80)
    ++at;
  return at;
}

void push(duk_context* ctx, std::string_view units) {
  duk_push_lstring(ctx, units.data(), units.size());
}

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

void append_unit(std::string& out, std::uint32_t unit) {
  out.push_back(static_cast<char>(0xE0U | unit >> 12U));
  out.push_back(static_cast<char>(0x80U | (unit >> 6U & 0x3FU)));
  out.push_back(static_cast<char>(0x80U | (unit & 0x3FU)));
}

// One well-formed UTF-8 character beyond U+FFFF as two units.
void append_pair(std::string& out, std::string_view four) {
  const std::uint32_t point = (byte_at(four, 0) & 7U) << 18U | (byte_at(four, 1) & 0x3FU) << 12U |
                              (byte_at(four, 2) & 0x3FU) << 6U | (byte_at(four, 3) & 0x3FU);
  append_unit(out, 0xD800U + ((point - 0x10000U) >> 10U));
  append_unit(out, 0xDC00U + ((point - 0x10000U) & 0x3FFU));
}

// A high (0xA0) or low (0xB0) surrogate in three bytes.
bool is_surrogate(std::string_view units, std::size_t at, unsigned half) {
  return at + 3 <= units.size() && byte_at(units, at) == 0xED && (byte_at(units, at + 1) & 0xF0U) == half;
}

std::uint32_t ten_bits(std::string_view units, std::size_t at) {
  return (byte_at(units, at + 1) & 0x0FU) << 6U | (byte_at(units, at + 2) & 0x3FU);
}

void append_point(std::string& out, std::uint32_t point) {
  out.push_back(static_cast<char>(0xF0U | point >> 18U));
  out.push_back(static_cast<char>(0x80U | (point >> 12U & 0x3FU)));
  out.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3FU)));
  out.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
}

}  // namespace

bool get_string(duk_context* ctx, duk_idx_t index, std::string_view& units) {
  if (!duk_is_string(ctx, index) || duk_is_symbol(ctx, index)) return false;
  duk_size_t size = 0;
  const char* const data = duk_get_lstring(ctx, index, &size);
  units = {data, size};
  return true;
}

void push_utf8(duk_context* ctx, std::string_view utf8) {
  const std::size_t plain = ascii_prefix(utf8);
  if (plain == utf8.size()) return push(ctx, utf8);
  std::string& out = Heap::of(ctx).vm().text_scratch;
  out.assign(utf8.substr(0, plain));
  for (std::size_t at = plain; at < utf8.size();) {
    const std::size_t size = utf8::character(utf8.substr(at));
    if (size == 4) {
      append_pair(out, utf8.substr(at, 4));
    } else {
      out.append(size == 0 ? kReplacement : utf8.substr(at, size));
    }
    at += std::max<std::size_t>(size, 1);
  }
  push(ctx, out);
}

void push_latin1(duk_context* ctx, std::string_view bytes) {
  const std::size_t plain = ascii_prefix(bytes);
  if (plain == bytes.size()) return push(ctx, bytes);
  std::string& out = Heap::of(ctx).vm().text_scratch;
  out.assign(bytes.substr(0, plain));
  for (std::size_t at = plain; at < bytes.size(); ++at) {
    const unsigned byte = byte_at(bytes, at);
    if (byte < 0x80) {
      out.push_back(bytes[at]);
    } else {
      out.push_back(static_cast<char>(0xC0U | byte >> 6U));
      out.push_back(static_cast<char>(0x80U | (byte & 0x3FU)));
    }
  }
  push(ctx, out);
}

void push_bytes(duk_context* ctx, std::string_view bytes) {
  void* const place = duk_push_fixed_buffer(ctx, bytes.size());
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  duk_push_buffer_object(ctx, -1, 0, bytes.size(), DUK_BUFOBJ_UINT8ARRAY);
  duk_remove(ctx, -2);
}

bool to_utf8(std::string_view units, Lone lone, std::string& scratch, std::string_view& utf8) {
  utf8 = units;
  std::size_t at = units.find('\xED');
  while (at != std::string_view::npos && byte_at(units, at + 1) < 0xA0)
    at = units.find('\xED', at + 3);
  if (at == std::string_view::npos) return true;
  scratch.assign(units.substr(0, at));
  while (at < units.size()) {
    if (is_surrogate(units, at, 0xA0) && is_surrogate(units, at + 3, 0xB0)) {
      append_point(scratch, 0x10000U + (ten_bits(units, at) << 10U) + ten_bits(units, at + 3));
      at += 6;
    } else if (is_surrogate(units, at, 0xA0) || is_surrogate(units, at, 0xB0)) {
      if (lone == Lone::refuse) return false;
      scratch.append(kReplacement);
      at += 3;
    } else {
      scratch.push_back(units[at++]);
    }
  }
  utf8 = scratch;
  return true;
}

bool to_latin1(std::string_view units, std::string& scratch, std::string_view& bytes) {
  bytes = units;
  const std::size_t plain = ascii_prefix(units);
  if (plain == units.size()) return true;
  scratch.assign(units.substr(0, plain));
  for (std::size_t at = plain; at < units.size();) {
    const unsigned byte = byte_at(units, at);
    if (byte < 0x80) {
      scratch.push_back(units[at++]);
    } else if ((byte == 0xC2 || byte == 0xC3) && at + 1 < units.size()) {
      scratch.push_back(static_cast<char>((byte & 3U) << 6U | (byte_at(units, at + 1) & 0x3FU)));
      at += 2;
    } else {
      return false;
    }
  }
  bytes = scratch;
  return true;
}

}  // namespace lingate::runtimes::duktape
