// Crew: the threads of a pool. One queue of new calls for all slots; a slot is a thread with an instance, and what was
// suspended in it comes back to it. Nothing here knows of wait or timeout: lanes ask, and take back what still waits.
//
// Thread: any; one mutex. Lifetime: the State's; every thread holds the State.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtimes/pool_hands.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::pool {

// Between an instance and the pool's host, so that a thread that was left behind can no longer reach it.
class SlotHost final : public Host {
 public:
  explicit SlotHost(Host& host) noexcept : host_(&host) {}
  void log(LogLevel level, std::string_view message, std::string_view fields, void* call_tag) noexcept override;
  void close() noexcept;

 private:
  std::mutex mutex_;
  Host* host_;
};

class Slot {
 public:
  Slot(State& state, std::uint32_t number);

 private:
  friend class Crew;
  enum class Stage : std::uint8_t { loading, serving, backing_off, ending, ended };

  State& state_;
  const std::uint32_t number_;
  SlotHost host_;

  // ---- the slot's thread ----
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Watch> watch_;
  CallIds ids_;
  std::uint32_t generation_ = 0;  // of instance_
  bool tidy_ = true;              // the collector has nothing to do since the last call

  // ---- under the crew's mutex ----
  Stage stage_ = Stage::loading;
  bool idle_ = false;
  bool busy_ = false;
  bool stuck_ = false;             // its call was answered without it
  bool retired_ = false;           // another slot has taken its place
  bool able_ = true;               // counted in Crew::able_
  bool behind_ = false;            // the pool is gone; nothing but this slot's own may be touched
  Clock::time_point run_until_{};  // busy: its flight's budget ends
  FlightList inbox_;               // resumptions and cancellations
  HookSet hooks_;
  std::vector<std::string> dependencies_;
  std::condition_variable wake_;
  std::optional<LoadError> load_error_;  // of the first load
  std::thread thread_;

  std::atomic<std::uint64_t> memory_{0};
};

class Crew final : public Hands {
 public:
  explicit Crew(State& state) noexcept;
  ~Crew();

  // Starts `count` slots. Threads that cannot be made are missing ones; false if there is none at all.
  bool start(std::uint32_t count) noexcept;
  // Waits until every slot has loaded; the first error is the result.
  std::optional<LoadError> loaded() noexcept;
  HookSet hooks() noexcept;
  std::vector<std::string> dependencies() noexcept;
  // Ends all threads: interrupts what runs, joins, leaves behind what does not end in time. Any thread but a slot's.
  void close() noexcept;

  // ---- Hands; any thread ----
  bool submit(Flight& flight) noexcept override;
  bool take_back(Flight& flight) noexcept override;
  Status status(const Flight& flight) noexcept override;
  Overdue overdue(const Flight& flight) noexcept override;
  void relieve(Clock::time_point now) noexcept override;

  Figures figures() noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool add_slot() noexcept;
  void serve(Slot& slot) noexcept;
  void serve_one(Slot& slot, Flight& flight, Lock& lock) noexcept;
  bool load(Slot& slot, Lock& lock) noexcept;
  void replace(Slot& slot, Lock& lock) noexcept;
  void back_off(Slot& slot, nanoseconds pause, Lock& lock) noexcept;
  void end(Slot& slot, Lock& lock) noexcept;
  Flight* next_work(Slot& slot, Lock& lock) noexcept;
  void tidy(Slot& slot, Lock& lock) noexcept;
  void perform(Slot& slot, Flight& flight) noexcept;
  void note(Slot& slot, Flight& flight, const Stay& stay) noexcept;
  void drop(Slot& slot, Flight& flight) noexcept;
  void claim_interpreter(Slot& slot) noexcept;
  void retire_stuck(Slot& slot) noexcept;
  bool is_closed() noexcept;
  void hand_back(Flight& flight) noexcept;
  void hand_back_all(FlightList& flights, Lock& lock) noexcept;
  void wake_one() noexcept;
  bool all_ended() const noexcept;  // or left behind
  bool any_loading() const noexcept;

  State& state_;
  std::mutex mutex_;
  std::condition_variable changed_;  // a slot's stage
  std::vector<std::unique_ptr<Slot>> slots_;
  FlightList queue_;
  std::uint32_t able_ = 0;    // slots that serve or are about to
  std::uint32_t behind_ = 0;  // retired slots whose call has not returned
  bool making_;               // the first loads report to loaded()
  bool closed_ = false;
};

}  // namespace lingate::runtimes::pool
