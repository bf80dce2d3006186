// A script step of the echo room on a real pool, made from settings as the composition root makes it.
#pragma once

#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "middleware/builtin.h"
#include "middleware/script_pools.h"
#include "runtimes/echo/echo.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {

class ScriptFolder {
 public:
  ScriptFolder() {
    std::string pattern = "/tmp/lingate-scripts-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScriptFolder() {
    for (const std::string& file : files_)
      ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }
  std::string write(std::string_view name, std::string_view source) {
    files_.push_back(path_ + "/" + std::string(name));
    std::ofstream(files_.back()) << source;
    return files_.back();
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

struct ScriptOptions {
  std::string isolation = "inline";
  std::string on_error = "deny";
  std::string body{};
  std::string config{};
  bool loaded = false;  // the loop is
};

class ScriptStage {
 public:
  explicit ScriptStage(const std::vector<std::string>& sources, const ScriptOptions& options = {}) {
    std::vector<const Middleware*> chain;
    for (const std::string& source : sources) {
      auto made = make(source, options);
      EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
      if (!made) continue;
      steps.push_back(std::move(*made));
      chain.push_back(steps.back().get());
    }
    stage = std::make_unique<Stage>(std::move(chain));
    if (options.loaded) stage->host.fake_loop.load();
  }
  ~ScriptStage() {
    stage->exchange.end();
    pools.reset();  // before the loop and the steps, as a snapshot does it
  }

  MadeStep make(const std::string& source, const ScriptOptions& options) {
    const std::string file = folder.write("s" + std::to_string(++count) + ".echo", source);
    return make_of(file, options);
  }
  MadeStep make_of(const std::string& file, const ScriptOptions& options) {
    Settings::Map map{{"file", Settings(file)},
                      {"runtime", Settings(std::string("echo"))},
                      {"isolation", Settings(options.isolation)},
                      {"on_error", Settings(options.on_error)},
                      {"budget", Settings(Settings::Duration(std::chrono::milliseconds(100)))},
                      {"max_body", Settings(ByteSize{1000})}};
    if (!options.body.empty()) map.emplace_back("body", Settings(options.body));
    if (!options.config.empty()) map.emplace_back("config", Settings(options.config));
    return find_step("script")->make(Settings(std::move(map)), {.workers = 1, .scripts = pools.get()});
  }

  // As a connection drives a chain; the upstream answers `status` if nobody else does.
  std::uint16_t run(std::uint16_t status = 200) {
    Exchange& it = exchange();
    if (it.run.request() == ChainRun::Answer::wait) wait_for(stage->host.request_overs);
    if (it.response.source == Response::Source::none) stage->upstream(status);
    if (it.run.response() == ChainRun::Answer::wait) wait_for(stage->host.response_overs);
    it.run.log();
    return it.response.status;
  }
  void wait_for(int& overs) {
    const int before = overs;
    EXPECT_TRUE(stage->host.fake_loop.run_until([&] { return overs != before; }));
  }

  Exchange& exchange() { return stage->exchange; }
  std::vector<MemoryLog::Entry> faults() const { return stage->host.memory_log.entries(); }

  ScriptFolder folder;
  runtimes::Watchdog watchdog;
  std::unique_ptr<runtimes::Runtime> echo = runtimes::echo::make_echo(watchdog);
  MemoryLog script_log;
  std::unique_ptr<ScriptPools> pools = std::make_unique<ScriptPools>(ScriptPoolsOptions{
      .runtimes = {echo.get()}, .watchdog = &watchdog, .log = &script_log, .workers = 1, .limits = {}});
  std::vector<std::unique_ptr<const Middleware>> steps;
  std::unique_ptr<Stage> stage;
  int count = 0;
};

}  // namespace lingate::middleware
