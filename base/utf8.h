// UTF-8 (RFC 3629): the check that everything which is "text" to a script passes, and cutting without breaking a
// character. Overlong forms, surrogates and values above U+10FFFF are no UTF-8.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace lingate::utf8 {

// The length of the well-formed character at the beginning of `text`, or 0. `text` is not empty.
std::size_t character(std::string_view text) noexcept;

bool is_valid(std::string_view text) noexcept;

// At most `size` bytes of `text`, less where a character would be cut in two.
std::string_view cut(std::string_view text, std::size_t size) noexcept;

}  // namespace lingate::utf8
