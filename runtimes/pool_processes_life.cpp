// The life of worker processes: how they are started, loaded, watched over, lost and started again.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtimes/call_view.h"
#include "runtimes/pool_lane.h"
#include "runtimes/pool_processes.h"
#include "runtimes/pool_state.h"
#include "runtimes/pool_worker.h"
#include "runtimes/process/sandbox.h"

namespace lingate::runtimes::pool {
namespace {

using process::Child;
using process::Frame;
using process::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLoadGrace{5};  // beside init_budget: starting a process and its engine
constexpr seconds kSilence{1};    // beyond a budget: nothing heard for so long of a process that has calls
constexpr seconds kPeriod{2};     // between two looks at what a process uses
constexpr std::uint32_t kPeriodsAtWork = 3;
constexpr int kShareAtWork = 4;  // of a processor, a quarter: a saturated machine gives a busy thread no more
constexpr std::size_t kMostThreads = 64;
constexpr std::uint64_t kBefore = 64 << 20;  // what it has before its ceiling counts
constexpr const char* kOutlived = "what it did outlived its budget by far";
constexpr seconds kDeathWindow{10};
constexpr milliseconds kFirstRest{500};
constexpr seconds kLongestRest{10};

}  // namespace

Processes::Processes(Lane& lane, State& state) : lane_(lane), state_(state) {}

Processes::~Processes() {
  close();
}

std::optional<std::string> Processes::begin(Worker& worker) {
  auto child = Child::start(state_.options.program, state_.runtime.name(), state_.script);
  if (!child) return std::move(child.error());
  worker.child = std::move(*child);
  worker.hearing = std::make_shared<Hearing>(*this, worker);
  worker.stage = Worker::Stage::starting;
  worker.load_until = Clock::now() + state_.script.init_budget + kLoadGrace;
  worker.killed_for = nullptr;
  worker.logs = worker.hollow = 0;
  worker.serial = worker.before = 0;
  worker.ids = {};
  worker.by_id.clear();
  ++worker.generation;
  return std::nullopt;
}

std::optional<LoadError> Processes::start(std::uint32_t count) {
  for (std::uint32_t k = 0; k < count; ++k) {
    workers_.push_back(std::make_unique<Worker>());
    if (auto error = begin(*workers_.back()))
      return LoadError{FailureKind::unavailable, std::move(*error), state_.script.path, 0, {}};
  }
  most_ = workers_.front()->child->link().most();
  return std::nullopt;
}

std::optional<LoadError> Processes::loaded() {
  for (const auto& worker : workers_)
    if (auto error = await(*worker)) return error;
  note_figures();
  return std::nullopt;
}

// The first load of a worker, without a loop.
std::optional<LoadError> Processes::await(Worker& worker) {
  for (;;) {
    Frame frame;
    while (worker.child->link().receive(frame)) {
      const Kind kind = static_cast<Kind>(frame.head.kind);
      if (kind == Kind::refused) return process::unpack_error(std::string(frame.payload));
      if (kind == Kind::log && worker.logs++ < 2 * process::kMostLogs) {
        log(worker, frame);
        continue;
      }
      auto told = process::unpack_loaded(frame.payload);
      worker.child->link().done();
      if (kind != Kind::loaded || !told) break;
      told_ = std::move(*told);
      worker.stage = Worker::Stage::serving;
      return std::nullopt;
    }
    const auto& ended = worker.child->ended();
    if (!ended && Clock::now() < worker.load_until && !state_.watchdog.ending()) {
      worker.child->wait(milliseconds(100));
      continue;
    }
    return LoadError{FailureKind::unavailable,
                     ended ? "its worker process ended while it loaded: " + *ended
                           : std::string("its worker process did not load it in time"),
                     state_.script.path,
                     0,
                     {}};
  }
}

void Processes::meet(Loop& loop) noexcept {
  loop_ = &loop;
  for (const auto& worker : workers_) {
    if (listen(*worker)) {
      watch(*worker);
      take_replies(*worker);  // what came while nobody listened does not ring again
      continue;
    }
    worker->child.reset();
    rest(*worker);
  }
}

// The loop gets descriptors of its own. False: the system gives none; what it has got by then is let go of.
bool Processes::listen(Worker& worker) noexcept {
  for (const int fd : {worker.child->bell_fd(), worker.child->end_fd()}) {
    const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own >= 0 && loop_->listen(own, worker.hearing)) continue;
    hang_up(worker);
    return false;
  }
  return true;
}

