// Assembly: makes a loaded configuration runnable. Steps are made once each, however many chains they stand in; scripts
// are compiled and their instances warmed; what comes out is the immutable snapshot that the workers serve from.
//
// Thread: the composition root's. Lifetime: the snapshot owns all that is made here; what Surroundings points to
// outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "gateway/config/model.h"
#include "gateway/http/snapshot.h"
#include "middleware/app_log.h"
#include "middleware/auth/jwks_fetcher.h"
#include "middleware/auth/password_crew.h"
#include "middleware/limits/limits.h"
#include "middleware/log_writer.h"
#include "middleware/script_pools.h"
#include "middleware/sessions/directory.h"
#include "middleware/tracing/exporter.h"
#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate {

struct Surroundings {
  std::uint32_t workers = 1;
  middleware::LogFiles* logs = nullptr;
  middleware::AppLog* log = nullptr;
  std::vector<runtimes::Runtime*> runtimes;
  runtimes::Watchdog* watchdog = nullptr;
  middleware::SessionDirectory* sessions = nullptr;  // nullptr: no step asks for it
  middleware::limits::Limits* limits = nullptr;
  middleware::ScriptShelf* shelf = nullptr;  // pools that the snapshot may share with others
  middleware::auth::PasswordCrew* passwords = nullptr;
  middleware::auth::JwksFetcher* fetcher = nullptr;
  middleware::tracing::Exporter* exporter = nullptr;  // of spans; nullptr: nothing is traced
};

struct Assembled {
  std::unique_ptr<const http::Snapshot> snapshot;
  const middleware::ScriptPools* scripts = nullptr;  // the snapshot's, for metrics
};

// A step that cannot be made: its place in the configuration, and for a script the script's own.
struct AssemblyError {
  Error error;
  config::Place place;
  std::optional<middleware::ScriptFault> script;
};

Result<Assembled, AssemblyError> assemble(const config::Model& model, const Surroundings& surroundings);

}  // namespace lingate
