#include "gateway/http/worker.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "gateway/http/reactor_context.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

constexpr std::size_t kMostFree = 256;  // Transactions kept for reuse

// Work of another thread for the worker: owns itself.
template <class Work>
class Errand final : public Task {
 public:
  explicit Errand(Work work) : work_(std::move(work)) {}
  void run() noexcept override {
    work_();
    delete this;
  }

 private:
  Work work_;
};

template <class Each>
void link(Each*& first, Each& one) noexcept {
  one.next = first;
  one.previous = nullptr;
  if (first) first->previous = &one;
  first = &one;
}

template <class Each>
void unlink(Each*& first, Each& one) noexcept {
  (one.previous ? one.previous->next : first) = one.next;
  if (one.next) one.next->previous = one.previous;
}

template <class Work>
Task& errand(Work work) {
  return *new Errand<Work>(std::move(work));
}

}  // namespace

WheelClock::WheelClock(Reactor& reactor, TimerWheel& wheel)
    : wheel_(wheel), fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  watch_ = fd_ >= 0 ? reactor.add(fd_, *this) : nullptr;
  if (!watch_) {
    std::fputs("lingate: no descriptor left for a worker's timer; raise the limit (ulimit -n)\n", stderr);
    std::abort();
  }
  watch_->await_read();
}

WheelClock::~WheelClock() {
  watch_->close();
}

void WheelClock::wake_by(Clock::time_point due) noexcept {
  if (due >= set_for_) return;
  set_for_ = due;
  const auto since = std::max<Clock::duration>(due.time_since_epoch(), std::chrono::nanoseconds(1));
  itimerspec when{};
  when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  when.it_value.tv_nsec = (since % std::chrono::seconds(1)).count();
  ::timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void WheelClock::readable() noexcept {
  std::uint64_t times = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd_, &times, sizeof times);
  watch_->await_read();
  set_for_ = Clock::time_point::max();
  wheel_.advance(Clock::now());
  if (const auto next = wheel_.wake_at()) wake_by(*next);
}

BellWatcher::~BellWatcher() {
  if (watch_) watch_->close();
}

bool BellWatcher::watch(Reactor& reactor, int fd) noexcept {
  watch_ = reactor.add(fd, *this);
  if (watch_) watch_->await_read();
  return watch_ != nullptr;
}

void BellWatcher::readable() noexcept {
  if (bell_->rung()) return watch_->await_read();
  bell_.reset();
  std::exchange(watch_, nullptr)->close();
}

bool WorkerState::put_off(TurnEnd& end) noexcept {
  if (!parts.reactor.puts_off()) return false;
  parts.reactor.at_turn_end(end);
  return true;
}

bool WorkerState::listen(int fd, std::shared_ptr<Bell> bell) noexcept {
  std::erase_if(bells_, [](const auto& each) { return each->over(); });
  bells_.push_back(std::make_unique<BellWatcher>(std::move(bell)));
  if (bells_.back()->watch(parts.reactor, fd)) return true;
  bells_.pop_back();
  return false;
}

WorkerState::WorkerState(const WorkerOptions& options, std::shared_ptr<const Snapshot> snapshot)
    : number_(options.index),
      parts(
          *this,
          {.resolver = options.resolver, .log = options.log, .addresses = options.addresses, .drains = options.drains}),
      generations(parts, std::move(snapshot)) {
  parts.reactor.on_event([](void* state) { return static_cast<WorkerState*>(state)->refresh(); }, this);
}

void WorkerState::arm(Timer& timer, Clock::duration after) noexcept {
  wheel.arm(timer, now_ + after);
  if (const auto next = wheel.wake_at()) clock.wake_by(*next);
}

WorkerState::~WorkerState() {
  drop_all();
}

void WorkerState::drop_all() noexcept {
  parts.loop.disarm(deadline_);
  mailbox.run_all();
  while (sessions_)
    sessions_->shut_down();
  while (connections_)
    connections_->shut_down();
  listeners.clear();
}

void WorkerState::add_listener(std::unique_ptr<Listener> listener) {
  if (draining_) return;
  if (listener->begin()) return listeners.push_back(std::move(listener));
  parts.log.write({.level = middleware::LogLevel::error,
                   .message = "a worker cannot serve a listener: no descriptor or memory left for it"});
}

// A client whose connection the kernel has made may have sent its request already.
void WorkerState::remove_listener(std::uint32_t id) noexcept {
  const auto is_it = [id](const auto& each) { return each->id() == id; };
  for (const auto& each : listeners)
    if (is_it(each)) each->accept_all();
  std::erase_if(listeners, is_it);
  for (Http2Session* each = sessions_; each;) {
    Http2Session* const following = each->next;
    if (each->listener() == id) each->drain();
    each = following;
  }
}

void WorkerState::add(Connection& connection) noexcept {
  if (connection.has_socket()) parts.metrics.active_connections.add();
  link(connections_, connection);
}

void WorkerState::add(Http2Session& session) noexcept {
  parts.metrics.active_connections.add();
  link(sessions_, session);
}

