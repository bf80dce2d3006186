// What a slot's thread does: load, serve, tidy up between calls, replace its instance, end.
#include <algorithm>
#include <system_error>
#include <utility>

#include <pthread.h>

#include "runtimes/call_view.h"
#include "runtimes/pool_crew.h"
#include "runtimes/pool_state.h"

namespace lingate::runtimes::pool {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr std::chrono::seconds kLongestBackoff{10};

}  // namespace

// Under the mutex.
bool Crew::add_slot() noexcept {
  for (const auto& slot : slots_)
    if (slot->stage_ == Slot::Stage::ended && slot->thread_.joinable()) slot->thread_.join();
  slots_.push_back(std::make_unique<Slot>(state_, static_cast<std::uint32_t>(slots_.size())));
  Slot& slot = *slots_.back();
  try {
    state_.hold();
    slot.thread_ = std::thread([this, &slot] { serve(slot); });
  } catch (const std::system_error&) {
    state_.release();
    slots_.pop_back();
    return false;
  }
  const std::string name = "lg-" + std::string(state_.runtime.name()) + "-" + std::to_string(slot.number_);
  pthread_setname_np(slot.thread_.native_handle(), name.substr(0, 15).c_str());
  ++able_;
  return true;
}

void Crew::serve(Slot& slot) noexcept {
  Lock lock(mutex_);
  if (load(slot, lock))
    while (Flight* const flight = next_work(slot, lock))
      serve_one(slot, *flight, lock);
  end(slot, lock);
  lock.unlock();
  state_.release();
}

// Until an instance is there, with growing pauses. False: the slot has to end.
bool Crew::load(Slot& slot, Lock& lock) noexcept {
  nanoseconds pause = kFirstBackoff;
  while (!closed_ && !slot.retired_) {
    slot.stage_ = Slot::Stage::loading;
    lock.unlock();
    auto result = state_.runtime.load(state_.script, slot.host_);
    lock.lock();
    if (slot.behind_) {  // the pool did not wait for it: what it has loaded is left, too
      if (result) static_cast<void>(result->release());
      return false;
    }
    ++slot.generation_;
    if (result) {
      slot.instance_ = std::move(*result);
      slot.watch_ = state_.make_watch(*slot.instance_, slot.host_, "a thread of its own");
      slot.ids_ = {};
      slot.hooks_ = slot.instance_->hooks();
      slot.dependencies_ = slot.instance_->dependencies();
      slot.memory_.store(slot.instance_->memory().used, std::memory_order_relaxed);
      slot.stage_ = Slot::Stage::serving;
      if (!slot.able_) ++able_;
      slot.able_ = true;
      changed_.notify_all();
      return true;
    }
    if (making_) {
      slot.load_error_ = std::move(result.error());
    } else {
      slot.host_.log(LogLevel::error, "a fresh instance could not be loaded: " + result.error().message, {}, nullptr);
    }
    back_off(slot, pause, lock);
    pause = std::min<nanoseconds>(pause * 2, kLongestBackoff);
  }
  return false;
}

// Who waits for this slot hears at once that it is not available; so does everybody, if it was the last.
void Crew::back_off(Slot& slot, nanoseconds pause, Lock& lock) noexcept {
  slot.stage_ = Slot::Stage::backing_off;
  if (slot.able_) --able_;
  slot.able_ = false;
  changed_.notify_all();
  hand_back_all(slot.inbox_, lock);
  if (able_ == 0) hand_back_all(queue_, lock);
  slot.wake_.wait_for(lock, pause, [&] { return closed_ || slot.retired_; });
}

void Crew::hand_back_all(FlightList& flights, Lock& lock) noexcept {
  while (Flight* const flight = flights.pop_front()) {
    flight->place = Flight::Place::returning;
    flight->outcome = Flight::Outcome::unavailable;
    lock.unlock();
    hand_back(*flight);
    lock.lock();
  }
}

// Not under the mutex. The flight is not touched after this.
void Crew::hand_back(Flight& flight) noexcept {
  flight.lane().loop().post(flight);
}

Flight* Crew::next_work(Slot& slot, Lock& lock) noexcept {
  while (!closed_ && !slot.retired_) {
    if (Flight* const flight = slot.inbox_.pop_front()) return flight;
    if (Flight* const flight = queue_.pop_front()) return flight;
    slot.idle_ = true;
    if (slot.tidy_) {
      slot.wake_.wait(lock);
    } else if (slot.wake_.wait_for(lock, kTidyAfter) == std::cv_status::timeout && queue_.empty() &&
               slot.inbox_.empty()) {
      tidy(slot, lock);
    }
    slot.idle_ = false;
  }
  return nullptr;
}

