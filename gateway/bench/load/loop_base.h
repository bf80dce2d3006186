// LoopBase: what the two loops share: their connections, the clock, time-outs, and when it is over.
//
// Thread: the loop's. Lifetime: one run.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

#include "gateway/bench/load/client.h"
#include "gateway/bench/load/loop.h"

namespace lingate::bench {

class LoopBase : private Client::Owner {
 public:
  using Time = LoadClock::time_point;

  LoopBase(const LoopPlan& plan, const LoopProgress& progress) : plan_(plan), progress_(progress) {}

  LoopResult run();

 protected:
  ~LoopBase() = default;

  virtual void begin() = 0;                // all are connected
  virtual void ready(Client& client) = 0;  // to send, while running()
  virtual bool done(Time now) = 0;         // asked every now and then

  void add_client();
  void stop() { context_.stop(); }

  const LoopPlan& plan_;
  boost::asio::io_context context_{1};
  LoopResult result_;
  std::vector<std::unique_ptr<Client>> clients_;
  Time began_{};
  Time end_{};  // of the measured time

 private:
  void connected(Client& client) override;
  void answered(Client& client, Time began, Time now) override;
  void failed(Client& client, const Fault& fault) override;
  void tick();
  void start();

  const LoopProgress& progress_;
  boost::asio::steady_timer ticker_{context_};
  std::size_t awaited_ = 0;  // connections before it begins
  bool running_ = false;
};

}  // namespace lingate::bench
