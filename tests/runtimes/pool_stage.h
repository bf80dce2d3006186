// What the pool's tests stand on: a runtime whose calls do what their input says, and calls that remember how they
// ended.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/call_view.h"
#include "runtimes/pool.h"
#include "runtimes/wire_verdict.h"
#include "tests/runtimes/test_loop.h"

namespace lingate::runtimes::test {

using namespace std::chrono_literals;
using lingate::test::TestLoop;

// A gate that blocked calls stand at, deaf to interrupts, until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
    changed_.notify_all();
  }
  bool someone_waits() {
    const std::lock_guard lock(mutex_);
    return waiting_ > 0;
  }
  void wait_for_someone() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

struct Levers {
  Gate gate;
  std::atomic<int> loads{0};
  std::atomic<int> instances{0};
  std::atomic<int> failing_loads{0};  // so many loads from now on fail
  std::atomic<int> interrupts{0};
  std::atomic<int> cancels{0};
  std::atomic<int> idle_steps{0};
  std::atomic<int> idle_steps_wanted{1};  // until there is nothing left to tidy up
  std::atomic<bool> independent{true};
};

// The call's context is words: "spin" (until interrupted), "linger" (so, and goes on), "sleep" (suspend for 1 ms),
// "sleep-long" (for 1000 s), "block" (at the gate), "break" (unusable from now on), "fail"; then it answers with the
// input as body.
class TestInstance final : public Instance {
 public:
  explicit TestInstance(Levers& script) : script_(script) { ++script_.instances; }
  ~TestInstance() override { --script_.instances; }

  const HookSet& hooks() const noexcept override { return hooks_; }
  std::vector<std::string> dependencies() const override { return {}; }

  Progress start(CallId id, CallView& view, void*) noexcept override {
    calls_[id] = {view.context(), view.context(), &view};
    return go_on(calls_[id]);
  }
  Progress resume(CallId id, const HostResult&) noexcept override { return go_on(calls_.at(id)); }
  void cancel(CallId id) noexcept override {
    ++script_.cancels;
    calls_.erase(id);
  }
  void interrupt() noexcept override {
    ++script_.interrupts;
    interrupted_ = true;
  }
  void settle() noexcept override { interrupted_ = false; }
  bool usable() const noexcept override { return usable_; }
  InstanceMemory memory() const noexcept override { return {1000, 10000}; }
  bool idle_step() noexcept override { return ++script_.idle_steps < script_.idle_steps_wanted; }

 private:
  struct Call {
    std::string_view input, rest;
    CallView* view = nullptr;
  };

  Progress go_on(Call& call) noexcept {
    while (!call.rest.empty()) {
      const std::size_t end = std::min(call.rest.find(' '), call.rest.size());
      const std::string_view word = call.rest.substr(0, end);
      call.rest.remove_prefix(std::min(end + 1, call.rest.size()));
      if (word == "sleep") return {Progress::State::suspended, {HostOperation::Kind::sleep, 0.001}};
      if (word == "sleep-long") return {Progress::State::suspended, {HostOperation::Kind::sleep, 1000}};
      if (word == "block") script_.gate.pass();
      if (word == "break") usable_ = false;
      if (word == "fail") return fail(call, FailureKind::exception, "failed");
      while (word == "linger" && !interrupted_) {
      }
      while (word == "spin")
        if (interrupted_) return fail(call, FailureKind::timeout, "stopped");
    }
    if (call.view->answer({.status = 200, .kind = AnswerParts::Body::text, .body = call.input, .headers = {}})) abort();
    return {};
  }

  static Progress fail(Call& call, FailureKind kind, std::string_view message) {
    call.view->fail(kind, message);
    return {};
  }

  Levers& script_;
  HookSet hooks_{2, 2, HookSet::kAbsent};
  std::map<CallId, Call> calls_;
  std::atomic<bool> interrupted_{false};
  bool usable_ = true;
};

class TestRuntime final : public Runtime {
 public:
  std::string_view name() const noexcept override { return "test"; }
  std::string version() const override { return "test"; }
  std::vector<std::string_view> extensions() const override { return {}; }
  Result<std::unique_ptr<Instance>, LoadError> load(const Script&, Host&) override {
    ++script.loads;
    if (script.failing_loads.load() > 0) {
      --script.failing_loads;
      return lingate::fail(LoadError{FailureKind::exception, "no luck", "t.test", 7, {}});
    }
    return std::make_unique<TestInstance>(script);
  }
  bool independent() const noexcept override { return script.independent; }

  Levers script;
};

class TestHost final : public Host {
 public:
  void log(LogLevel, std::string_view message, std::string_view, void*) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(message);
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class TestCall final : public ScriptCall {
 public:
  explicit TestCall(std::string_view what = {}) : words(what) {
    proto::append_bytes(input, proto::call::kContext, what);
  }

  void completed() noexcept override {
    done = true;
    ++completions;
    take();
    if (then) then();
  }
  void take() {
    ok = verdict() != nullptr;
    if (!ok) return;
    body = verdict()->answer ? std::string(verdict()->answer->body) : std::string();
    failure = verdict()->failure ? verdict()->failure->kind : FailureKind{};
    message = verdict()->failure ? std::string(verdict()->failure->message) : std::string();
  }

  const std::string words;
  bool done = false;
  bool ok = false;
  int completions = 0;
  std::string body;
  FailureKind failure{};
  std::string message;
  std::function<void()> then;
};

struct Stage {
  explicit Stage(PoolOptions its_options) : options(its_options) {}

  RuntimePool& make() {
    auto made = RuntimePool::make(runtime, Script{.path = "t.test", .source = {}, .config = {}, .limits = {}}, options,
                                  host, watchdog);
    if (made) pool = std::move(*made);
    return *pool;
  }
  // Starts a call; one that finished at once looks like any other afterwards.
  bool start(TestCall& call) {
    if (pool->call(loop, call) == RuntimePool::Started::pending) return true;
    call.done = true;
    call.take();
    return false;
  }
  bool run(TestCall& call) {
    start(call);
    return loop.run_until([&] { return call.done; });
  }

  PoolOptions options;
  Watchdog watchdog{1ms};
  TestRuntime runtime;
  TestHost host;
  TestLoop loop;
  std::unique_ptr<RuntimePool> pool;
};

}  // namespace lingate::runtimes::test