void Crew::tidy(Slot& slot, Lock& lock) noexcept {
  slot.busy_ = true;
  slot.run_until_ = Clock::now() + state_.options.budget;
  lock.unlock();
  const Stay step = stay(*slot.instance_, *slot.watch_, state_.options.budget, [&] {
    slot.tidy_ = !slot.instance_->idle_step();
    return Progress{};
  });
  if (step.fired) slot.tidy_ = true;  // a finaliser that runs away must not be tried again at once
  slot.memory_.store(slot.instance_->memory().used, std::memory_order_relaxed);
  lock.lock();
  slot.busy_ = false;
  if (!slot.instance_->usable() && !slot.retired_ && !closed_) replace(slot, lock);
}

void Crew::serve_one(Slot& slot, Flight& flight, Lock& lock) noexcept {
  flight.place = Flight::Place::running;
  if (flight.work == Flight::Work::start) flight.slot = &slot;
  slot.run_until_ = flight.run_until = Clock::now() + flight.budget_left;
  slot.busy_ = true;
  lock.unlock();
  perform(slot, flight);
  lock.lock();
  slot.busy_ = false;
  slot.tidy_ = false;
  if (!slot.behind_ && slot.stuck_ && !state_.runtime.independent()) state_.runtime.stuck_.store(0);
  slot.stuck_ = false;
  flight.place = Flight::Place::returning;
  if (closed_) {
    lock.unlock();
    state_.release();  // the flight's hold; nobody waits for it any more
    lock.lock();
    return;
  }
  lock.unlock();
  hand_back(flight);
  lock.lock();
  if (!slot.instance_->usable() && !slot.retired_) replace(slot, lock);
}

void Crew::replace(Slot& slot, Lock& lock) noexcept {
  slot.stage_ = Slot::Stage::loading;
  slot.idle_ = false;
  state_.replaced.fetch_add(1, std::memory_order_relaxed);
  lock.unlock();
  slot.watch_.reset();
  slot.instance_.reset();
  lock.lock();
  load(slot, lock);  // where that fails, the slot has to end, and next_work() says so
}

void Crew::perform(Slot& slot, Flight& flight) noexcept {
  Instance& instance = *slot.instance_;
  if (flight.work == Flight::Work::start) {
    flight.generation = slot.generation_;
    flight.id = slot.ids_.take();
    flight.view->begin(flight.hook, flight.input, state_.script.limits);
    return note(slot, flight, stay(instance, *slot.watch_, flight.budget_left, [&] {
                  return instance.start(flight.id, *flight.view, flight.tag);
                }));
  }
  flight.outcome = Flight::Outcome::unavailable;
  if (flight.generation != slot.generation_) return;  // suspended in an instance that is gone
  if (flight.work == Flight::Work::resume)
    return note(slot, flight, stay(instance, *slot.watch_, flight.budget_left, [&] {
                  return instance.resume(flight.id, HostResult{});
                }));
  drop(slot, flight);
  flight.outcome = Flight::Outcome::cancelled;
}

bool Crew::is_closed() noexcept {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Crew::drop(Slot& slot, Flight& flight) noexcept {
  if (is_closed()) return;  // the instance goes anyway, and a thread that was left behind must not arm its watch
  static_cast<void>(stay(*slot.instance_, *slot.watch_, state_.options.budget, [&] {
    slot.instance_->cancel(flight.id);
    return Progress{};
  }));
  slot.ids_.give(flight.id);
}

void Crew::note(Slot& slot, Flight& flight, const Stay& stay) noexcept {
  flight.running += stay.took;
  flight.budget_left -= stay.took;
  if (stay.progress.state == Progress::State::finished) {
    static_cast<void>(flight.view->verdict());
    flight.outcome = Flight::Outcome::finished;
    slot.ids_.give(flight.id);
  } else if (flight.budget_left > nanoseconds{}) {
    flight.operation = stay.progress.operation;
    flight.outcome = Flight::Outcome::suspended;
  } else {
    drop(slot, flight);
    flight.view->fail(FailureKind::timeout, "the call spent its budget before it was suspended", state_.script.path);
    flight.outcome = Flight::Outcome::finished;
  }
  slot.memory_.store(slot.instance_->memory().used, std::memory_order_relaxed);
}

// A slot that was left behind touches nothing of the process but its own instance, and leaves that too.
void Crew::end(Slot& slot, Lock& lock) noexcept {
  slot.idle_ = false;
  if (slot.able_ && !slot.retired_) --able_;
  if (slot.retired_) --behind_;
  if (!slot.behind_) {
    slot.stage_ = Slot::Stage::ending;
    changed_.notify_all();
    lock.unlock();
    slot.watch_.reset();
    slot.instance_.reset();
    lock.lock();
  }
  if (!closed_) hand_back_all(slot.inbox_, lock);
  while (slot.inbox_.pop_front())
    state_.release();  // cancellations that have become pointless
  slot.memory_.store(0, std::memory_order_relaxed);
  slot.stage_ = Slot::Stage::ended;
  changed_.notify_all();
}

}  // namespace lingate::runtimes::pool
