// Arm: one row of a comparison made runnable: a chain, what it is asked with, and a proof that it did its work.
//
// Thread: the measuring thread's. Lifetime: the workshop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/bench/rooms/jobs.h"
#include "gateway/bench/rooms/workshop.h"

namespace lingate::bench {

// Which arm; its name is "lua/inline/header", "native/header".
struct ArmName {
  std::string runtime;
  std::string placement;  // "inline", "thread", "process"; empty: native
  std::string job;

  std::string text() const;
  runtimes::Placement where() const noexcept;
};

class Arm {
 public:
  ArmName name;
  Traffic traffic;
  middleware::Chain chain;
  std::function<std::string(middleware::Exchange&)> check;  // what is wrong; empty: the work was done
  std::uint16_t status = 200;                               // what every request must come out with; 0: any

  // One request, its log hook included, wherever that runs.
  void serve(Stage& stage) const;

  std::unique_ptr<const middleware::Middleware> native;  // one of these two
  std::unique_ptr<ScriptUse> script;
};

// A job of jobs.h. `stamped`: leaves stamps (stamps.h).
Result<std::unique_ptr<Arm>> make_arm(Workshop& workshop, const ArmName& name, bool stamped = false);

// Runs one request; what is wrong with what came out, or empty.
std::string try_arm(Workshop& workshop, Arm& arm);

}  // namespace lingate::bench
