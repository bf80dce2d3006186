// Workshop: the runtimes of this build, and scripts put into chains of their own.
//
// Thread: the measuring thread's. Lifetime: outlives the scripts made in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/bench/rooms/stage.h"
#include "gateway/bench/rooms/stamps.h"
#include "middleware/script.h"
#include "runtimes/pool.h"

namespace lingate::bench {

struct ScriptOptions {
  std::string path;  // as shown in messages; its folder is where require and import look
  std::string source;
  runtimes::Placement placement = runtimes::Placement::inline_;
  std::chrono::nanoseconds budget = std::chrono::seconds(10);
  std::uint64_t memory = 256 << 20;
  std::string config;  // an encoded Value; empty: null
  bool request_body = false;
  bool response_body = false;
  bool stamped = false;  // leaves stamps in Workshop::stamps()
};

// A script in one pool, and the step that calls it.
class ScriptUse {
 public:
  ScriptUse(std::shared_ptr<middleware::ScriptLog> log, std::unique_ptr<runtimes::RuntimePool> pool,
            const ScriptOptions& options);

  const middleware::Middleware* step() const noexcept { return step_.get(); }
  // Whether a call is under way: a log hook, which no request waits for.
  bool pending() const noexcept;
  // Processor time of the worker processes that run it, ns.
  double worker_time(Loop& loop) const;

 private:
  std::shared_ptr<middleware::ScriptLog> log_;
  std::unique_ptr<middleware::ScriptStep> step_;
  std::unique_ptr<runtimes::RuntimePool> pool_;  // last: destroyed first
};

class Workshop {
 public:
  Workshop();

  // The error's message holds file, line and what the engine said.
  Result<std::unique_ptr<ScriptUse>> script(std::string_view runtime, const ScriptOptions& options);

  Stage& stage() noexcept { return stage_; }
  Stamps& stamps() noexcept { return stamps_; }

 private:
  struct Room {
    std::unique_ptr<runtimes::Runtime> plain;
    std::unique_ptr<Stamped> stamped;
  };
  Room* find(std::string_view runtime);

  Stage stage_;
  Stamps stamps_;
  runtimes::Watchdog watchdog_;
  std::vector<Room> rooms_;
};

}  // namespace lingate::bench
