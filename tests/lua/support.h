// A script in the Lua room as the tests use it: loaded from text, called with messages of the official classes, stopped
// by a watchdog as the pool does it.
#pragma once

#include <gtest/gtest.h>
#include <time.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/plugin.pb.h"
#include "runtimes/lua/lua.h"
#include "runtimes/watchdog.h"
#include "tests/support/room_calls.h"

namespace lingate::runtimes::lua {

class RecordingHost final : public Host {
 public:
  struct Entry {
    LogLevel level;
    std::string message;
    std::string fields;
    void* tag;
  };
  void log(LogLevel level, std::string_view message, std::string_view fields, void* tag) noexcept override {
    entries.push_back({level, std::string(message), std::string(fields), tag});
  }
  std::vector<Entry> entries;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

inline plugin::Call request_call(const Fields& headers = {}) {
  plugin::Call call;
  call.set_hook(plugin::HOOK_REQUEST);
  plugin::Request& request = *call.mutable_request();
  request.set_id("r-1");
  request.set_method("GET");
  request.set_scheme("http");
  request.set_host("example.com");
  request.set_path("/users/7");
  request.set_query("a=1");
  request.set_version("1.1");
  request.set_route("users");
  request.mutable_client()->set_ip("10.0.0.1");
  request.mutable_client()->set_port(4711);
  for (const auto& [name, value] : headers) {
    plugin::Header& header = *request.add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  return call;
}

inline plugin::Call response_call(const Fields& headers = {}, std::uint32_t status = 200) {
  plugin::Call call = request_call();
  call.set_hook(plugin::HOOK_RESPONSE);
  call.mutable_response()->set_status(status);
  for (const auto& [name, value] : headers) {
    plugin::Header& header = *call.mutable_response()->add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  return call;
}

inline plugin::Session& with_session(plugin::Call& call, const std::string& id = "s-1") {
  call.mutable_session()->set_id(id);
  return *call.mutable_session();
}

inline plugin::Member& set_text(plugin::Members& members, const std::string& name, const std::string& text) {
  plugin::Member& member = *members.add_members();
  member.set_name(name);
  member.mutable_value()->set_text(text);
  return member;
}

class Loaded {
 public:
  struct Options {
    std::chrono::nanoseconds budget = std::chrono::seconds(20);
    std::uint64_t memory = 64 << 20;
    std::string config;
    std::string path = "scripts/test.lua";
    std::chrono::nanoseconds init_budget = std::chrono::seconds(5);
    ScriptLimits limits = {.request_body = true, .response_body = true};
  };

  explicit Loaded(std::string source) : Loaded(std::move(source), Options{}) {}
  Loaded(std::string source, Options options) : options_(std::move(options)), runtime_(make_lua(watchdog_)) {
    Script script;
    script.path = options_.path;
    script.source = std::move(source);
    script.config = options_.config;
    script.memory = options_.memory;
    script.limits = options_.limits;
    script.init_budget = options_.init_budget;
    auto made = runtime_->load(script, host);
    if (!made) {
      error = std::move(made.error());
      return;
    }
    instance = std::move(*made);
    watch_ = std::make_unique<Watch>(watchdog_, *instance);
  }
  ~Loaded() { watch_.reset(); }

  // Source of the request hook's body alone.
  static std::string request_hook(const std::string& body) {
    return "local M = {}\nfunction M.request(req, ctx)\n" + body + "\nend\nreturn M\n";
  }

  using Done = test::RoomCalls::Done;
  Done start(const plugin::Call& call, CallId id = 1, void* tag = nullptr) {
    const std::string input = call.SerializeAsString();
    return guarded([&] { return calls_.start(*instance, id, static_cast<Hook>(call.hook()), input, tag); });
  }
  Done resume(CallId id, const HostResult& result = {}) {
    return guarded([&] { return calls_.resume(*instance, id, result); });
  }

  plugin::Verdict call(const plugin::Call& call, CallId id = 1) {
    const Done progress = start(call, id);
    EXPECT_EQ(progress.state, Progress::State::finished);
    return parse(progress.verdict);
  }
  plugin::Verdict call() { return this->call(request_call()); }

  static plugin::Verdict parse(std::string_view bytes) {
    plugin::Verdict verdict;
    EXPECT_TRUE(verdict.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return verdict;
  }

  RecordingHost host;
  LoadError error;
  std::unique_ptr<Instance> instance;
  std::chrono::nanoseconds ran{};  // processor time of the last start or resume
  bool fired = false;

 private:
  static std::chrono::nanoseconds thread_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  template <class Run>
  Done guarded(Run run) {
    const auto begin = thread_time();
    watch_->arm(Clock::now() + options_.budget);
    const Done progress = run();
    fired = watch_->disarm();
    ran = thread_time() - begin;
    if (fired) instance->settle();
    return progress;
  }

  Options options_;
  Watchdog watchdog_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Watch> watch_;
  test::RoomCalls calls_{options_.limits};
};

// What a hook whose body is `body` answers with respond(200, value): the JSON text.
inline std::string json_of(const std::string& body, const plugin::Call& call = request_call()) {
  Loaded script(Loaded::request_hook(body));
  EXPECT_TRUE(script.instance) << script.error.message;
  if (!script.instance) return "not loaded: " + script.error.message;
  const plugin::Verdict verdict = script.call(call);
  if (verdict.has_failure()) return "failed: " + verdict.failure().message();
  return verdict.answer().body();
}

// How a hook whose body is `body` fails: the message.
inline std::string failure_of(const std::string& body, const plugin::Call& call = request_call()) {
  Loaded script(Loaded::request_hook(body));
  EXPECT_TRUE(script.instance) << script.error.message;
  if (!script.instance) return "not loaded: " + script.error.message;
  const plugin::Verdict verdict = script.call(call);
  return verdict.has_failure() ? verdict.failure().message() : "no failure";
}

}  // namespace lingate::runtimes::lua
