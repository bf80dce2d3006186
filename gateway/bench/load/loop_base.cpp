#include "gateway/bench/load/loop_base.h"

#include <time.h>

#include <algorithm>

namespace lingate::bench {
namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::uint64_t kMostErrors = 100;  // then it is known, and more only burden the server

std::chrono::nanoseconds processor_time_of_thread() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

double ratio(std::chrono::nanoseconds part, std::chrono::nanoseconds whole) noexcept {
  return whole.count() <= 0 ? 0 : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

LoopResult LoopBase::run() {
  awaited_ = plan_.connections;
  for (unsigned k = 0; k < plan_.connections && !context_.stopped(); ++k)
    add_client();
  tick();
  const Time before = LoadClock::now();
  const auto used_before = processor_time_of_thread();
  context_.run();
  result_.busy = ratio(processor_time_of_thread() - used_before, LoadClock::now() - before);
  result_.connections = clients_.size();
  for (const auto& client : clients_)
    result_.reconnects += client->reconnects();
  return std::move(result_);
}

void LoopBase::add_client() {
  Client::Owner& owner = *this;
  clients_.push_back(std::make_unique<Client>(context_, plan_.target, owner));
  clients_.back()->connect();
}

void LoopBase::start() {
  running_ = true;
  began_ = LoadClock::now();
  end_ = began_ + plan_.warmup + plan_.duration;
  result_.tally.measure(began_ + plan_.warmup, plan_.duration);
  begin();
}

void LoopBase::connected(Client& client) {
  if (running_) return ready(client);
  if (--awaited_ == 0) start();
}

void LoopBase::answered(Client& client, Time began, Time now) {
  result_.tally.answered(began, now);
  ready(client);
}

// A server that lets no connection in at the start will not be better later.
void LoopBase::failed(Client& client, const Fault& fault) {
  result_.tally.failed(fault);
  if (!running_ || result_.tally.errors() >= kMostErrors) return stop();
  ready(client);
}

void LoopBase::tick() {
  const Time now = LoadClock::now();
  for (std::size_t k = 0; k < clients_.size(); ++k)  // a time-out may add a client
    clients_[k]->check(now);
  if (running_) progress_(std::min(1.0, ratio(now - began_, end_ - began_)));
  if (running_ && done(now)) stop();
  if (context_.stopped()) return;
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](boost::system::error_code failed) {
    if (!failed) tick();
  });
}

}  // namespace lingate::bench
