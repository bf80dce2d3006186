#include "gateway/bench/load/loop_base.h"

namespace lingate::bench {
namespace {

class ClosedLoop final : public LoopBase {
 public:
  using LoopBase::LoopBase;

 private:
  void begin() override {
    for (const auto& client : clients_)
      ready(*client);
  }

  void ready(Client& client) override {
    const Time now = LoadClock::now();
    if (now < end_)
      client.send(now);
    else if (++resting_ == clients_.size())
      stop();
  }

  bool done(Time) override { return false; }

  std::size_t resting_ = 0;
};

}  // namespace

LoopResult run_closed(const LoopPlan& plan, const LoopProgress& progress) {
  return ClosedLoop(plan, progress).run();
}

}  // namespace lingate::bench
