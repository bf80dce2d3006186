// ScriptPools: from a script step's settings to the pool that runs it. Steps that name the same file, configuration and
// placement share one pool and so its instances (contract section 4, "Instances").
//
// Thread: the one that builds snapshots. Lifetime: with the snapshot; destroyed after the workers have ended or let go
// of the snapshot, and before the runtimes, the watchdog and the application log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "middleware/script.h"
#include "runtimes/pool.h"

namespace lingate::middleware {

struct ScriptPoolsOptions {
  std::vector<runtimes::Runtime*> runtimes;
  runtimes::Watchdog* watchdog = nullptr;
  AppLog* log = nullptr;
  std::uint32_t workers = 1;
  runtimes::ScriptLimits limits;  // of heads and targets, as for input
};

// A script that did not load, with its place; for `check` and for the exit code 7.
struct ScriptFault {
  std::string file;
  runtimes::LoadError error;
};

class ScriptPools {
 public:
  explicit ScriptPools(ScriptPoolsOptions options) : options_(std::move(options)) {}

  struct Entry {
    std::string key;
    std::string label;
    std::unique_ptr<ScriptLog> log;
    std::unique_ptr<runtimes::RuntimePool> pool;  // after `log`: destroyed first
  };

  // The pool for these settings, loaded now if there is none yet. A script that fails to load is an error of code
  // kScriptLoad, with its details in last_fault().
  Result<const Entry*> pool(const Settings& settings);

  const std::optional<ScriptFault>& last_fault() const noexcept { return fault_; }
  std::span<const std::unique_ptr<Entry>> entries() const noexcept { return entries_; }
  std::uint32_t workers() const noexcept { return options_.workers; }

  // All pools at once, see RuntimePool::close().
  void close() const noexcept {
    for (const auto& entry : entries_)
      entry->pool->close();
  }

 private:
  Result<runtimes::Runtime*> runtime_named(std::string_view name) const;
  Result<runtimes::Script> script_of(const Settings& settings) const;

  const ScriptPoolsOptions options_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::optional<ScriptFault> fault_;
};

}  // namespace lingate::middleware
