// Lane: the calls of one worker: its inline instance, and the flights of its calls wherever they are. All decisions
// about time (wait, timeout, host operations) are made here, by the worker's own timers.
//
// Thread: its worker's, but for `figures` and close(). Lifetime: the State's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtimes/pool_hands.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::pool {

// Counters of one lane: one writer, so that workers share no cache line; any reader.
struct alignas(64) Figures {
  std::atomic<std::uint64_t> calls{0};
  std::array<std::atomic<std::uint64_t>, 6> failures{};
  std::atomic<std::uint64_t> memory{0};
  std::atomic<std::uint32_t> waiting{0};  // for the inline instance
  std::atomic<bool> busy{false};
  std::atomic<bool> has_instance{false};
};

class Processes;
class Replacement;

class Lane {
 public:
  explicit Lane(State& state);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Before any call, where calls run in worker processes: starts so many; then waits until they have loaded.
  std::optional<LoadError> start_processes(std::uint32_t count);
  std::optional<LoadError> processes_loaded();
  const Processes* processes() const noexcept { return processes_.get(); }
  // Before any call: gives the lane its inline instance.
  void adopt(std::unique_ptr<Instance> instance);
  // The loop's thread: no call will come any more, and none is in flight. What the loop knows of the lane goes.
  void leave() noexcept;
  // After leave(), or where no loop runs. Any thread.
  void close() noexcept;

  RuntimePool::Started call(Loop& loop, ScriptCall& call) noexcept;
  void cancel(ScriptCall& call) noexcept;

  const Figures& figures() const noexcept { return figures_; }
  Loop& loop() const noexcept { return *loop_; }
  bool on_its_thread() const noexcept { return thread_ == std::this_thread::get_id(); }
  // Its loop, if it has one that this thread may touch: its own, or one that runs no more.
  Loop* touchable_loop() const noexcept;

 private:
  friend class Flight;
  friend class Replacement;
  friend class Processes;

  using Started = RuntimePool::Started;
  Started call_inline(ScriptCall& call) noexcept;
  void meet(Loop& loop) noexcept;
  Started call_away(ScriptCall& call) noexcept;
  Started refuse(ScriptCall& call) noexcept;
  bool submit(Flight& flight, Flight::Work work) noexcept;

  void expired(Flight& flight) noexcept;
  void look_after(Flight& flight) noexcept;  // away: what has the time brought?
  void came_home(Flight& flight) noexcept;
  bool submit_cancel(Flight& flight) noexcept;
  void settle_abandoned(Flight& flight) noexcept;
  void suspend(Flight& flight, const HostOperation& operation) noexcept;
  void arm(Flight& flight, Clock::time_point due) noexcept;

  void start_waiting(Flight& flight) noexcept;
  void stop_waiting(Flight& flight) noexcept;
  void start_inline(Flight& flight) noexcept;
  void resume_inline(Flight& flight) noexcept;
  void drop_inline(Flight& flight) noexcept;
  template <class Enter>
  Stay stay_inline(nanoseconds budget, Enter&& enter) noexcept;
  void go_on(Flight& flight, const Stay& stay) noexcept;
  void after_use(const Stay& stay) noexcept;
  void tidy() noexcept;
  bool idle_step() noexcept;
  void drop_instance() noexcept;
  void retire_instance() noexcept;
  void start_replacement() noexcept;
  void replaced() noexcept;
  void fail_waiting() noexcept;

  Flight& take_flight(ScriptCall& call) noexcept;
  void recycle(Flight& flight) noexcept;
  ScriptCall* detach(Flight& flight) noexcept;
  void complete(Flight& flight) noexcept;
  void complete_failed(Flight& flight, FailureKind kind) noexcept;
  void take_verdict(ScriptCall& call) noexcept;
  void take_foreign_verdict(ScriptCall& call) noexcept;
  void count_failure(FailureKind kind) noexcept;
  std::string what_lacked() const;
  std::string what_passed(const Flight& flight) const;  // budget or time-out
  void write_own_failure(ScriptCall& call, FailureKind kind, std::string_view message) noexcept;

  // When the inline instance has not been used for a while, its collector has a step.
  struct Tidy final : Timer {
    explicit Tidy(Lane& its_lane) noexcept : lane(its_lane) {}
    void expired() noexcept override { lane.tidy(); }
    Lane& lane;
  };

  State& state_;
  const std::unique_ptr<Processes> processes_;
  Hands& hands_;  // of calls that leave
  Loop* loop_ = nullptr;
  std::thread::id thread_;  // the loop's
  Figures figures_;

  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Watch> watch_;
  CallIds ids_;
  FlightList suspended_;  // in the inline instance
  FlightList waiting_;    // for it
  std::mutex closing_;    // between close() and a replacement that arrives
  std::unique_ptr<Replacement> replacement_;
  Clock::time_point next_attempt_{};
  nanoseconds backoff_{};
  std::uint32_t until_sample_ = 0;
  Tidy tidy_{*this};
  bool used_ = false;  // since tidy_ was armed

  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Flight*> free_;
};

}  // namespace lingate::runtimes::pool
