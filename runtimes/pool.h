// RuntimePool: the one caller of instances of one script with one configuration. It knows where a call runs (inline on
// the I/O thread, on a pool thread, or in a worker process), how long (budget, wait, timeout), what a failure means (a
// stuck instance is replaced, an inline step that spends three budgets in 10 s moves to threads), and it counts. Steps
// that name the same file, configuration and placement share one pool.
//
//   ScriptStep ── ScriptCall ──▶ RuntimePool ──▶ inline Instance of this worker | thread slot | worker process ──▶ done
//
// The parts behind it are in pool_lane.h (the calls of one worker) pool_crew.h (the threads) and
// pool_processes.h (worker processes).
//
// Thread: call() and cancel() on a loop's thread, for calls of that loop. Completion comes back on the
// same thread. Lifetime: pools live in a snapshot; a snapshot dies when its last exchange is over. The destructor
// interrupts what still runs and joins the pool's threads; one that is stuck in code which nothing can stop is left
// behind after kFarewell, logged, and touches nothing but its own instance from then on. So destroy a pool where
// waiting is allowed: on the thread of its only loop, or after leave() or close().
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "runtimes/call_view.h"
#include "runtimes/runtime.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes {

namespace pool {
class Flight;
class Lane;
class Crew;
struct State;
}  // namespace pool

enum class Placement : std::uint8_t { inline_, thread, process };

struct PoolOptions {
  Placement placement = Placement::inline_;
  std::chrono::nanoseconds budget = std::chrono::milliseconds(10);
  std::chrono::nanoseconds wait = std::chrono::seconds(1);
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  std::uint32_t instances =
      1;  // slots of `thread`, and of an inline pool once it is demoted; processes, all workers together
  std::uint32_t workers = 1;               // loops that may call; their index() is below this
  std::string program = "/proc/self/exe";  // what a worker process runs, as `PROGRAM worker`
};

// One call from start to completion. Embedded in its owner (an exchange's script state) and reused; the owner fills
// the input, calls RuntimePool::call(), and must keep it until completed() ran or call() returned finished, or until
// cancel() returned.
class ScriptCall {
 public:
  Hook hook = Hook::request;
  void* tag = nullptr;  // comes back in Host::log, which see: an instance may hold it longer than the call lasts
  std::string input;    // the encoded Call; the owner's buffer, reused. Empty or foreign while the call is in flight.
  // Or where to read the call from as long as it stays on this thread, with room for what the script writes: encode()
  // is then called if it does not. Both live until the verdict was applied.
  CallSource* source = nullptr;
  Arena* room = nullptr;

  // Result, until the next use of this call: the verdict, or the bytes of one that another process has written, which
  // nobody has looked at yet.
  const Verdict* verdict() const noexcept { return verdict_; }  // nullptr: it is bytes
  std::string_view foreign_verdict() const noexcept { return foreign_; }
  std::chrono::nanoseconds running() const noexcept { return running_; }  // time inside the engine

 protected:
  virtual ~ScriptCall() = default;
  virtual void completed() noexcept = 0;  // loop's thread; only if call() answered pending
  virtual void encode() noexcept {}       // writes `input` (and makes the tag one for any thread)
  // The verdict was applied: what was large is given back.
  void give_back_room() noexcept;

 private:
  friend class pool::Flight;
  friend class pool::Lane;
  CallView& begin(const ScriptLimits& limits);

  const Verdict* verdict_ = nullptr;  // of view_
  std::chrono::nanoseconds running_{};
  std::unique_ptr<CallView> view_ = std::make_unique<CallView>();
  std::string foreign_;
  pool::Flight* flight_ = nullptr;  // the pool's side of a call that waits
};

struct PoolCounters {
  std::uint64_t calls = 0;
  std::array<std::uint64_t, 6> failures{};  // by FailureKind
  std::uint64_t replaced = 0;               // instances thrown away
  std::uint64_t memory = 0;                 // bytes held by all instances, as of their last calls
  std::uint32_t idle = 0, busy = 0, queued = 0;
  std::uint32_t resting = 0;  // worker processes that died again and again: their calls are refused for a while
  bool demoted = false;
};

class RuntimePool {
 public:
  static constexpr std::chrono::milliseconds kFarewell{600};

  // Loads one instance per worker (inline) or per slot (thread); the first failure is the result. Instances are made on
  // the calling thread for inline, on their own threads otherwise.
  static Result<std::unique_ptr<RuntimePool>, LoadError> make(Runtime& runtime, Script script, PoolOptions options,
                                                              Host& host, Watchdog& watchdog);
  ~RuntimePool();
  RuntimePool(const RuntimePool&) = delete;
  RuntimePool& operator=(const RuntimePool&) = delete;

  const HookSet& hooks() const noexcept;
  const Script& script() const noexcept;
  // Files besides the script itself that loading it has read (required modules).
  const std::vector<std::string>& dependencies() const noexcept;
  const PoolOptions& options() const noexcept;
  std::string_view runtime_name() const noexcept;

  enum class Started : std::uint8_t { finished, pending };
  Started call(Loop& loop, ScriptCall& call) noexcept;

  // The exchange is over (client gone, route time-out): `call` is not touched again after this returns, whatever its
  // instance still does. Harmless for a call that is not in flight.
  void cancel(Loop& loop, ScriptCall& call) noexcept;

  // That loop will not call again, and no call of it is in flight: it forgets the pool. On the loop's thread. When all
  // loops have left, the pool may be destroyed on any thread while they run.
  void leave(Loop& loop) noexcept;

  // Ends threads and processes; calls after it fail as `unavailable`. Any thread, once no loop runs; calls that were
  // cancelled come home to their loops yet, so these must outlive it. The destructor does what is left to do.
  void close() noexcept;

  // The worker processes of that loop, for who accounts for their time.
  std::vector<pid_t> processes(Loop& loop) const;

  PoolCounters counters() const noexcept;  // any thread; each figure is exact, together they are not one instant

 private:
  explicit RuntimePool(pool::State* state) noexcept : state_(state) {}
  void end() noexcept;

  pool::State* state_;  // counted: calls still on their way home hold it too
  bool closed_ = false;
};

}  // namespace lingate::runtimes