void WorkerState::remove(Http2Session& session) noexcept {
  parts.metrics.active_connections.subtract();
  unlink(sessions_, session);
  if (draining_) end_if_drained();
}

void WorkerState::remove(Connection& connection) noexcept {
  if (connection.has_socket()) parts.metrics.active_connections.subtract();
  unlink(connections_, connection);
  if (draining_) end_if_drained();
}

// The one used last may still be on the stack, so surplus is dropped from the other end.
Transaction& WorkerState::take_transaction() {
  if (free_.size() > kMostFree) free_.erase(free_.begin());
  if (free_.empty()) return *new Transaction(*this);
  Transaction* last = free_.back().release();
  free_.pop_back();
  return *last;
}

void WorkerState::give_back(Transaction& transaction) noexcept {
  free_.emplace_back(&transaction);
}

void WorkerState::begin_drain(Clock::duration patience, Idle idle) noexcept {
  if (draining_) return;
  for (const auto& listener : listeners)
    listener->accept_all();  // as in remove_listener()
  draining_ = true;
  listeners.clear();
  generations.close_idle();
  for (Connection* each = connections_; each;) {
    Connection* next = each->next;
    each->drain(idle);
    each = next;
  }
  for (Http2Session* each = sessions_; each;) {
    Http2Session* const following = each->next;
    each->drain();
    each = following;
  }
  parts.loop.arm(deadline_, patience);
  end_if_drained();
}

void WorkerState::end_if_drained() noexcept {
  if (!connections_ && !sessions_) parts.reactor.context().io.stop();
}

void WorkerState::stop_now() noexcept {
  parts.reactor.context().io.stop();
}

Worker::Worker(const WorkerOptions& options, std::shared_ptr<const Snapshot> snapshot)
    : state_(std::make_unique<WorkerState>(options, std::move(snapshot))) {}

Worker::~Worker() = default;

void Worker::drop_all() noexcept {
  state_->drop_all();
}

void Worker::add_listener(const ListenerOptions& options, BoundSocket socket) {
  auto listener = std::make_unique<Listener>(*state_, options, std::move(socket));
  post(errand(
      [state = state_.get(), listener = std::move(listener)]() mutable { state->add_listener(std::move(listener)); }));
}

void Worker::change_listener(const ListenerOptions& options) {
  post(errand([state = state_.get(), options] {
    for (const auto& each : state->listeners)
      if (each->id() == options.id) each->change(options);
  }));
}

void Worker::remove_listener(std::uint32_t id) {
  post(errand([state = state_.get(), id] { state->remove_listener(id); }));
}

std::optional<std::vector<ListenerCopy>> Worker::copy_listeners(Clock::duration patience) {
  const auto answer = std::make_shared<std::promise<std::vector<ListenerCopy>>>();
  auto copies = answer->get_future();
  post(errand([state = state_.get(), answer] {
    std::vector<ListenerCopy> made;
    for (const auto& each : state->listeners)
      made.push_back({each->id(), each->copy()});
    answer->set_value(std::move(made));
  }));
  if (copies.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return copies.get();
}

void Worker::set_listener_file(std::uint32_t id, std::optional<SocketFile> file) {
  post(errand([state = state_.get(), id, file = std::move(file)] {
    for (const auto& each : state->listeners)
      if (each->id() == id) each->set_file(file);
  }));
}

void Worker::run() {
  state_->parts.reactor.context().io.run();
}

void Worker::adopt(std::shared_ptr<const Snapshot> snapshot) {
  post(errand([state = state_.get(), snapshot = std::move(snapshot)]() mutable {
    state->generations.adopt(std::move(snapshot));
  }));
}

void Worker::close_drained() {
  post(errand([state = state_.get()] { state->generations.close_drained(); }));
}

void Worker::call(std::function<void()> work) {
  post(errand(std::move(work)));
}

void Worker::drain(Clock::duration patience, Idle idle) {
  post(errand([state = state_.get(), patience, idle] { state->begin_drain(patience, idle); }));
}

void Worker::stop() {
  post(errand([state = state_.get()] { state->stop_now(); }));
}

const Metrics& Worker::metrics() const noexcept {
  return state_->parts.metrics;
}

std::uint32_t Worker::index() const noexcept {
  return state_->index();
}

Clock::time_point Worker::now() const noexcept {
  return state_->now();
}

Clock::time_point Worker::refresh() noexcept {
  return state_->refresh();
}

std::chrono::system_clock::time_point Worker::wall() noexcept {
  return state_->wall();
}

void Worker::arm(Timer& timer, Clock::duration after) noexcept {
  state_->arm(timer, after);
}

void Worker::disarm(Timer& timer) noexcept {
  state_->disarm(timer);
}

bool Worker::put_off(TurnEnd& end) noexcept {
  return state_->put_off(end);
}

void Worker::forget(TurnEnd& end) noexcept {
  state_->forget(end);
}

bool Worker::listen(int fd, std::shared_ptr<Bell> bell) noexcept {
  return state_->listen(fd, std::move(bell));
}

void Worker::post(Task& task) noexcept {
  state_->post(task);
}

}  // namespace lingate::http
