#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "gateway/bench/load/loop_base.h"
#include "gateway/bench/load/schedule.h"

namespace lingate::bench {
namespace {

// Requests that are due within it are sent together: waking up for each would cost more than it tells.
constexpr std::chrono::microseconds kApart{20};

class OpenLoop final : public LoopBase {
 public:
  OpenLoop(const LoopPlan& plan, double rate, const LoopProgress& progress) : LoopBase(plan, progress), rate_(rate) {}

 private:
  void begin() override {
    for (const auto& client : clients_)
      idle_.push_back(client.get());
    schedule_ = Schedule(began_, rate_);
    wait();
  }

  void ready(Client& client) override {
    idle_.push_back(&client);
    if (!queue_.empty()) send_due(LoadClock::now());
  }

  // What is queued at the end may still be sent, but not for ever.
  bool done(Time now) override {
    if (now < end_ || next_due() < end_) return false;
    if (!queue_.empty() && now - end_ >= plan_.target.timeout) {
      result_.tally.failed(behind(now), queue_.size());
      queue_.clear();
    }
    return queue_.empty() &&
           std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each->idle(); });
  }

  Time next_due() const { return schedule_.due(issued_); }

  void wait() {
    if (next_due() >= end_) return;
    waker_.expires_at(std::max(next_due(), LoadClock::now() + kApart));
    waker_.async_wait([this](boost::system::error_code failed) {
      if (failed) return;
      wake();
      wait();
    });
  }

  void wake() {
    const Time now = LoadClock::now();
    const std::uint64_t before = issued_;
    for (Time due = next_due(); due <= now && due < end_; due = next_due()) {
      queue_.push_back(due);
      ++issued_;
    }
    send_due(now);
    add_clients(std::min<std::uint64_t>(issued_ - before, queue_.size()));
  }

  void send_due(Time now) {
    while (!queue_.empty() && !idle_.empty()) {
      Client& client = *idle_.front();
      const Time due = queue_.front();
      idle_.pop_front();
      queue_.pop_front();
      result_.lateness.add(static_cast<double>((now - std::max(due, std::min(client.idle_since(), now))).count()));
      client.send(due);
    }
  }

  // One for each request that has just found none idle.
  void add_clients(std::uint64_t wanted) {
    for (; wanted != 0 && clients_.size() < plan_.most_connections; --wanted)
      add_client();
  }

  Fault behind(Time now) const {
    const std::chrono::duration<double> passed = now - began_;
    return {FaultKind::behind, fmt::format("of {:.0f}/s the server answered {:.0f}/s", rate_,
                                           static_cast<double>(result_.tally.answers()) / passed.count())};
  }

  const double rate_;
  Schedule schedule_{Time{}, 1};
  std::uint64_t issued_ = 0;
  std::deque<Time> queue_;  // due, and not yet sent
  std::deque<Client*> idle_;
  boost::asio::steady_timer waker_{context_};
};

}  // namespace

LoopResult run_open(const LoopPlan& plan, double rate, const LoopProgress& progress) {
  return OpenLoop(plan, rate, progress).run();
}

}  // namespace lingate::bench
