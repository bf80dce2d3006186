#include "gateway/program.h"

#include <cstdio>
#include <memory>

#include "gateway/gateway.h"
#include "gateway/open_store.h"
#include "gateway/service_manager.h"
#include "middleware/script_pools.h"
#include "runtimes/builtin.h"

namespace lingate {
namespace {

// Scripts log while they load; `check` reports what fails and nothing else.
class SilentLog final : public middleware::AppLog {
 public:
  bool wants(middleware::LogLevel) const noexcept override { return false; }
  void write(const middleware::AppEvent&) noexcept override {}
};

cli::ScriptProblem problem_of(const config::Step& step, const Error& error,
                              const std::optional<middleware::ScriptFault>& fault) {
  cli::ScriptProblem problem{.step = step.place, .code = error.code, .message = error.message, .file = {}, .stack = {}};
  if (!fault) return problem;
  problem.code = middleware::code_of(fault->error);
  problem.message = fault->error.message;
  problem.file = fault->error.file.empty() ? fault->file : fault->error.file;
  problem.line = fault->error.line;
  problem.stack = fault->error.stack;
  return problem;
}

}  // namespace

int WholeProgram::run(const config::Model& model, Watch watch) {
  auto inheritance = Inheritance::take();
  if (!inheritance) {
    std::fprintf(stderr, "lingate: %s\n", inheritance.error().c_str());
    return cli::kCannotStart;
  }
  inheritance_ = *std::move(inheritance);
  const bool takes_over = inheritance_.has_value();
  auto gateway = Gateway::start(model, {.follow = watch == Watch::yes ? Follow::file : Follow::nothing,
                                        .launch = launch_,
                                        .inheritance = takes_over ? &*inheritance_ : nullptr});
  if (!gateway) {
    if (gateway.error().code / 1000 == 3) return cli::kScriptFailed;  // the verb tells which, and all of them
    std::fprintf(stderr, "lingate: %s\n", gateway.error().message.c_str());
    return cli::kCannotStart;
  }
  inheritance_.reset();
  for (const std::string& address : (*gateway)->listening())
    std::fprintf(stderr, "listening %s\n", address.c_str());
  if (const std::string admin = (*gateway)->admin(); !admin.empty()) std::fprintf(stderr, "admin %s\n", admin.c_str());
  if (!takes_over) tell_service_manager("READY=1");
  return (*gateway)->run();
}

std::vector<cli::ScriptProblem> WholeProgram::check_scripts(const config::Model& model) {
  SilentLog log;
  runtimes::Watchdog watchdog;
  std::vector<std::unique_ptr<runtimes::Runtime>> rooms;
  middleware::ScriptPoolsOptions options{
      .runtimes = {}, .watchdog = &watchdog, .log = &log, .workers = 1, .limits = {}};
  for (const runtimes::Room& room : runtimes::builtin_rooms()) {
    rooms.push_back(room.make(watchdog));
    options.runtimes.push_back(rooms.back().get());
  }
  middleware::ScriptPools pools(std::move(options));
  std::vector<cli::ScriptProblem> problems;
  for (const config::Route& route : model.routes)
    for (const config::Step& step : route.chain) {
      if (step.kind != "script") continue;
      if (auto pool = pools.pool(step.settings); !pool)
        problems.push_back(problem_of(step, pool.error(), pools.last_fault()));
    }
  return problems;
}

Result<std::unique_ptr<store::Store>> WholeProgram::open_store(const config::Model& model) {
  return lingate::open_store(model, nullptr);  // what it would log, the verb says
}

std::vector<cli::Component> WholeProgram::components() const {
  runtimes::Watchdog watchdog;
  std::vector<cli::Component> components;
  for (const runtimes::Room& room : runtimes::builtin_rooms())
    components.push_back({std::string(room.name), room.make(watchdog)->version()});
  return components;
}

}  // namespace lingate
