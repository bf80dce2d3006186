// Flight: the pool's side of one call that could not be finished at once. It is at home with its worker's Lane
// (waiting for an inline instance, or suspended on a host operation), or away with the Crew's threads; whoever has it
// may touch it, and nobody else. It goes away through Crew::submit() and comes home through Loop::post().
//
// Thread: as above. Lifetime: made and recycled by its lane.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "runtimes/pool.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::pool {

using std::chrono::nanoseconds;

class Slot;

class Flight final : public Task, public Timer {
 public:
  enum class Stage : std::uint8_t { idle, waiting, suspended, away };
  enum class Work : std::uint8_t { start, resume, cancel };
  enum class Outcome : std::uint8_t { finished, suspended, unavailable, cancelled };
  enum class Place : std::uint8_t { none, queued, running, returning };

  static constexpr std::uint32_t kNoProcess = UINT32_MAX;

  explicit Flight(Lane& lane) noexcept : lane_(lane) {}

  Lane& lane() const noexcept { return lane_; }

  void run() noexcept override;      // came home
  void expired() noexcept override;  // wait, timeout, budget or the host operation

  // ---- lane's thread only ----
  ScriptCall* call = nullptr;  // nullptr: abandoned; the call was answered or cancelled
  Stage stage = Stage::idle;
  Clock::time_point timeout_at{};  // of the whole call
  Clock::time_point resume_at{};   // suspended
  Clock::time_point wait_until{};  // waiting or queued
  nanoseconds leash{};             // away: the budget that it took along
  bool lost = false;               // suspended in an instance that is gone
  bool has_input = false;          // it took the owner's input along

  // Started by the lane's own instance, if by any.
  bool is_inline() const noexcept { return !slot && process == kNoProcess; }

  // ---- whoever has it ----
  Hook hook = Hook::request;
  Work work = Work::start;
  Outcome outcome = Outcome::finished;
  void* tag = nullptr;
  std::string input;               // away: the encoded Call, so that the owner may go
  std::unique_ptr<CallView> view;  // what reads it on a thread of the crew, and has the verdict then
  std::string verdict;             // finished in a worker process
  HostOperation operation;
  nanoseconds budget_left{};
  nanoseconds running{};
  CallId id = 0;
  Slot* slot = nullptr;                // the one that started it
  std::uint32_t process = kNoProcess;  // of the lane's, that it was sent to
  std::uint64_t serial = 0;            // there
  std::uint32_t generation = 0;        // of the instance there

  // ---- under the crew's mutex ----
  Place place = Place::none;
  Clock::time_point run_until{};  // running
  Flight* next = nullptr;
  Flight* previous = nullptr;

 private:
  Lane& lane_;
};

// Flights in a row; intrusive, so joining and leaving costs no allocation.
class FlightList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  std::uint32_t size() const noexcept { return size_; }
  void push_back(Flight& flight) noexcept;
  void remove(Flight& flight) noexcept;
  Flight* pop_front() noexcept;  // nullptr: empty
  Flight* front() const noexcept { return first_; }

 private:
  Flight* first_ = nullptr;
  Flight* last_ = nullptr;
  std::uint32_t size_ = 0;
};

// Call ids of one instance: small numbers, given again.
class CallIds {
 public:
  CallId take();
  void give(CallId id) noexcept { free_.push_back(id); }

 private:
  std::vector<CallId> free_;
  CallId next_ = 0;
};

// One stay of a call in its instance, timed and watched. `now` is the time, and `read` reads it again.
struct Stay {
  Progress progress;
  nanoseconds took{};
  bool fired = false;
};

template <class Enter, class Read>
Stay stay(Instance& instance, Watch& watch, nanoseconds budget, Clock::time_point now, Read&& read, Enter&& enter) {
  watch.arm(now + budget);
  Stay result{enter(), {}, false};
  result.took = read() - now;
  result.fired = watch.disarm();
  if (result.fired) instance.settle();
  return result;
}

// The same on a thread without a loop.
template <class Enter>
Stay stay(Instance& instance, Watch& watch, nanoseconds budget, Enter&& enter) {
  return stay(instance, watch, budget, Clock::now(), &Clock::now, std::forward<Enter>(enter));
}

// The kind of the Failure in a verdict; FailureKind{} where there is none.
FailureKind failure_of(std::string_view verdict) noexcept;

}  // namespace lingate::runtimes::pool
