// Stage: one script loaded into the JavaScript room, calls given to it as the pool would (a Watch around each, settle()
// after a fire), verdicts read with the official classes.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin.pb.h"
#include "runtimes/duktape/duktape.h"
#include "runtimes/watchdog.h"
#include "tests/support/room_calls.h"

namespace lingate::runtimes::duktape::test {

struct Logged {
  LogLevel level;
  std::string message;
  std::string fields;
  void* tag;
};

class Recorder final : public Host {
 public:
  void log(LogLevel level, std::string_view message, std::string_view fields, void* tag) noexcept override {
    lines.push_back({level, std::string(message), std::string(fields), tag});
  }
  std::vector<Logged> lines;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

inline plugin::Call call(const Headers& headers = {}) {
  plugin::Call it;
  auto& request = *it.mutable_request();
  request.set_id("r-1");
  request.set_method("GET");
  request.set_scheme("http");
  request.set_host("api.example.com");
  request.set_path("/users/7");
  request.set_query("a=1&b=2");
  request.set_version("1.1");
  request.set_route("users");
  request.mutable_client()->set_ip("192.0.2.7");
  request.mutable_client()->set_port(4711);
  for (const auto& [name, value] : headers) {
    auto& header = *request.add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  return it;
}

inline void add_session(plugin::Call& it) {
  auto& session = *it.mutable_session();
  session.set_id("s-1");
  session.set_alias("ann");
  session.add_tags("gold");
  auto& member = *session.mutable_metadata()->add_members();
  member.set_name("user");
  member.mutable_value()->set_text("ann@example.com");
  session.set_rate(10);
}

class Stage {
 public:
  explicit Stage(std::string source, std::uint64_t memory = 64 * 1024 * 1024) {
    script.path = "scripts/test.js";
    script.source = std::move(source);
    script.memory = memory;
    script.limits.request_body = true;
    script.limits.response_body = true;
  }

  // Loads at the first use, so that a test can change the script before.
  Instance& instance() {
    if (!instance_) {
      auto loaded = runtime->load(script, host);
      EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message) << " line " << (loaded ? 0 : loaded.error().line);
      if (!loaded) throw std::runtime_error("the script does not load");
      instance_ = std::move(*loaded);
    }
    return *instance_;
  }

  LoadError load_error() {
    auto loaded = runtime->load(script, host);
    EXPECT_FALSE(loaded);
    return loaded ? LoadError{} : loaded.error();
  }

  using Done = runtimes::test::RoomCalls::Done;
  Done start(CallId id, Hook hook, const plugin::Call& it) {
    const std::string bytes = it.SerializeAsString();
    return guarded([&](Instance& on) { return calls_.start(on, id, hook, bytes, this); });
  }

  Done resume(CallId id, std::string_view error = {}) {
    return guarded([&](Instance& on) { return calls_.resume(on, id, HostResult{error}); });
  }

  // start() to the end, no suspension.
  plugin::Verdict run(const plugin::Call& it, Hook hook = Hook::request) {
    const Done progress = start(1, hook, it);
    EXPECT_EQ(progress.state, Progress::State::finished);
    return read(progress);
  }

  plugin::Verdict run() { return run(call()); }

  static plugin::Verdict read(const Done& progress) {
    plugin::Verdict verdict;
    EXPECT_TRUE(verdict.ParseFromArray(progress.verdict.data(), static_cast<int>(progress.verdict.size())));
    return verdict;
  }

  Watchdog watchdog;
  Recorder host;
  std::unique_ptr<Runtime> runtime = make_duktape(watchdog);
  Script script;
  std::chrono::nanoseconds budget = std::chrono::seconds(60);  // generous: the machine may be busy

 private:
  template <class Work>
  Done guarded(Work work) {
    Instance& on = instance();
    Watch watch(watchdog, on);
    watch.arm(Clock::now() + budget);
    const Done progress = work(on);
    if (watch.disarm()) on.settle();
    return progress;
  }

  runtimes::test::RoomCalls calls_{{.request_body = true, .response_body = true}};
  std::unique_ptr<Instance> instance_;
};

// The body of a request hook, and the failure that it ends in.
inline std::string hook(const std::string& body) {
  return "var lingate = require('lingate');\nexports.request = function (req, ctx) {\n" + body + "\n};\n";
}

// Runs a hook's body that is expected to return lingate.respond(200, text); its text, or the failure.
inline std::string answer(const std::string& body, const plugin::Call& it = call()) {
  Stage stage(hook(body));
  const plugin::Verdict verdict = stage.run(it);
  if (verdict.has_failure()) return "FAILURE " + verdict.failure().message();
  return verdict.has_answer() ? verdict.answer().body() : "NO ANSWER";
}

}  // namespace lingate::runtimes::duktape::test