// Nobody rings the bell of a process that is gone: it rings once more, so that the loop lets go of it.
void Processes::hang_up(Worker& worker) noexcept {
  worker.hearing->hang_up(loop_);
  ::eventfd_write(worker.child->bell_fd(), 1);
}

// The processes themselves end with close(), which may wait for them.
void Processes::leave() noexcept {
  if (!loop_) return;
  loop_->forget(*this);
  for (const auto& worker : workers_)
    if (worker->child) {
      hang_up(*worker);
    } else if (worker->hearing) {
      worker->hearing->hang_up(loop_);
    }
}

// A loop of another thread lets go of what it hears once it rings, which the end of the process does.
void Processes::close() noexcept {
  if (std::exchange(closed_, true)) return;
  Loop* const loop = lane_.touchable_loop();
  if (loop) loop->forget(*this);
  for (const auto& worker : workers_) {
    if (worker->hearing) worker->hearing->hang_up(loop);
    worker->child.reset();
  }
}

// What has the time brought? A process is stuck if it stays in one thing for too long, and if it has calls and says
// nothing: it may have been stopped, or lie about what it does.
void Processes::look_at(Worker& worker) noexcept {
  const Clock::time_point now = Clock::now();
  if (worker.stage == Worker::Stage::resting && now >= worker.rest_until) return start_again(worker);
  if (!worker.child || worker.killed_for) return;
  const process::Shared& shared = worker.shared();
  const Clock::time_point since{Clock::duration(shared.since.load(std::memory_order_relaxed))};
  const bool runs = shared.running.load(std::memory_order_acquire) != 0;
  const Clock::time_point stuck_at = since + state_.options.budget + kStuckAfter;
  const bool stuck = runs && now >= stuck_at;
  const bool silent = worker.before != 0 && now >= worker.heard + state_.options.budget + kSilence;
  const bool late = worker.stage == Worker::Stage::starting && now >= worker.load_until;
  if (stuck || silent || late) return kill(worker, kOutlived);
  if (worker.stage != Worker::Stage::serving) return;
  if (now >= worker.look_until) {
    if (const char* const what_for = overuse(worker, now)) return kill(worker, what_for);
    worker.look_until = now + kPeriod;
  }
  const Clock::time_point next = runs ? std::min(stuck_at, worker.look_until) : worker.look_until;
  worker.hearing->wake_at(*loop_, next, worker.hearing);
}

// From now on it is looked at once in a while, whether it has calls or not.
void Processes::watch(Worker& worker) noexcept {
  worker.look_until = Clock::now() + kPeriod;
  worker.processor_before = worker.child->usage().processor;
  worker.periods_at_work = 0;
  worker.hearing->wake_at(*loop_, worker.look_until, worker.hearing);
}

// What no budget ends: threads that a script in Python has started. Nothing: it uses what it may.
const char* Processes::overuse(Worker& worker, Clock::time_point now) noexcept {
  const Child::Usage usage = worker.child->usage();
  const nanoseconds used = usage.processor - std::exchange(worker.processor_before, usage.processor);
  const bool no_call = worker.before == 0 && worker.heard < worker.look_until - kPeriod;
  const bool works = no_call && used > (now - (worker.look_until - kPeriod)) / kShareAtWork;
  worker.periods_at_work = works ? worker.periods_at_work + 1 : 0;
  if (usage.threads > kMostThreads) return "it has more than 64 threads";
  if (usage.memory > process::ceiling_for(state_.script) + kBefore) return "it held far more memory than it may";
  return worker.periods_at_work >= kPeriodsAtWork ? "it went on computing for seconds without a call" : nullptr;
}

