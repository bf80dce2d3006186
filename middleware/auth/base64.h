// Base64 as credentials carry it (RFC 4648), read strictly: no other bytes, no line breaks, no bits left over, so that
// no two texts mean the same bytes. The standard alphabet wants its padding, the one of URLs refuses any (RFC 7515, 2).
//
// Pure functions; any thread. What they return lies in the arena.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"

namespace lingate::middleware::auth {

enum class Alphabet : std::uint8_t { standard, url };

// Nothing: it is no base64.
std::optional<std::string_view> decode_base64(std::string_view text, Alphabet alphabet, Arena& arena);

}  // namespace lingate::middleware::auth
