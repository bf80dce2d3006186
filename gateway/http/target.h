// Target: one server of an upstream as one worker sees it: its addresses, its idle connections, and whether it may be
// chosen. Ejected, unhealthy and drained are three different reasons not to: failures in a row of real requests, what
// the health check says, and what an operator wants.
//
// Thread: the worker's. Lifetime: its Upstream's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/loop.h"
#include "gateway/http/drains.h"
#include "gateway/http/metrics.h"
#include "gateway/http/options.h"
#include "gateway/http/resolver.h"
#include "gateway/http/upstream_connection.h"
#include "gateway/tls/conversation.h"

namespace lingate::http {

struct Target {
  const TargetOptions* options = nullptr;
  std::string label;                // "127.0.0.1:9001", for the log
  std::uint64_t seed = 0;           // for consistent hashing
  std::vector<Endpoint> endpoints;  // empty: the name has not been resolved yet, or never was
  std::size_t next_endpoint = 0;
  bool resolving = false;                    // its first lookup is under way
  std::vector<UpstreamConnection*> waiting;  // for that lookup

  UpstreamConnection* idle = nullptr;  // most recently used first
  UpstreamConnection* coldest = nullptr;
  std::uint32_t open = 0;    // connections: idle, in use, being made
  std::uint32_t active = 0;  // exchanges that use it
  std::int64_t credit = 0;   // smooth weighted round-robin
  tls::Ticket ticket;        // of its last TLS conversation; shortens the next one

  bool healthy = true;   // by the health check
  bool probing = false;  // its ejection is over; one request is trying it
  bool ejected = false;
  std::uint32_t failures = 0;   // in a row
  std::uint32_t ejections = 0;  // in a row, without a success between
  Clock::time_point ejected_until{};
  TargetState* state = nullptr;  // the two of them, and `active`, for other threads
  Drains::Flag drained{};        // by an operator, for all workers; none: nobody can

  bool is_drained() const noexcept { return drained && drained->load(std::memory_order_relaxed); }

  // May be chosen: it is healthy, and either not ejected or due for its one probe.
  bool available(Clock::time_point now) const noexcept {
    return healthy && (!ejected || (!probing && now >= ejected_until)) && !is_drained();
  }
};

// As the log, the metrics and the admin API call it: "127.0.0.1:9001", "unix:/run/users.sock".
std::string label_of(const Address& address);

}  // namespace lingate::http
