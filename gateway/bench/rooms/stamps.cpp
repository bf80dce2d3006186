#include "gateway/bench/rooms/stamps.h"

#include <utility>

namespace lingate::bench {
namespace {

using runtimes::CallId;
using runtimes::HostResult;
using runtimes::Progress;

class StampedHost final : public runtimes::Host {
 public:
  StampedHost(runtimes::Host& inner, Stamps& stamps) : inner_(inner), stamps_(stamps) {}

  void log(runtimes::LogLevel level, std::string_view message, std::string_view fields,
           void* call_tag) noexcept override {
    if (level != runtimes::LogLevel::debug) return inner_.log(level, message, fields, call_tag);
    if (stamps_.count == 0) return;
    Stamps::Call& call = stamps_.calls[stamps_.count - 1];
    if (call.logged < Stamps::kLogs) call.logs[call.logged++] = Clock::now();
  }

 private:
  runtimes::Host& inner_;
  Stamps& stamps_;
};

class StampedInstance final : public runtimes::Instance {
 public:
  StampedInstance(std::unique_ptr<StampedHost> host, std::unique_ptr<Instance> inner, Stamps& stamps)
      : host_(std::move(host)), inner_(std::move(inner)), stamps_(stamps) {}

  const runtimes::HookSet& hooks() const noexcept override { return inner_->hooks(); }
  std::vector<std::string> dependencies() const override { return inner_->dependencies(); }

  Progress start(CallId id, runtimes::CallView& call, void* tag) noexcept override {
    if (stamps_.count == Stamps::kCalls) stamps_.clear();
    Stamps::Call& mine = stamps_.calls[stamps_.count++];
    mine.logged = 0;
    mine.in = Clock::now();
    const Progress progress = inner_->start(id, call, tag);
    mine.out = Clock::now();
    return progress;
  }
  Progress resume(CallId id, const HostResult& result) noexcept override {
    const Progress progress = inner_->resume(id, result);
    if (stamps_.count != 0) stamps_.calls[stamps_.count - 1].out = Clock::now();
    return progress;
  }

  void cancel(CallId id) noexcept override { inner_->cancel(id); }
  void interrupt() noexcept override { inner_->interrupt(); }
  void settle() noexcept override { inner_->settle(); }
  bool usable() const noexcept override { return inner_->usable(); }
  runtimes::InstanceMemory memory() const noexcept override { return inner_->memory(); }
  bool idle_step() noexcept override { return inner_->idle_step(); }

 private:
  const std::unique_ptr<StampedHost> host_;  // outlives the instance
  const std::unique_ptr<Instance> inner_;
  Stamps& stamps_;
};

}  // namespace

Result<std::unique_ptr<runtimes::Instance>, runtimes::LoadError> Stamped::load(const runtimes::Script& script,
                                                                               runtimes::Host& host) {
  auto watching = std::make_unique<StampedHost>(host, stamps_);
  auto loaded = inner_.load(script, *watching);
  if (!loaded) return fail(std::move(loaded.error()));
  return std::make_unique<StampedInstance>(std::move(watching), std::move(*loaded), stamps_);
}

}  // namespace lingate::bench
