// Places: where a request may carry a credential (a header field, a bearer token, a parameter of the query, a cookie),
// how it is read there, and how it is taken out of what goes upstream.
//
// Plain values and functions. Thread: the exchange's worker. Texts live as long as the exchange.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "middleware/exchange.h"

namespace lingate::middleware::auth {

struct Place {
  enum class Kind : std::uint8_t { header, bearer, query, cookie };
  Kind kind;
  std::string name{};  // empty for bearer
};

// The option `from` of a step; empty where it is not given.
std::vector<Place> read_places(const Settings& settings);

// Empty: there is none.
std::string_view credential_at(const Place& place, Exchange& exchange);

// Removes what stands in any of them from the request: a caller may have sent its credential twice.
void hide_credentials(const std::vector<Place>& places, Exchange& exchange);

// The names of those in the query.
std::vector<std::string> parameters_of(const std::vector<Place>& places);

// What follows `scheme` and its space in Authorization; empty: another scheme, or none. `scheme` is lower-case, with
// the space.
std::string_view authorization(const Request& request, std::string_view scheme) noexcept;

}  // namespace lingate::middleware::auth
