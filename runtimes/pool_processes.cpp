// The calls of worker processes: sent, asked after, heard of.
#include "runtimes/pool_processes.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtimes/call_view.h"
#include "runtimes/pool_lane.h"
#include "runtimes/pool_state.h"
#include "runtimes/pool_worker.h"

namespace lingate::runtimes::pool {
namespace {

using process::Frame;
using process::FrameHead;
using process::Kind;
using std::chrono::milliseconds;

constexpr std::uint32_t kMostQueued = 8192;
constexpr std::uint32_t kMostBefore = 32;    // calls that a process has before it, the one that it runs included
constexpr milliseconds kTurn{1};             // replies of one process are taken for so long before others have theirs
constexpr std::uint32_t kMostHollow = 1000;  // rings without a reply: an honest worker has one for each reply, if any
constexpr const char* kDishonest = "it said what no worker says";

FrameHead head_of(Kind kind, const Flight& flight) noexcept {
  return {.kind = static_cast<std::uint16_t>(kind),
          .detail = static_cast<std::uint16_t>(flight.hook),
          .id = flight.id,
          .serial = flight.serial,
          .number = flight.budget_left.count()};
}

}  // namespace

bool Processes::submit(Flight& flight) noexcept {
  if (flight.work == Flight::Work::start) {
    const bool any = std::any_of(workers_.begin(), workers_.end(), [](const auto& each) { return each->able(); });
    if (!any || queue_.size() >= kMostQueued || flight.input.size() > most_) return false;
    flight.process = Flight::kNoProcess;
    queue_.push_back(flight);
    pump();
    return true;
  }
  Worker& worker = *workers_[flight.process];
  if (flight.generation != worker.generation || worker.stage != Worker::Stage::serving) return false;
  if (flight.work == Flight::Work::resume) {
    if (!worker.child->link().send(head_of(Kind::resume, flight))) return false;
    if (worker.before++ == 0) worker.heard = Clock::now();
    wake(worker);
    return true;
  }
  if (worker.child->link().send(head_of(Kind::cancel, flight))) wake(worker);
  release(worker, flight);
  return false;  // nothing comes home of it
}

void Processes::pump() noexcept {
  while (Flight* const flight = queue_.front()) {
    Worker* const worker = least_busy();
    if (!worker || !send(*worker, *flight)) break;
  }
  note_figures();
}

Processes::Worker* Processes::least_busy() noexcept {
  Worker* best = nullptr;
  for (const auto& worker : workers_) {
    if (worker->stage != Worker::Stage::serving || worker->before >= kMostBefore) continue;
    if (!best || worker->before < best->before) best = worker.get();
  }
  return best;
}

// The first of the queue. False: there is no room in the worker's ring.
bool Processes::send(Worker& worker, Flight& flight) noexcept {
  flight.id = worker.ids.take();
  flight.serial = worker.serial + 1;
  if (!worker.child->link().send(head_of(Kind::start, flight), flight.input)) {
    worker.ids.give(flight.id);
    return false;
  }
  worker.serial = flight.serial;
  queue_.remove(flight);
  worker.flights.push_back(flight);
  if (worker.by_id.size() <= flight.id) worker.by_id.resize(flight.id + 1);
  worker.by_id[flight.id] = &flight;
  if (worker.before++ == 0) worker.heard = Clock::now();
  flight.process = static_cast<std::uint32_t>(
      std::find_if(workers_.begin(), workers_.end(), [&](const auto& each) { return each.get() == &worker; }) -
      workers_.begin());
  flight.generation = worker.generation;
  wake(worker);
  return true;
}

// Waking costs a system call and two switches, so the calls of one turn share one.
void Processes::wake(Worker& worker) noexcept {
  if (worker.to_wake) return;
  worker.to_wake = loop_->put_off(*this);
  if (!worker.to_wake) worker.child->link().wake();
}

void Processes::turn_ends() noexcept {
  for (const auto& worker : workers_)
    if (std::exchange(worker->to_wake, false) && worker->child) worker->child->link().wake();
}

void Processes::release(Worker& worker, Flight& flight) noexcept {
  worker.flights.remove(flight);
  worker.by_id[flight.id] = nullptr;
  worker.ids.give(flight.id);
}

bool Processes::take_back(Flight& flight) noexcept {
  if (flight.work != Flight::Work::start || flight.process != Flight::kNoProcess) return false;
  queue_.remove(flight);
  return true;
}

Hands::Status Processes::status(const Flight& flight) noexcept {
  using Place = Flight::Place;
  if (flight.process == Flight::kNoProcess) return {.place = Place::queued};
  const Worker& worker = *workers_[flight.process];
  if (flight.generation != worker.generation || !worker.child) return {.place = Place::returning};
  const process::Shared& shared = worker.shared();
  if (shared.running.load(std::memory_order_acquire) == flight.serial)
    return {
        .place = Place::running,
        .run_until = Clock::time_point(Clock::duration(shared.since.load(std::memory_order_relaxed))) + flight.leash};
  const bool begun = shared.begun.load(std::memory_order_acquire) >= flight.serial;
  return {.place = begun && flight.work == Flight::Work::start ? Place::returning : Place::queued};
}

// It has been interrupted from inside and did not end; the process is given a little more, and then killed.
Hands::Overdue Processes::overdue(const Flight& flight) noexcept {
  const Hands::Status now = status(flight);
  if (now.place != Flight::Place::running) return Hands::Overdue::returned;
  Worker& worker = *workers_[flight.process];
  worker.hearing->wake_at(*loop_, now.run_until + kStuckAfter, worker.hearing);
  return Hands::Overdue::holder;
}

void Processes::relieve(Clock::time_point) noexcept {
  for (const auto& worker : workers_)
    if (worker->stage == Worker::Stage::serving) look_at(*worker);
}

void Processes::rung(Worker& worker) noexcept {
  const std::shared_ptr<Hearing> hearing = worker.hearing;
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(worker.child->bell_fd(), &rings, sizeof rings);
  ++worker.hollow;
  const Taken taken = take_replies(worker);
  if (taken == Taken::over) return;
  if (worker.child->link().broken() || worker.hollow > kMostHollow) kill(worker, kDishonest);
  if (taken == Taken::some || !worker.child->ended()) return pump();
  if (take_replies(worker) == Taken::all) died(worker);  // it may have said something last
}

Processes::Taken Processes::take_replies(Worker& worker) noexcept {
  const std::shared_ptr<Hearing> hearing = worker.hearing;
  const Clock::time_point until = Clock::now() + kTurn;
  Frame frame;
  while (!worker.killed_for && worker.child->link().receive(frame)) {
    worker.heard = Clock::now();
    if (worker.heard >= until) {
      ::eventfd_write(worker.child->bell_fd(), 1);  // the rest in the next turn
      return Taken::some;
    }
    worker.hollow = 0;
    take(worker, frame);
    if (!hearing->listens()) return Taken::over;
  }
  return Taken::all;
}

// Ends with done(), before anything is told to others.
void Processes::take(Worker& worker, const Frame& frame) noexcept {
  using Stage = Worker::Stage;
  const auto kind = static_cast<Kind>(frame.head.kind);
  if (kind != Kind::log) worker.logs = 0;
  switch (kind) {
    case Kind::finished:
    case Kind::suspended: return came_back(worker, frame);
    case Kind::log: return ++worker.logs <= 2 * process::kMostLogs ? log(worker, frame) : kill(worker, kDishonest);
    case Kind::loaded:
      if (worker.stage != Stage::starting) return kill(worker, kDishonest);
      worker.stage = Stage::serving;
      worker.rest = {};
      if (loop_) watch(worker);  // no longer its time to load
      break;
    case Kind::refused: {
      if (worker.stage != Stage::starting) return kill(worker, kDishonest);
      const LoadError error = process::unpack_error(std::string(frame.payload));
      state_.host.log(LogLevel::error, "a fresh instance could not be loaded: " + error.message, {}, nullptr);
      worker.stage = Stage::resting;
      break;
    }
    case Kind::spent:
      if (worker.stage != Stage::serving) return kill(worker, kDishonest);
      worker.stage = Stage::spent;
      break;
    default: return kill(worker, kDishonest);
  }
  worker.child->link().done();
}

void Processes::came_back(Worker& worker, const Frame& frame) noexcept {
  const FrameHead head = frame.head;
  Flight* const found = head.id < worker.by_id.size() ? worker.by_id[head.id] : nullptr;
  if (!found || found->serial != head.serial || found->stage != Flight::Stage::away) return kill(worker, kDishonest);
  Flight& flight = *found;
  const nanoseconds took(std::clamp<std::int64_t>(head.number, 0, state_.options.timeout.count()));
  flight.running += took;
  flight.budget_left -= took;
  --worker.before;
  if (static_cast<Kind>(head.kind) == Kind::finished) {
    flight.verdict.assign(frame.payload);
    flight.outcome = Flight::Outcome::finished;
  } else {
    double wait = 0;
    if (frame.payload.size() == sizeof wait) std::memcpy(&wait, frame.payload.data(), sizeof wait);
    flight.operation = {.kind = HostOperation::Kind::sleep, .seconds = wait};
    flight.outcome = Flight::Outcome::suspended;
  }
  worker.child->link().done();
  if (flight.outcome == Flight::Outcome::finished) {
    release(worker, flight);
  } else if (flight.budget_left <= nanoseconds{}) {
    flight.work = Flight::Work::cancel;
    submit(flight);
    write_failure(flight.verdict, {.kind = FailureKind::timeout,
                                   .message = "the call spent its budget before it was suspended",
                                   .file = state_.script.path});
    flight.outcome = Flight::Outcome::finished;
  }
  lane_.came_home(flight);
}

void Processes::log(Worker& worker, const Frame& frame) noexcept {
  const std::string line(frame.payload);
  const FrameHead head = frame.head;
  worker.child->link().done();
  const auto size =
      static_cast<std::size_t>(std::clamp<std::int64_t>(head.number, 0, static_cast<std::int64_t>(line.size())));
  void* tag = nullptr;
  for (Flight* flight : worker.by_id)
    if (flight && flight->serial == head.serial && head.serial != 0) tag = flight->tag;
  const auto level =
      static_cast<LogLevel>(std::min<std::uint16_t>(head.detail, static_cast<std::uint16_t>(LogLevel::error)));
  state_.host.log(level, std::string_view(line).substr(0, size), std::string_view(line).substr(size), tag);
}

void Processes::note_figures() noexcept {
  std::uint32_t idle = 0;
  std::uint32_t busy = 0;
  std::uint32_t resting = 0;
  std::uint64_t memory = 0;
  std::uint32_t queued = queue_.size();
  for (const auto& worker : workers_) {
    if (worker->stage == Worker::Stage::resting) ++resting;
    if (worker->stage != Worker::Stage::serving) continue;
    ++(worker->before != 0 ? busy : idle);
    queued += worker->before > 1 ? worker->before - 1 : 0;
    memory += worker->shared().memory.load(std::memory_order_relaxed);
  }
  idle_.store(idle, std::memory_order_relaxed);
  busy_.store(busy, std::memory_order_relaxed);
  queued_.store(queued, std::memory_order_relaxed);
  resting_.store(resting, std::memory_order_relaxed);
  memory_.store(memory, std::memory_order_relaxed);
}

Hands::Figures Processes::figures() const noexcept {
  return {.idle = idle_.load(std::memory_order_relaxed),
          .busy = busy_.load(std::memory_order_relaxed),
          .queued = queued_.load(std::memory_order_relaxed),
          .resting = resting_.load(std::memory_order_relaxed),
          .memory = memory_.load(std::memory_order_relaxed)};
}

}  // namespace lingate::runtimes::pool
