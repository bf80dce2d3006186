// Url: what `lingate bench http` is pointed at, taken apart as strictly as the gateway takes requests.
//
// Thread: a pure function. Lifetime: owns its text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lingate::bench {

struct Url {
  std::string host;  // a name or an address, an IPv6 one without its brackets
  std::uint16_t port = 80;
  std::string authority;  // as it stands in the URL; the Host field
  std::string target;     // path and query, in origin form
};

Result<Url> url_from(std::string_view text);

}  // namespace lingate::bench
