// ScriptPools: the pools of one snapshot, each by the settings of a script step. Steps that name the same file,
// configuration and placement share one pool and so its instances (contract section 4, "Instances"), in this snapshot
// and, where there is a shelf, with the snapshots before and after it.
//
// Thread: the one that builds snapshots; entries() any, once it is built. Lifetime: with the snapshot; destroyed after
// the workers have ended or let go of the snapshot, and before the runtimes, the watchdog and the application log.
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
#include "middleware/script_shelf.h"
#include "runtimes/pool.h"

namespace lingate::middleware {

struct ScriptPoolsOptions {
  std::vector<runtimes::Runtime*> runtimes;
  runtimes::Watchdog* watchdog = nullptr;
  AppLog* log = nullptr;
  std::uint32_t workers = 1;
  runtimes::ScriptLimits limits;  // of heads and targets, as for input
  ScriptShelf* shelf = nullptr;   // pools of other snapshots; none: nothing is shared with them
};

// A script that did not load, with its place; for `check` and for the exit code 7.
struct ScriptFault {
  std::string file;
  runtimes::LoadError error;
};

// kScriptLoad, or what of its limits it spent.
int code_of(const runtimes::LoadError& error) noexcept;

class ScriptPools {
 public:
  explicit ScriptPools(ScriptPoolsOptions options)
      : options_(std::move(options)),
        began_(options_.shelf ? next_file_time() : std::chrono::system_clock::time_point()) {}

  using Entry = ScriptPool;

  // The pool for these settings, loaded now if there is none yet. A script that fails to load is an error of code
  // kScriptLoad, with its details in last_fault().
  Result<const Entry*> pool(const Settings& settings);

  const std::optional<ScriptFault>& last_fault() const noexcept { return fault_; }
  std::span<const std::shared_ptr<Entry>> entries() const noexcept { return entries_; }
  std::uint32_t workers() const noexcept { return options_.workers; }

 private:
  Result<runtimes::Runtime*> runtime_named(std::string_view name) const;
  Result<runtimes::Script> script_of(const Settings& settings) const;

  const ScriptPoolsOptions options_;
  const std::chrono::system_clock::time_point began_;
  Result<std::shared_ptr<Entry>> make(std::string key, runtimes::Script script, const runtimes::PoolOptions& options,
                                      std::string_view runtime);

  std::vector<std::shared_ptr<Entry>> entries_;
  std::optional<ScriptFault> fault_;
};

}  // namespace lingate::middleware
