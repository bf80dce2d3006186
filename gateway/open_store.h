// The store that a gateway keeps sessions, keys and quotas in: the one place that turns the configuration into one.
//
// Thread: the composition root's, once. Lifetime: the store outlives all that is made with it; the
// log outlives the store.
#pragma once

#include <sys/types.h>

#include <memory>

#include "base/result.h"
#include "gateway/config/model.h"
#include "middleware/app_log.h"
#include "store/store.h"

namespace lingate {

// Whether a step or the admin API asks for one; where nothing does, no folder is made.
bool uses_store(const config::Model& model);
bool steps_use_store(const config::Model& model);

// By the process whose place this one takes.
struct StoreHandedOver {
  int lock = -1;
  pid_t by = 0;
};

// Fails with code::kStoreUnavailable. A Redis that is away is no failure: `log` tells of it, and when it is back, if
// there is one.
Result<std::unique_ptr<store::Store>> open_store(const config::Model& model, middleware::AppLog* log,
                                                 const StoreHandedOver& handed_over = {});

}  // namespace lingate
