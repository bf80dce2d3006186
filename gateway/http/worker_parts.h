// WorkerParts: what the pieces of one worker share: its loop, its reactor, its buffers, its counters. Passed by
// reference to everything that a worker makes; there is one per worker and no other way to reach a worker's things.
//
// Thread: the worker's. Lifetime: the worker's, longer than anything made with it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/loop.h"
#include "gateway/http/address_counts.h"
#include "gateway/http/blocks.h"
#include "gateway/http/drains.h"
#include "gateway/http/http_date.h"
#include "gateway/http/metrics.h"
#include "gateway/http/readiness.h"
#include "gateway/http/resolver.h"
#include "gateway/http/send_queue.h"
#include "middleware/app_log.h"
#include "middleware/ids.h"

namespace lingate::http {

inline constexpr std::uint32_t kSmallBlock = 16 * 1024;  // a client's head
inline constexpr std::uint32_t kLargeBlock = 64 * 1024;  // a response, or an upload
inline constexpr std::size_t kScratch =
    3 * 1024 * 1024;  // a serialised head, edits included; untouched, it costs nothing

// What all workers share; none: nobody needs it.
struct SharedParts {
  Resolver& resolver;
  middleware::AppLog& log;
  AddressCounts* addresses = nullptr;
  Drains* drains = nullptr;
};

struct WorkerParts {
  WorkerParts(Loop& its_loop, const SharedParts& shared)
      : loop(its_loop),
        resolver(shared.resolver),
        log(shared.log),
        addresses(shared.addresses),
        drains(shared.drains) {}

  Loop& loop;
  Resolver& resolver;
  middleware::AppLog& log;
  AddressCounts* addresses;
  Drains* drains;
  middleware::IdSource ids;
  Reactor reactor;
  SendQueue sends{reactor};
  BlockPool small{kSmallBlock, 256};
  BlockPool large{kLargeBlock, 128};
  Metrics metrics;
  HttpDate date;
  std::unique_ptr<std::array<char, kScratch>> scratch = std::make_unique_for_overwrite<std::array<char, kScratch>>();
};

}  // namespace lingate::http
