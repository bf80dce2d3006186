// Snapshot: one configuration made runnable, as far as serving requests goes: the router, what each route does, the
// upstreams that routes point to, the limits. The composition root builds it and owns what it points to by `keep`; a
// worker takes the current one for each request, so a request sees one configuration from its first to its last byte.
//
// Thread: immutable, shared by all workers. Lifetime: by shared_ptr, until the last request that began on it is over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/options.h"
#include "gateway/routing/router.h"
#include "gateway/tls/context.h"
#include "middleware/middleware.h"
#include "middleware/tracing/request_trace.h"

namespace lingate::http {

struct Split {
  std::uint32_t upstream = 0;  // index into Snapshot::upstreams
  std::uint32_t weight = 1;
};

struct Redirect {
  std::uint16_t status = 0;
  std::string to;  // may hold "{param}" and "{*}"
};

struct Route {
  std::string name;
  middleware::Chain chain;       // a route with a fixed response has its `respond` step last
  std::vector<Split> upstreams;  // by weight; empty: the chain or `redirect` answers
  std::optional<Redirect> redirect;
  std::string strip;                // "/prefix" taken off the path for the upstream; empty: nothing
  std::optional<Duration> timeout;  // for the whole exchange
};

// What a listener speaks TLS with. A new connection takes that of the current snapshot, so a reload changes
// certificates and leaves the conversations under way alone.
struct ListenerTls {
  std::string name;  // ListenerOptions::tls
  tls::Context context;
};

struct Snapshot {
  explicit Snapshot(routing::Router compiled) : router(std::move(compiled)) {}

  routing::Router router;
  std::vector<Route> routes;  // index = routing::Found::route
  // For requests that no route takes and for malformed ones: request-id and access-log, so that they are logged too.
  middleware::Chain unrouted;
  std::vector<UpstreamOptions> upstreams;
  std::vector<Network> trusted;
  std::vector<ListenerTls> tls;
  bool via = true;  // Via is added, both ways
  std::optional<middleware::tracing::Tracing> tracing;
  Limits limits;
  std::shared_ptr<const void> keep;  // steps, script pools: whatever the chains point to

  // No step has anything under way that this worker began, see Middleware::is_quiet(). On that worker.
  bool is_quiet(std::uint32_t worker) const noexcept {
    return unrouted.is_quiet(worker) && std::all_of(routes.begin(), routes.end(), [worker](const Route& route) {
             return route.chain.is_quiet(worker);
           });
  }

  // nullptr: there is no such listener in this configuration any more.
  const tls::Context* find_tls(std::string_view name) const noexcept {
    for (const ListenerTls& each : tls)
      if (each.name == name) return &each.context;
    return nullptr;
  }
};

}  // namespace lingate::http
