// The inline instance of a lane: calls in it, what is suspended there, and its replacement.
#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "runtimes/call_view.h"
#include "runtimes/pool_lane.h"
#include "runtimes/pool_processes.h"
#include "runtimes/pool_state.h"

namespace lingate::runtimes::pool {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr std::chrono::seconds kLongestBackoff{10};
constexpr std::uint32_t kSampleEvery = 32;  // calls between two looks at the memory

}  // namespace

// Loads a fresh instance beside the loop, which goes on serving others, and brings it home.
class Replacement final : public Task {
 public:
  explicit Replacement(Lane& lane) : lane_(lane), thread_([this] { load(); }) {}
  ~Replacement() { join(); }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void join() {
    if (thread_.joinable()) thread_.join();
  }
  Result<std::unique_ptr<Instance>, LoadError>& result() { return result_; }

  void run() noexcept override {
    State& state = lane_.state_;  // held since load()
    lane_.replaced();
    state.release();
  }

 private:
  void load() {
    State& state = lane_.state_;
    result_ = state.runtime.load(state.script, state.host);
    state.hold();
    lane_.loop().post(*this);
  }

  Lane& lane_;
  Result<std::unique_ptr<Instance>, LoadError> result_;
  std::thread thread_;  // last: it uses the others
};

// A loop's time is that of its event, or of the last stay's end: what lies between is short.
template <class Enter>
Stay Lane::stay_inline(nanoseconds budget, Enter&& enter) noexcept {
  return stay(
      *instance_, *watch_, budget, loop_->now(), [this] { return loop_->refresh(); }, enter);
}

Lane::Lane(State& state)
    : state_(state),
      processes_(state.options.placement == Placement::process ? std::make_unique<Processes>(*this, state) : nullptr),
      hands_(processes_ ? static_cast<Hands&>(*processes_) : state.crew) {}

std::optional<LoadError> Lane::start_processes(std::uint32_t count) {
  return processes_->start(count);
}

std::optional<LoadError> Lane::processes_loaded() {
  return processes_->loaded();
}

Lane::~Lane() = default;

void Lane::adopt(std::unique_ptr<Instance> instance) {
  instance_ = std::move(instance);
  watch_ = state_.make_watch(*instance_, state_.host, "an I/O worker with all its connections");
  ids_ = {};
  figures_.memory.store(instance_->memory().used, std::memory_order_relaxed);
  figures_.has_instance.store(true, std::memory_order_relaxed);
}

void Lane::drop_instance() noexcept {
  watch_.reset();
  instance_.reset();
  figures_.memory.store(0, std::memory_order_relaxed);
  figures_.has_instance.store(false, std::memory_order_relaxed);
}

// The replacement itself stays: it may be on its way through the loop's mailbox.
void Lane::close() noexcept {
  const std::lock_guard lock(closing_);
  if (Loop* const loop = touchable_loop()) loop->disarm(tidy_);
  state_.closed.store(true, std::memory_order_release);
  if (replacement_) {
    replacement_->join();
    replacement_->result() = nullptr;
  }
  drop_instance();
  if (processes_) processes_->close();
}

RuntimePool::Started Lane::call_inline(ScriptCall& call) noexcept {
  if (!instance_) {
    if (!replacement_ && Clock::now() >= next_attempt_) start_replacement();
    if (!replacement_) return refuse(call);
    start_waiting(take_flight(call));
    return Started::pending;
  }
  figures_.busy.store(true, std::memory_order_relaxed);
  const CallId id = ids_.take();
  CallView& view = call.begin(state_.script.limits);
  const Stay stay = stay_inline(state_.options.budget, [&] { return instance_->start(id, view, call.tag); });
  if (stay.progress.state == Progress::State::suspended) {
    Flight& flight = take_flight(call);
    flight.id = id;
    suspended_.push_back(flight);
    // A budget that is spent to the last is a time-out, told like any other: by completed().
    go_on(flight, stay);
    return Started::pending;
  }
  ids_.give(id);
  call.running_ = stay.took;
  take_verdict(call);
  after_use(stay);
  return Started::finished;
}

void Lane::start_waiting(Flight& flight) noexcept {
  flight.stage = Flight::Stage::waiting;
  flight.wait_until = Clock::now() + state_.options.wait;
  waiting_.push_back(flight);
  figures_.waiting.store(waiting_.size(), std::memory_order_relaxed);
  arm(flight, std::min(flight.wait_until, flight.timeout_at));
}

void Lane::stop_waiting(Flight& flight) noexcept {
  waiting_.remove(flight);
  figures_.waiting.store(waiting_.size(), std::memory_order_relaxed);
}

