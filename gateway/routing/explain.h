// Why each route takes a request or does not: for people who ask `lingate route`. Slow and simple, route by route; the
// router is what serves.
//
// Pure function; any thread.
#pragma once

#include <string>
#include <vector>

#include "gateway/routing/router.h"

namespace lingate::routing {

struct Consideration {
  // How far the request got with the route: the later the stage, the nearer the miss.
  enum class Stage { host, path, condition, method, less_specific, taken };

  std::size_t route = 0;
  Stage stage = Stage::host;
  std::size_t segments = 0;  // stage path: how many segments agreed before the first that did not
  std::string reason;        // "the path differs at 'user': the route has 'users'"
};

// One for every route, in their order. `found` is what the router answered.
std::vector<Consideration> consider(std::span<const Match> matches, const Request& request, const Found& found);

}  // namespace lingate::routing
