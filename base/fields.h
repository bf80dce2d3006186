// The syntax of header fields (RFC 9110, section 5): which bytes may stand in a name and in a value, how names compare,
// and which fields belong to one connection and are therefore the gateway's own business. Whoever reads a head, edits
// one or lets a script edit one uses these, so that nobody disagrees.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lingate::fields {

namespace detail {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}

inline constexpr std::array<bool, 256> kToken = make_token_table();

}  // namespace detail

// tchar, RFC 9110 section 5.6.2.
constexpr bool is_token_char(char c) noexcept {
  return detail::kToken[static_cast<unsigned char>(c)];
}

// A field name or a method: one or more tchar.
bool is_token(std::string_view text) noexcept;

// Optional white space, RFC 9110 section 5.6.3.
constexpr bool is_ows(char c) noexcept {
  return c == ' ' || c == '\t';
}

constexpr std::string_view without_ows(std::string_view text) noexcept {
  while (!text.empty() && is_ows(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back()))
    text.remove_suffix(1);
  return text;
}

inline constexpr std::size_t kNone = std::string_view::npos;

// SP, HTAB, visible ASCII and obs-text may stand in a value; no other control byte (RFC 9110 section 5.5): CR, LF and
// NUL would end the field or hide what follows, and the others many a recipient refuses along with the message.
constexpr bool is_value_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// The first byte that may not stand in a value, or kNone.
std::size_t find_forbidden(std::string_view value) noexcept;

inline bool is_value(std::string_view value) noexcept {
  return find_forbidden(value) == kNone;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

namespace detail {

// Of texts of the same size.
bool same_letters(const char* a, const char* b, std::size_t size) noexcept;

}  // namespace detail

// Names compare without case, in ASCII only.
inline bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && detail::same_letters(a.data(), b.data(), a.size());
}

// Framing and hop-by-hop fields: Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade and
// Content-Length. They describe one connection (RFC 9110 section 7.6.1) or how a message is cut out of it; the gateway
// writes them, scripts and steps may only read them.
bool is_connection_field(std::string_view name) noexcept;

}  // namespace lingate::fields