void Lane::start_inline(Flight& flight) noexcept {
  loop_->disarm(flight);
  figures_.busy.store(true, std::memory_order_relaxed);
  flight.id = ids_.take();
  suspended_.push_back(flight);
  ScriptCall& call = *flight.call;
  CallView& view = call.begin(state_.script.limits);
  go_on(flight, stay_inline(flight.budget_left, [&] { return instance_->start(flight.id, view, call.tag); }));
}

void Lane::resume_inline(Flight& flight) noexcept {
  figures_.busy.store(true, std::memory_order_relaxed);
  go_on(flight, stay_inline(flight.budget_left, [&] { return instance_->resume(flight.id, HostResult{}); }));
}

// After a start or resume of a flight, which stands among suspended_.
void Lane::go_on(Flight& flight, const Stay& stay) noexcept {
  flight.running += stay.took;
  flight.budget_left -= stay.took;
  if (stay.progress.state == Progress::State::suspended) {
    suspend(flight, stay.progress.operation);
    if (flight.budget_left <= nanoseconds{}) {
      // Nothing is left to resume it with.
      flight.timeout_at = flight.resume_at = Clock::now();
      arm(flight, flight.timeout_at);
    }
    return after_use(stay);
  }
  suspended_.remove(flight);
  ids_.give(flight.id);
  after_use(stay);
  complete(flight);
}

// Ends a suspended call within its instance.
void Lane::drop_inline(Flight& flight) noexcept {
  suspended_.remove(flight);
  const Stay stay = stay_inline(state_.options.budget, [&] {
    instance_->cancel(flight.id);
    return Progress{};
  });
  ids_.give(flight.id);
  after_use(stay);
}

void Lane::after_use(const Stay& stay) noexcept {
  used_ = true;
  if (!tidy_.armed()) loop_->arm(tidy_, kTidyAfter);
  figures_.busy.store(false, std::memory_order_relaxed);
  if (stay.fired) state_.spent_budget(Clock::now());
  if (!instance_->usable()) return retire_instance();
  if (until_sample_-- != 0) return;
  until_sample_ = kSampleEvery;
  figures_.memory.store(instance_->memory().used, std::memory_order_relaxed);
}

// What is suspended in it is lost. Its owners hear of it from the loop, not from inside the call that is at fault.
void Lane::retire_instance() noexcept {
  while (Flight* const flight = suspended_.pop_front()) {
    flight->lost = true;
    arm(*flight, loop_->now());
  }
  drop_instance();
  state_.replaced.fetch_add(1, std::memory_order_relaxed);
  backoff_ = {};
  start_replacement();
}

void Lane::start_replacement() noexcept {
  try {
    replacement_ = std::make_unique<Replacement>(*this);
  } catch (const std::system_error&) {  // no thread to be had
    next_attempt_ = Clock::now() + kFirstBackoff;
    fail_waiting();
  }
}

void Lane::replaced() noexcept {
  {
    const std::lock_guard lock(closing_);
    if (state_.closed.load(std::memory_order_acquire)) return;
    const std::unique_ptr<Replacement> replacement = std::move(replacement_);
    auto& result = replacement->result();
    if (result) {
      adopt(std::move(*result));
      backoff_ = {};
    } else {
      backoff_ = std::clamp<nanoseconds>(backoff_ * 2, kFirstBackoff, kLongestBackoff);
      next_attempt_ = Clock::now() + backoff_;
      state_.host.log(LogLevel::error, "a fresh instance could not be loaded: " + result.error().message, {}, nullptr);
    }
  }
  if (waiting_.empty()) return;  // then the pool may be closing, and the instance is not the lane's to look at
  if (!instance_) return fail_waiting();
  while (instance_ && !waiting_.empty()) {
    Flight& flight = *waiting_.front();
    stop_waiting(flight);
    start_inline(flight);
  }
}

void Lane::fail_waiting() noexcept {
  while (!waiting_.empty()) {
    Flight& flight = *waiting_.front();
    stop_waiting(flight);
    loop_->disarm(flight);
    complete_failed(flight, FailureKind::unavailable);
  }
}

void Lane::tidy() noexcept {
  if (std::exchange(used_, false)) return loop_->arm(tidy_, kTidyAfter);
  if (idle_step()) loop_->arm(tidy_, Loop::kTick);
}

bool Lane::idle_step() noexcept {
  if (!instance_) return false;
  bool more = false;
  const Stay stay = pool::stay(*instance_, *watch_, state_.options.budget, [&] {
    more = instance_->idle_step();
    return Progress{};
  });
  // A finaliser that runs away is no call that spent its budget, but it must not be tried again at once.
  if (!instance_->usable()) retire_instance();
  return more && !stay.fired;
}

}  // namespace lingate::runtimes::pool
