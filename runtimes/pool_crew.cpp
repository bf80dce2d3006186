#include "runtimes/pool_crew.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "runtimes/pool_state.h"

namespace lingate::runtimes::pool {
namespace {

constexpr std::uint32_t kMostQueued = 8192;
constexpr std::chrono::milliseconds kLookForTheEnd{50};
constexpr std::chrono::seconds kLoadGrace{1};  // beside init_budget: starting the engine
constexpr std::uint32_t kMostBehind = 8;       // stuck threads beside which fresh ones are started

}  // namespace

void SlotHost::log(LogLevel level, std::string_view message, std::string_view fields, void* call_tag) noexcept {
  const std::lock_guard lock(mutex_);
  if (host_) host_->log(level, message, fields, call_tag);
}

void SlotHost::close() noexcept {
  const std::lock_guard lock(mutex_);
  host_ = nullptr;
}

Slot::Slot(State& state, std::uint32_t number) : state_(state), number_(number), host_(state.host) {}

Crew::Crew(State& state) noexcept : state_(state), making_(state.options.placement == Placement::thread) {}

Crew::~Crew() = default;

bool Crew::start(std::uint32_t count) noexcept {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (std::uint32_t i = 0; i < count; ++i)
    any |= add_slot();
  return any;
}

std::optional<LoadError> Crew::loaded() noexcept {
  Lock lock(mutex_);
  const Clock::time_point until = Clock::now() + state_.script.init_budget + kLoadGrace;
  while (any_loading() && Clock::now() < until && !state_.watchdog.ending())
    changed_.wait_for(lock, kLookForTheEnd);
  const bool in_time = !any_loading();
  making_ = false;
  for (const auto& slot : slots_)
    if (slot->load_error_) return std::move(slot->load_error_);
  if (!in_time)
    return LoadError{
        FailureKind::timeout, "its top level or init is in code that nothing can stop", state_.script.path, 0, {}};
  return std::nullopt;
}

HookSet Crew::hooks() noexcept {
  const std::lock_guard lock(mutex_);
  return slots_.front()->hooks_;
}

std::vector<std::string> Crew::dependencies() noexcept {
  const std::lock_guard lock(mutex_);
  return slots_.front()->dependencies_;
}

bool Crew::submit(Flight& flight) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (flight.work == Flight::Work::start) {
    if (able_ == 0 || queue_.size() >= kMostQueued) return false;
    queue_.push_back(flight);
    wake_one();
  } else {
    Slot& slot = *flight.slot;
    const bool serves = slot.stage_ == Slot::Stage::serving || slot.stage_ == Slot::Stage::loading;
    if (!serves || slot.retired_) return false;
    slot.inbox_.push_back(flight);
    slot.wake_.notify_one();
  }
  flight.place = Flight::Place::queued;
  state_.hold();
  return true;
}

void Crew::wake_one() noexcept {
  for (const auto& slot : slots_) {
    if (!slot->idle_) continue;
    slot->idle_ = false;
    return slot->wake_.notify_one();
  }
}

bool Crew::take_back(Flight& flight) noexcept {
  const std::lock_guard lock(mutex_);
  if (flight.place != Flight::Place::queued) return false;
  (flight.work == Flight::Work::start ? queue_ : flight.slot->inbox_).remove(flight);
  flight.place = Flight::Place::none;
  state_.release();  // the pool still holds it
  return true;
}

Crew::Status Crew::status(const Flight& flight) noexcept {
  const std::lock_guard lock(mutex_);
  return {flight.place, flight.run_until};
}

Crew::Overdue Crew::overdue(const Flight& flight) noexcept {
  const std::lock_guard lock(mutex_);
  if (flight.place != Flight::Place::running) return Overdue::returned;
  if (state_.runtime.independent()) return Overdue::holder;
  claim_interpreter(*flight.slot);
  return flight.slot->stuck_ ? Overdue::holder : Overdue::held_up;
}

void Crew::relieve(Clock::time_point now) noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = *slots_[i];
    if (!slot.busy_ || slot.stuck_ || now < slot.run_until_ + kStuckAfter) continue;
    if (state_.runtime.independent()) {
      retire_stuck(slot);
    } else {
      claim_interpreter(slot);
    }
  }
}

// Under the mutex, as the next. Of those who wait for the one interpreter, only one can be the call that holds it.
void Crew::claim_interpreter(Slot& slot) noexcept {
  std::uint32_t nobody = 0;
  if (state_.runtime.stuck_.compare_exchange_strong(nobody, 1)) slot.stuck_ = true;
}

void Crew::retire_stuck(Slot& slot) noexcept {
  slot.stuck_ = true;
  if (behind_ >= kMostBehind || !add_slot()) return;
  slot.retired_ = true;
  ++behind_;
  --able_;  // add_slot() has counted its successor
  state_.replaced.fetch_add(1, std::memory_order_relaxed);
}

Crew::Figures Crew::figures() noexcept {
  const std::lock_guard lock(mutex_);
  Figures figures;
  figures.queued = queue_.size();
  for (const auto& slot : slots_) {
    figures.memory += slot->memory_.load(std::memory_order_relaxed);
    if (slot->stage_ != Slot::Stage::serving) continue;
    ++(slot->busy_ ? figures.busy : figures.idle);
  }
  return figures;
}

bool Crew::any_loading() const noexcept {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot->stage_ == Slot::Stage::loading; });
}

bool Crew::all_ended() const noexcept {
  return std::all_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot->behind_ || slot->stage_ == Slot::Stage::ended; });
}

void Crew::close() noexcept {
  Lock lock(mutex_);
  closed_ = true;
  for (const auto& slot : slots_) {
    slot->wake_.notify_one();
    if (slot->busy_) slot->watch_->expire();  // nobody waits for its call any more
  }
  changed_.wait_for(lock, RuntimePool::kFarewell, [this] { return all_ended(); });
  bool left_behind = false;
  for (auto& slot : slots_) {
    const bool busy = slot->stage_ == Slot::Stage::serving && slot->busy_;
    if (!busy && slot->stage_ != Slot::Stage::loading) continue;
    slot->behind_ = left_behind = true;
    // Who is stuck from now on is found anew: this one no longer tells when it returns.
    if (slot->stuck_ && !state_.runtime.independent()) state_.runtime.stuck_.store(0);
    slot->thread_.detach();
  }
  changed_.wait(lock, [this] { return all_ended(); });
  while (queue_.pop_front())
    state_.release();  // nobody begins it any more
  std::vector<std::unique_ptr<Slot>> slots = std::exchange(slots_, {});
  lock.unlock();
  for (const auto& slot : slots)
    if (slot->thread_.joinable()) slot->thread_.join();
  if (!left_behind) return;
  for (auto& slot : slots) {
    if (!slot->behind_) continue;
    slot->host_.close();
    static_cast<void>(slot.release());  // its thread may still come back to it
  }
  state_.host.log(LogLevel::error,
                  state_.script.path + ": a thread is stuck in code that nothing can stop; it is left behind", {},
                  nullptr);
}

}  // namespace lingate::runtimes::pool
