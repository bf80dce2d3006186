// The store that a gateway keeps sessions, keys and quotas in: the one place that turns the configuration into one.
//
// Thread: the composition root's, once. Lifetime: the store outlives all that is made with it.
#pragma once

#include <memory>

#include "base/result.h"
#include "gateway/config/model.h"
#include "store/store.h"

namespace lingate {

// Whether a step or the admin API asks for one; where nothing does, no folder is made.
bool uses_store(const config::Model& model);
bool steps_use_store(const config::Model& model);

// Fails with code::kStoreUnavailable.
Result<std::unique_ptr<store::Store>> open_store(const config::Model& model);

}  // namespace lingate
