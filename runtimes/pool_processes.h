// Processes: the worker processes of one lane, as many as its share of `instances`. Calls go to the process with the
// fewest before it, a few at a time, so that one that ends its call finds the next; the others queue here. What a
// process had not begun when it died is given to another; what it had begun fails, and a fresh process takes its place.
//
// A worker is not believed: a script in Python may write into the shared memory and ring the bell as it likes. So its
// replies are taken for a short while in each turn of the loop, and one who says what no worker says, or who rings and
// rings and says nothing, is killed.
//
// Thread: the lane's worker's, but for close(). Lifetime: the Lane's.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtimes/pool_hands.h"
#include "runtimes/process/child.h"
#include "runtimes/process/protocol.h"

namespace lingate::runtimes::pool {

class Processes final : public Hands, private TurnEnd {
 public:
  Processes(Lane& lane, State& state);
  ~Processes();

  // Before any call, on a thread that stays: starts so many; then waits until all have loaded.
  std::optional<LoadError> start(std::uint32_t count);
  std::optional<LoadError> loaded();
  const process::Loaded& told() const noexcept { return told_; }
  // The first call is here: replies from now on come over its loop.
  void meet(Loop& loop) noexcept;
  // The loop's thread: no call will come any more, and none is in flight.
  void leave() noexcept;
  // Ends them all. Any thread; the loop may be running.
  void close() noexcept;

  bool submit(Flight& flight) noexcept override;
  bool take_back(Flight& flight) noexcept override;
  Status status(const Flight& flight) noexcept override;
  Overdue overdue(const Flight& flight) noexcept override;
  void relieve(Clock::time_point now) noexcept override;
  Figures figures() const noexcept;  // any thread
  std::vector<pid_t> ids() const;

 private:
  class Worker;
  class Hearing;

  std::optional<std::string> begin(Worker& worker);
  std::optional<LoadError> await(Worker& worker);
  bool listen(Worker& worker) noexcept;
  void hang_up(Worker& worker) noexcept;
  void rung(Worker& worker) noexcept;
  enum class Taken : std::uint8_t { all, some, over };  // over: what it told has ended the pool
  Taken take_replies(Worker& worker) noexcept;
  void take(Worker& worker, const process::Frame& frame) noexcept;
  void came_back(Worker& worker, const process::Frame& frame) noexcept;
  void log(Worker& worker, const process::Frame& frame) noexcept;
  void died(Worker& worker) noexcept;
  void lose_calls(Worker& worker, std::uint64_t begun, const std::string& why) noexcept;
  void start_again(Worker& worker) noexcept;
  void rest(Worker& worker) noexcept;
  void look_at(Worker& worker) noexcept;
  void watch(Worker& worker) noexcept;
  const char* overuse(Worker& worker, Clock::time_point now) noexcept;
  void kill(Worker& worker, const char* what_for) noexcept;
  void pump() noexcept;
  Worker* least_busy() noexcept;
  bool send(Worker& worker, Flight& flight) noexcept;
  void release(Worker& worker, Flight& flight) noexcept;
  void wake(Worker& worker) noexcept;
  void turn_ends() noexcept override;  // wakes those who were sent something
  void note_figures() noexcept;

  Lane& lane_;
  State& state_;
  Loop* loop_ = nullptr;
  process::Loaded told_;  // by one of them: they all load the same
  std::vector<std::unique_ptr<Worker>> workers_;
  FlightList queue_;
  std::size_t most_ = 0;  // bytes of a call
  bool closed_ = false;

  std::atomic<std::uint32_t> idle_{0}, busy_{0}, queued_{0}, resting_{0};
  std::atomic<std::uint64_t> memory_{0};
};

}  // namespace lingate::runtimes::pool
