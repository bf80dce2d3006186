// State: what the parts of one pool share: what it runs, its lanes and its crew, and the count of those who may still
// touch it (the RuntimePool, every thread of the crew, every flight away).
//
// Thread: constant after make() but for atomics. Lifetime: the last holder deletes it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "runtimes/pool.h"
#include "runtimes/pool_crew.h"
#include "runtimes/pool_lane.h"

namespace lingate::runtimes::pool {

// Added to a budget before the loop answers for an instance that does not return.
inline constexpr std::chrono::milliseconds kGrace{25};

// Added to a budget before its thread counts as stuck: the watchdog may be patient with a thread that got no core, and
// who only came late must not be replaced.
inline constexpr std::chrono::milliseconds kStuckAfter{60};

// A call that queues for longer has a look at why.
inline constexpr std::chrono::milliseconds kImpatience{50};

// An instance that is idle this long lets its collector have a step.
inline constexpr std::chrono::milliseconds kTidyAfter{5};

// Three budgets spent within the window move an inline pool to threads.
inline constexpr std::chrono::seconds kDemotionWindow{10};
inline constexpr std::size_t kDemotionCount = 3;

struct State {
  State(Runtime& its_runtime, Script its_script, const PoolOptions& its_options, Host& its_host,
        Watchdog& its_watchdog);

  void hold() noexcept { holders.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Of an instance. `to`, which lives as long, is told of a call that nothing ends, and what that holds.
  std::unique_ptr<Watch> make_watch(Instance& instance, Host& to, std::string_view holds) const;

  // An inline call spent its whole budget; the third in a short time moves the pool to threads, for all workers.
  void spent_budget(Clock::time_point now) noexcept;

  Runtime& runtime;
  const Script script;
  const PoolOptions options;
  Host& host;
  Watchdog& watchdog;
  HookSet hooks;
  std::vector<std::string> dependencies;  // see RuntimePool::dependencies()
  std::atomic<std::uint32_t> holders{1};
  std::atomic<bool> closed{false};
  std::atomic<bool> loops_rest{false};  // none runs any more: whoever closes may touch them
  std::atomic<bool> demoted{false};
  std::atomic<std::uint64_t> replaced{0};
  std::mutex demotion_mutex;  // the two below; rarely taken
  std::array<Clock::time_point, kDemotionCount> spent{};
  std::size_t next_spent = 0;
  std::vector<std::unique_ptr<Lane>> lanes;  // by worker
  Crew crew;
};

}  // namespace lingate::runtimes::pool
