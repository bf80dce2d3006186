// ScriptShelf: every script pool of a process. The next configuration takes over a pool whose settings, script and
// required files are what they were, with its instances and their state (contract section 4, "Instances"); a pool that
// no snapshot uses any more is handed out to be ended.
//
// Thread: the one that builds and destroys snapshots; close() any, once that has ended. Lifetime: outlives all
// snapshots.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/script_log.h"
#include "runtimes/pool.h"

namespace lingate::middleware {

// A file that a script has required, as it was then.
struct RequiredFile {
  std::string path;
  std::string digest;  // SHA-256; empty: it may have been another when the script read it
};

// A pool and what it was made from. Shared by the snapshots that use it.
struct ScriptPool {
  std::string key;    // of the settings: equal ones can share instances
  std::string label;  // what logs and metrics call it
  std::vector<RequiredFile> required;
  std::shared_ptr<ScriptLog> log;
  std::unique_ptr<runtimes::RuntimePool> pool;  // after `log`: destroyed first
};

// Whether its script and what that has required hold what they held when it was made.
bool is_on_disk(const ScriptPool& pool);

// The time as the kernel marks files with it, which goes by ticks of a few milliseconds: waits for the next one, so
// that what was written before can be told from what is written from now on.
std::chrono::system_clock::time_point next_file_time();

// Of files that were read after `since`, a next_file_time().
std::vector<RequiredFile> describe_required(const std::vector<std::string>& paths,
                                            std::chrono::system_clock::time_point since);

class ScriptShelf {
 public:
  // nullptr: none that is still as it would be made now. One that was moved to threads is none: that lasts until here.
  std::shared_ptr<ScriptPool> find(std::string_view key, std::string_view source) const;
  void add(std::shared_ptr<ScriptPool> pool) { pools_.push_back(std::move(pool)); }

  // Takes out those that no snapshot holds any more.
  std::vector<std::shared_ptr<ScriptPool>> take_unused();

  // Once no loop runs, while the loops exist: see RuntimePool::close().
  void close() const noexcept;

 private:
  std::vector<std::shared_ptr<ScriptPool>> pools_;
};

}  // namespace lingate::middleware
