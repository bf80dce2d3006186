// Path normalisation: matching, scripts and the upstream see one path. Percent-encoded unreserved characters are
// decoded once, dot segments removed (RFC 3986, 5.2.4; never above the root), repeated slashes merged; nothing else is
// touched, so `%2F`, `%5C` and `;` stay as they are and never separate. A path already in that form is returned as it
// came.
//
// Pure functions; any thread. What they return borrows from `raw` or from `scratch`.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace lingate {

enum class PathFault {
  not_absolute,    // does not begin with '/'
  broken_triplet,  // a % without two hexadecimal digits
  encoded_nul      // "%00"
};

std::string_view describe(PathFault fault) noexcept;

// `raw` is the path of a request target, without query. `scratch` must hold raw.size() bytes; it is written only if the
// path is not yet normal.
Result<std::string_view, PathFault> normalise_path(std::string_view raw, std::span<char> scratch) noexcept;

// All triplets decoded, once, for path parameters. `text` came through normalise_path, so its triplets are whole.
// Returns `text` itself where there is nothing to decode; otherwise `scratch`, which must hold text.size() bytes.
std::string_view percent_decode(std::string_view text, std::span<char> scratch) noexcept;

}  // namespace lingate