// Its end rings.
void Processes::kill(Worker& worker, const char* what_for) noexcept {
  if (!std::exchange(worker.killed_for, what_for)) worker.child->kill();
}

void Processes::died(Worker& worker) noexcept {
  const std::string why = worker.killed_for ? std::string("its worker process was killed, because ") + worker.killed_for
                                            : "its worker process ended: " + *worker.child->ended();
  const std::uint64_t begun = worker.shared().begun.load(std::memory_order_acquire);
  hang_up(worker);
  worker.child.reset();
  state_.replaced.fetch_add(1, std::memory_order_relaxed);
  if (worker.able()) {
    state_.host.log(LogLevel::error, state_.script.path + ": " + why, {}, nullptr);
    if (worker.killed_for != kOutlived) worker.deaths[worker.next_death++ % Worker::kDeaths] = Clock::now();
  }
  const Clock::time_point oldest = worker.deaths[worker.next_death % Worker::kDeaths];
  const bool loops = oldest != Clock::time_point{} && Clock::now() - oldest < kDeathWindow;
  if (worker.stage == Worker::Stage::resting || loops) {
    rest(worker);
  } else {
    start_again(worker);
  }
  lose_calls(worker, begun, why);
}

// A call that the process had begun is lost with it; others are given to another, in their order.
void Processes::lose_calls(Worker& worker, std::uint64_t begun, const std::string& why) noexcept {
  const std::shared_ptr<Hearing> hearing = worker.hearing;
  FlightList theirs = std::exchange(worker.flights, {});
  FlightList queued = std::exchange(queue_, {});
  std::vector<Flight*> lost;
  while (Flight* const flight = theirs.pop_front()) {
    if (flight->serial <= begun || !flight->call) {
      lost.push_back(flight);
    } else {
      flight->process = Flight::kNoProcess;
      queue_.push_back(*flight);
    }
  }
  while (Flight* const flight = queued.pop_front())
    queue_.push_back(*flight);
  const bool able = std::any_of(workers_.begin(), workers_.end(), [](const auto& each) { return each->able(); });
  while (!able && !queue_.empty())
    lost.push_back(queue_.pop_front());
  pump();
  for (Flight* const flight : lost) {
    if (flight->stage == Flight::Stage::suspended) {
      flight->lost = true;
      loop_->arm(*flight, {});
      continue;
    }
    write_failure(flight->verdict, {.kind = FailureKind::unavailable, .message = why, .file = state_.script.path});
    flight->outcome = Flight::Outcome::finished;
    lane_.came_home(*flight);
    if (!hearing->listens()) return;
  }
}

std::vector<pid_t> Processes::ids() const {
  std::vector<pid_t> ids;
  for (const auto& worker : workers_)
    if (worker->child) ids.push_back(worker->child->pid());
  return ids;
}

void Processes::start_again(Worker& worker) noexcept {
  const auto error = begin(worker);
  if (!error && listen(worker)) {
    note_figures();
    return worker.hearing->wake_at(*loop_, worker.load_until, worker.hearing);
  }
  if (error) state_.host.log(LogLevel::error, state_.script.path + ": " + *error, {}, nullptr);
  worker.child.reset();
  rest(worker);
}

// It dies again and again, or cannot be started: a growing pause, in which it takes no calls.
void Processes::rest(Worker& worker) noexcept {
  worker.stage = Worker::Stage::resting;
  worker.rest = std::clamp<nanoseconds>(worker.rest * 2, kFirstRest, kLongestRest);
  worker.rest_until = Clock::now() + worker.rest;
  worker.hearing = std::make_shared<Hearing>(*this, worker);
  worker.hearing->wake_at(*loop_, worker.rest_until, worker.hearing);
  note_figures();
  state_.host.log(LogLevel::error,
                  state_.script.path + ": its worker process cannot be kept running; the next is started in " +
                      std::to_string(worker.rest / milliseconds(1)) + " ms",
                  {}, nullptr);
}

}  // namespace lingate::runtimes::pool
