// Retirement: the end of what a configuration was made of. A snapshot goes when the last worker has let go of it; then
// each script pool that no other snapshot uses takes leave of every worker's loop, and is destroyed on the
// housekeeper's thread, where waiting for its threads and processes hurts nobody.
//
//   last worker lets go ──▶ housekeeper: ~Snapshot ──▶ every worker: RuntimePool::leave ──▶ housekeeper: ~RuntimePool
//
// Thread: own() and sweep() on the housekeeper's or before it has work; end() when no loop runs any more. Lifetime:
// outlives all snapshots; the workers exist until end().
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "gateway/http/snapshot.h"
#include "gateway/http/worker.h"
#include "gateway/reload/housekeeper.h"
#include "middleware/script_shelf.h"

namespace lingate {

class Retirement {
 public:
  explicit Retirement(Housekeeper& housekeeper) : housekeeper_(housekeeper) {}

  middleware::ScriptShelf& shelf() noexcept { return shelf_; }
  void set_workers(std::vector<http::Worker*> workers) { workers_ = std::move(workers); }

  // The snapshot, so that its end goes this way.
  std::shared_ptr<const http::Snapshot> own(std::unique_ptr<const http::Snapshot> snapshot);

  // Retires the pools that no snapshot uses; also where a configuration was given up half made.
  void sweep();

  // After the housekeeper's: closes all pools; from now on what ends is destroyed at once.
  void end() noexcept;

 private:
  // A pool that takes leave, and how many loops it has still to leave.
  struct Leaving {
    std::shared_ptr<middleware::ScriptPool> pool;
    std::atomic<std::size_t> loops{0};
  };

  void take_leave(std::shared_ptr<middleware::ScriptPool> pool);

  Housekeeper& housekeeper_;
  middleware::ScriptShelf shelf_;
  std::vector<http::Worker*> workers_;
  std::vector<std::unique_ptr<Leaving>> leaving_;
  bool ended_ = false;
};

}  // namespace lingate
