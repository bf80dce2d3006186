// Calls and their time: what is common to both placements, and flights that are away. The inline instance is in
// pool_inline.cpp.
#include "runtimes/pool_lane.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "runtimes/call_view.h"
#include "runtimes/pool_processes.h"
#include "runtimes/pool_state.h"

namespace lingate::runtimes::pool {
namespace {

void add_one(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// A call that carried a large body does not keep its room.
constexpr std::size_t kKeptCapacity = 256 * 1024;

void trim(std::string& buffer) noexcept {
  if (buffer.capacity() > kKeptCapacity) std::string().swap(buffer);
}

std::string in_milliseconds(nanoseconds time) {
  return std::to_string(time / std::chrono::milliseconds(1)) + " ms";
}

}  // namespace

RuntimePool::Started Lane::call(Loop& loop, ScriptCall& call) noexcept {
  if (!loop_) meet(loop);
  add_one(figures_.calls);
  trim(call.foreign_);
  if (state_.options.placement != Placement::inline_) return call_away(call);
  if (!state_.demoted.load(std::memory_order_acquire)) return call_inline(call);
  if (instance_ && suspended_.empty()) drop_instance();
  return call_away(call);
}

Loop* Lane::touchable_loop() const noexcept {
  return on_its_thread() || state_.loops_rest.load(std::memory_order_relaxed) ? loop_ : nullptr;
}

// Once: whoever is away finds the way home by it.
void Lane::meet(Loop& loop) noexcept {
  loop_ = &loop;
  thread_ = std::this_thread::get_id();
  if (processes_) processes_->meet(loop);
}

void Lane::leave() noexcept {
  if (!loop_) return;
  loop_->disarm(tidy_);
  if (processes_) processes_->leave();
}

RuntimePool::Started Lane::call_away(ScriptCall& call) noexcept {
  if (call.source) call.encode();
  Flight& flight = take_flight(call);
  if (!processes_ && !flight.view) flight.view = std::make_unique<CallView>();
  flight.hook = call.hook;
  flight.tag = call.tag;
  flight.input.swap(call.input);
  flight.has_input = true;
  if (submit(flight, Flight::Work::start)) return Started::pending;
  flight.input.swap(call.input);
  detach(flight);
  recycle(flight);
  return refuse(call);
}

RuntimePool::Started Lane::refuse(ScriptCall& call) noexcept {
  write_own_failure(call, FailureKind::unavailable, what_lacked());
  return Started::finished;
}

bool Lane::submit(Flight& flight, Flight::Work work) noexcept {
  const Clock::time_point now = Clock::now();
  flight.work = work;
  flight.stage = Flight::Stage::away;
  flight.wait_until = now + state_.options.wait;
  flight.leash = flight.budget_left;
  const Clock::time_point first_look = now + std::min<nanoseconds>(flight.leash + kGrace, kImpatience);
  if (!hands_.submit(flight)) {
    flight.stage = Flight::Stage::idle;
    return false;
  }
  // It may be running, even on its way home by now; nothing of it but the lane's own may be touched.
  arm(flight, std::min({flight.wait_until, flight.timeout_at, first_look}));
  return true;
}

void Lane::arm(Flight& flight, Clock::time_point due) noexcept {
  loop_->arm(flight, std::max(Clock::duration{}, due - loop_->now()));
}

void Lane::expired(Flight& flight) noexcept {
  const Clock::time_point now = Clock::now();
  switch (flight.stage) {
    case Flight::Stage::waiting:
      if (const auto due = std::min(flight.wait_until, flight.timeout_at); now < due) return arm(flight, due);
      stop_waiting(flight);
      return complete_failed(flight, FailureKind::unavailable);
    case Flight::Stage::suspended:
      if (flight.lost) return complete_failed(flight, FailureKind::unavailable);
      if (now >= flight.timeout_at) {
        if (flight.is_inline()) drop_inline(flight);
        return complete_failed(flight, FailureKind::timeout);
      }
      if (flight.is_inline()) return resume_inline(flight);
      if (!submit(flight, Flight::Work::resume)) complete_failed(flight, FailureKind::unavailable);
      return;
    case Flight::Stage::away: return look_after(flight);
    case Flight::Stage::idle: return;
  }
}

void Lane::look_after(Flight& flight) noexcept {
  const Clock::time_point now = Clock::now();
  const Hands::Status status = hands_.status(flight);
  if (status.place == Flight::Place::queued) {
    const Clock::time_point due = std::min(flight.wait_until, flight.timeout_at);
    hands_.relieve(now);
    if (now < due)
      return arm(flight,
                 std::min<Clock::time_point>(due, now + std::min<nanoseconds>(flight.leash + kGrace, kImpatience)));
    if (!hands_.take_back(flight)) return arm(flight, now + kGrace);  // begun this moment
    const bool timed_out = now >= flight.timeout_at;
    if (flight.work == Flight::Work::start || !submit_cancel(flight)) flight.stage = Flight::Stage::idle;
    return complete_failed(flight, timed_out ? FailureKind::timeout : FailureKind::unavailable);
  }
  if (status.place != Flight::Place::running) return;  // it comes home by itself
  const Clock::time_point overdue = status.run_until + kGrace;
  const Clock::time_point due = std::min(overdue, flight.timeout_at);
  if (now < due) return arm(flight, due);
  if (now < overdue) return complete_failed(flight, FailureKind::timeout);
  switch (hands_.overdue(flight)) {
    case Hands::Overdue::returned: return;
    case Hands::Overdue::holder: return complete_failed(flight, FailureKind::timeout);
    case Hands::Overdue::held_up: return complete_failed(flight, FailureKind::unavailable);
  }
}

// The flight is the lane's again: tells its slot to drop what is suspended there. False: there is nothing to drop.
bool Lane::submit_cancel(Flight& flight) noexcept {
  flight.work = Flight::Work::cancel;
  flight.stage = Flight::Stage::away;
  return hands_.submit(flight);
}

void Lane::came_home(Flight& flight) noexcept {
  flight.stage = Flight::Stage::idle;
  if (!flight.call) return settle_abandoned(flight);
  loop_->disarm(flight);
  switch (flight.outcome) {
    case Flight::Outcome::finished: return complete(flight);
    case Flight::Outcome::suspended: return suspend(flight, flight.operation);
    case Flight::Outcome::cancelled:
    case Flight::Outcome::unavailable: return complete_failed(flight, FailureKind::unavailable);
  }
}

void Lane::settle_abandoned(Flight& flight) noexcept {
  if (flight.outcome != Flight::Outcome::suspended || !submit_cancel(flight)) recycle(flight);
}

void Lane::suspend(Flight& flight, const HostOperation& operation) noexcept {
  // Compared as a double: a script may ask for longer than a clock can count.
  const double most = std::chrono::duration<double>(state_.options.timeout).count() + 1;
  const double seconds = operation.seconds > 0 ? std::min(operation.seconds, most) : 0;
  flight.stage = Flight::Stage::suspended;
  flight.resume_at = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  arm(flight, std::min(flight.resume_at, flight.timeout_at));
}

void Lane::cancel(ScriptCall& call) noexcept {
  if (!call.flight_) return;
  Flight& flight = *call.flight_;
  detach(flight);
  loop_->disarm(flight);
  switch (flight.stage) {
    case Flight::Stage::waiting: stop_waiting(flight); break;
    case Flight::Stage::suspended:
      if (!flight.is_inline()) {
        if (submit_cancel(flight)) return;
      } else if (!flight.lost) {
        drop_inline(flight);
      }
      break;
    case Flight::Stage::away:
      if (!hands_.take_back(flight)) return;  // it comes home, and finds nobody
      if (flight.work != Flight::Work::start && submit_cancel(flight)) return;
      break;
    case Flight::Stage::idle: break;
  }
  recycle(flight);
}

Flight& Lane::take_flight(ScriptCall& call) noexcept {
  if (free_.empty()) {
    flights_.push_back(std::make_unique<Flight>(*this));
    free_.reserve(flights_.size());
    free_.push_back(flights_.back().get());
  }
  Flight& flight = *free_.back();
  free_.pop_back();
  flight.call = &call;
  flight.lost = flight.has_input = false;
  flight.slot = nullptr;
  flight.process = Flight::kNoProcess;
  flight.budget_left = state_.options.budget;
  flight.running = {};
  flight.timeout_at = Clock::now() + state_.options.timeout;
  call.flight_ = &flight;
  return flight;
}

void Lane::recycle(Flight& flight) noexcept {
  flight.stage = Flight::Stage::idle;
  trim(flight.input);
  trim(flight.verdict);
  if (flight.view) flight.view->give_back_room();
  free_.push_back(&flight);
}

ScriptCall* Lane::detach(Flight& flight) noexcept {
  ScriptCall* const call = std::exchange(flight.call, nullptr);
  call->flight_ = nullptr;
  return call;
}

// Last: whoever waited may do anything now, even end the pool.
void Lane::complete(Flight& flight) noexcept {
  ScriptCall& call = *detach(flight);
  call.running_ = flight.running;
  if (flight.has_input) call.input.swap(flight.input);
  if (processes_) {
    call.foreign_.swap(flight.verdict);
    take_foreign_verdict(call);
  } else {
    if (!flight.is_inline()) call.view_.swap(flight.view);
    take_verdict(call);
  }
  recycle(flight);
  call.completed();
}

// As complete(), but the pool speaks. A flight that is away stays so, without its call.
void Lane::complete_failed(Flight& flight, FailureKind kind) noexcept {
  ScriptCall& call = *detach(flight);
  write_own_failure(call, kind, kind == FailureKind::timeout ? what_passed(flight) : what_lacked());
  if (flight.stage == Flight::Stage::away) return call.completed();
  call.running_ = flight.running;
  if (flight.stage == Flight::Stage::suspended && !flight.is_inline() && submit_cancel(flight)) return call.completed();
  if (flight.has_input) call.input.swap(flight.input);
  recycle(flight);
  call.completed();
}

void Lane::take_verdict(ScriptCall& call) noexcept {
  call.verdict_ = &call.view_->verdict();
  if (call.verdict_->failure) count_failure(call.verdict_->failure->kind);
}

void Lane::take_foreign_verdict(ScriptCall& call) noexcept {
  call.verdict_ = nullptr;
  if (const FailureKind kind = failure_of(call.foreign_); kind != FailureKind{}) count_failure(kind);
}

void Lane::count_failure(FailureKind kind) noexcept {
  add_one(figures_.failures[static_cast<std::size_t>(kind)]);
}

std::string Lane::what_lacked() const {
  return "no instance could serve the call within its wait (" + in_milliseconds(state_.options.wait) + ")";
}

std::string Lane::what_passed(const Flight& flight) const {
  const PoolOptions& options = state_.options;
  const std::string budget = "the script ran longer than its budget (" + in_milliseconds(options.budget) + ")";
  if (flight.stage == Flight::Stage::suspended && flight.budget_left <= nanoseconds{}) return budget;
  if (Clock::now() >= flight.timeout_at)
    return "the call did not end within its time-out (" + in_milliseconds(options.timeout) + ")";
  return budget + " and had not ended " + in_milliseconds(kGrace) + " later";
}

void Lane::write_own_failure(ScriptCall& call, FailureKind kind, std::string_view message) noexcept {
  call.view_->begin(call.hook, std::string_view(), state_.script.limits);
  call.view_->fail(kind, message, state_.script.path);
  call.running_ = {};
  take_verdict(call);
}

}  // namespace lingate::runtimes::pool
