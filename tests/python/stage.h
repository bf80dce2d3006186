// Stage: a folder for scripts, a watchdog, the Python runtime and a host that writes down what is logged; what every
// test of the room stands on. Calls are built, and verdicts read, with the official protobuf classes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "plugin.pb.h"
#include "runtimes/python/python.h"
#include "tests/support/room_calls.h"

namespace lingate::runtimes::python {

struct Logged {
  LogLevel level;
  std::string message;
  std::string fields;
  void* tag;
};

class RecordingHost final : public Host {
 public:
  void log(LogLevel level, std::string_view message, std::string_view fields, void* tag) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(message), std::string(fields), tag});
  }
  std::vector<Logged> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Logged> lines_;
};

struct LoadOptions {
  std::string name = "script.py";
  plugin::Value config{};
  std::uint64_t memory = std::uint64_t{64} << 20;
  std::chrono::nanoseconds init_budget = std::chrono::seconds(5);
  bool bodies = true;
};

class Stage : public ::testing::Test {
 protected:
  Stage() {
    std::string pattern = ::testing::TempDir() + "lingate-python-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Stage() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const auto place = folder_ / name;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place) << text;
    return place;
  }

  Result<std::unique_ptr<Instance>, LoadError> try_load(const std::string& source, const LoadOptions& options = {}) {
    Script script;
    script.path = write(options.name, source);
    script.source = source;
    if (options.config.kind_case() != plugin::Value::KIND_NOT_SET) script.config = options.config.SerializeAsString();
    script.memory = options.memory;
    script.init_budget = options.init_budget;
    script.limits.request_body = script.limits.response_body = options.bodies;
    auto made = runtime_->load(script, host_);
    if (made) {
      const std::lock_guard lock(calls_mutex_);
      calls_.erase(made->get());
      calls_.try_emplace(made->get(), script.limits);
    }
    return made;
  }

  std::unique_ptr<Instance> load(const std::string& source, const LoadOptions& options = {}) {
    auto made = try_load(source, options);
    if (made) return *std::move(made);
    ADD_FAILURE() << made.error().file << ":" << made.error().line << ": " << made.error().message;
    return nullptr;
  }

  // A request with a few headers; what a test is about it adds.
  static plugin::Call a_call(plugin::Hook hook = plugin::HOOK_REQUEST) {
    plugin::Call call;
    call.set_hook(hook);
    auto& request = *call.mutable_request();
    request.set_id("id-1");
    request.set_method("GET");
    request.set_scheme("http");
    request.set_host("api.example.com");
    request.set_path("/users/7");
    request.set_query("a=1");
    request.set_version("1.1");
    request.set_route("users");
    request.mutable_client()->set_ip("10.0.0.9");
    request.mutable_client()->set_port(4711);
    add_line(*request.add_params(), "id", "7");
    add_line(*request.add_headers(), "Host", "api.example.com");
    add_line(*request.add_headers(), "X-Key", "abc");
    add_line(*request.add_headers(), "Accept", "a");
    add_line(*request.add_headers(), "accept", "b");
    request.set_body("{\"n\": 1}");
    if (hook != plugin::HOOK_REQUEST) {
      call.mutable_response()->set_status(200);
      add_line(*call.mutable_response()->add_headers(), "Content-Type", "text/plain");
      call.mutable_response()->set_body("hello");
    }
    return call;
  }

  static void add_line(plugin::Header& line, const std::string& name, const std::string& value) {
    line.set_name(name);
    line.set_value(value);
  }

  static void add_session(plugin::Call& call) {
    auto& session = *call.mutable_session();
    session.set_id("s-1");
    session.set_org("acme");
    session.add_tags("gold");
    session.set_rate(10);
    auto& member = *session.mutable_metadata()->add_members();
    member.set_name("user");
    member.mutable_value()->set_text("ann");
  }

  struct Outcome {
    Progress::State state = Progress::State::finished;
    plugin::Verdict verdict;
    HostOperation operation;
    bool fired = false;
    std::chrono::nanoseconds took{};
  };

  Outcome start(Instance& instance, const plugin::Call& call, CallId id = 1,
                std::chrono::nanoseconds budget = std::chrono::seconds(10), void* tag = nullptr) {
    const std::string input = call.SerializeAsString();
    test::RoomCalls& calls = calls_of(instance);
    return guarded(instance, budget,
                   [&] { return calls.start(instance, id, static_cast<Hook>(call.hook()), input, tag); });
  }

  Outcome resume(Instance& instance, CallId id, std::string_view error = {},
                 std::chrono::nanoseconds budget = std::chrono::seconds(10)) {
    test::RoomCalls& calls = calls_of(instance);
    return guarded(instance, budget, [&] { return calls.resume(instance, id, {.error = error}); });
  }

  plugin::Verdict run(Instance& instance, const plugin::Call& call,
                      std::chrono::nanoseconds budget = std::chrono::seconds(10)) {
    Outcome outcome = start(instance, call, 1, budget);
    EXPECT_EQ(outcome.state, Progress::State::finished);
    return outcome.verdict;
  }

  // Runs one request() whose body is `body`.
  plugin::Verdict run(const std::string& body, const plugin::Call& call = a_call()) {
    auto instance = load("import lingate\n" + hook_around(body));
    return instance ? run(*instance, call) : plugin::Verdict();
  }

  static std::string hook_around(const std::string& body, const std::string& head = "def request(req, ctx):") {
    std::string text = head + "\n    ";
    for (const char c : body) {
      text += c;
      if (c == '\n') text += "    ";
    }
    return text + "\n";
  }

  // The JSON that request() answers when it returns respond(200, [expression]).
  std::string eval(const std::string& expression, const plugin::Call& call = a_call()) {
    const plugin::Verdict verdict = run("return lingate.respond(200, [" + expression + "])", call);
    if (verdict.has_failure()) return "failure: " + verdict.failure().message();
    return verdict.answer().body();
  }

  Watchdog watchdog_{std::chrono::milliseconds(1)};
  RecordingHost host_;
  std::unique_ptr<Runtime> runtime_ = make_python(watchdog_);
  std::filesystem::path folder_;

 private:
  template <class Step>
  Outcome guarded(Instance& instance, std::chrono::nanoseconds budget, Step&& step) {
    Watch watch(watchdog_, instance);
    const auto begin = std::chrono::steady_clock::now();
    watch.arm(begin + budget);
    const test::RoomCalls::Done progress = step();
    Outcome outcome;
    outcome.took = std::chrono::steady_clock::now() - begin;
    outcome.fired = watch.disarm();
    outcome.state = progress.state;
    outcome.operation = progress.operation;
    const auto size = static_cast<int>(progress.verdict.size());
    const bool parsed = outcome.verdict.ParseFromArray(progress.verdict.data(), size);
    EXPECT_TRUE(parsed);
    if (outcome.fired) instance.settle();
    return outcome;
  }

  // Tests may run instances on several threads.
  test::RoomCalls& calls_of(Instance& instance) {
    const std::lock_guard lock(calls_mutex_);
    return calls_.try_emplace(&instance).first->second;
  }

  std::mutex calls_mutex_;
  std::map<const Instance*, test::RoomCalls> calls_;
};

}  // namespace lingate::runtimes::python
