// One worker process as Processes keeps it, and what hears of it. Internal to the pool_processes*.cpp.
//
// Thread: the lane's worker's. Lifetime: a Worker is the pool's; a Hearing is kept by the loop too.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtimes/pool_processes.h"
#include "runtimes/process/child.h"

namespace lingate::runtimes::pool {

// Hears of one process: of its replies and its end. The loop keeps it for as long as it watches the descriptors, which
// may be longer than the pool lives.
class Processes::Hearing final : public Bell, public Timer {
 public:
  Hearing(Processes& owner, Worker& worker) : owner_(&owner), worker_(worker) {}

  bool rung() noexcept override {
    const std::lock_guard lock(mutex_);
    if (owner_) owner_->rung(worker_);
    return owner_ != nullptr;
  }
  void expired() noexcept override {
    const std::shared_ptr<Hearing> self = std::move(self_);
    const std::lock_guard lock(mutex_);
    if (owner_) owner_->look_at(worker_);
  }
  // Loop's thread.
  void wake_at(Loop& loop, Clock::time_point when, std::shared_ptr<Hearing> self) noexcept {
    self_ = std::move(self);
    loop.arm(*this, std::max(Clock::duration{}, when - loop.now()));
  }
  // Loop's thread: no wake-up is needed any more.
  void rest(Loop& loop) noexcept {
    loop.disarm(*this);
    self_.reset();
  }
  void hang_up(Loop* loop) noexcept {
    const std::lock_guard lock(mutex_);
    owner_ = nullptr;
    if (loop) rest(*loop);
  }
  bool listens() const noexcept { return owner_ != nullptr; }

 private:
  std::recursive_mutex mutex_;  // what it tells may end the pool
  Processes* owner_;
  Worker& worker_;
  std::shared_ptr<Hearing> self_;  // while armed
};

class Processes::Worker {
 public:
  enum class Stage : std::uint8_t { starting, serving, spent, resting };

  Stage stage = Stage::resting;
  std::unique_ptr<process::Child> child;
  std::shared_ptr<Hearing> hearing;  // of this child
  std::uint32_t generation = 0;
  std::uint64_t serial = 0;  // of the last call sent
  std::uint32_t before = 0;  // calls sent and not back
  FlightList flights;        // sent or suspended there
  std::vector<Flight*> by_id;
  CallIds ids;
  const char* killed_for = nullptr;  // what it did
  std::uint32_t logs = 0;            // lines since it last said something else
  std::uint32_t hollow = 0;          // rings in a row that brought nothing
  bool to_wake = false;              // was sent something in this turn
  Clock::time_point heard{};         // the last reply, or the call that it has not answered
  Clock::time_point load_until{};
  Clock::time_point look_until{};     // the end of the period in which
  nanoseconds processor_before{};     // it had used so much when that began
  std::uint32_t periods_at_work = 0;  // without a call, in a row
  Clock::time_point rest_until{};
  nanoseconds rest{};
  static constexpr std::size_t kDeaths = 5;  // so many within a short time are a crash loop
  std::array<Clock::time_point, kDeaths> deaths{};
  std::size_t next_death = 0;

  bool able() const noexcept { return stage == Stage::starting || stage == Stage::serving; }
  const process::Shared& shared() const noexcept { return child->shared(); }
};

}  // namespace lingate::runtimes::pool
