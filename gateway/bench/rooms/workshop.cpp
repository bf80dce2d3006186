#include "gateway/bench/rooms/workshop.h"

#include <ctime>

#include <fmt/format.h>

#include "base/codes.h"
#include "runtimes/builtin.h"

namespace lingate::bench {

using runtimes::RuntimePool;

ScriptUse::ScriptUse(std::shared_ptr<middleware::ScriptLog> log, std::unique_ptr<RuntimePool> pool,
                     const ScriptOptions& options)
    : log_(std::move(log)),
      step_(std::make_unique<middleware::ScriptStep>(
          *pool, log_,
          middleware::ScriptStepOptions{
              .label = options.path, .request_body = options.request_body, .response_body = options.response_body})),
      pool_(std::move(pool)) {}

bool ScriptUse::pending() const noexcept {
  const runtimes::PoolCounters counters = pool_->counters();
  return counters.busy + counters.queued != 0;
}

double ScriptUse::worker_time(Loop& loop) const {
  double sum = 0;
  for (const pid_t id : pool_->processes(loop)) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(id, &clock) == 0 && ::clock_gettime(clock, &time) == 0)
      sum += static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }
  return sum;
}

Workshop::Workshop() {
  for (const runtimes::Room& room : runtimes::builtin_rooms()) {
    Room made{.plain = room.make(watchdog_), .stamped = nullptr};
    made.stamped = std::make_unique<Stamped>(*made.plain, stamps_);
    rooms_.push_back(std::move(made));
  }
}

Workshop::Room* Workshop::find(std::string_view runtime) {
  for (Room& room : rooms_)
    if (room.plain->name() == runtime) return &room;
  return nullptr;
}

Result<std::unique_ptr<ScriptUse>> Workshop::script(std::string_view runtime, const ScriptOptions& options) {
  Room* const room = find(runtime);
  if (!room) return fail(code::kScriptLoad, fmt::format("there is no runtime '{}' in this build", runtime));
  runtimes::Script script{
      .path = options.path, .source = options.source, .config = options.config, .memory = options.memory, .limits = {}};
  script.limits.request_body = options.request_body;
  script.limits.response_body = options.response_body;
  const runtimes::PoolOptions pool_options{.placement = options.placement, .budget = options.budget};
  auto log = std::make_shared<middleware::ScriptLog>(stage_.stage_log(), options.path);
  runtimes::Runtime& maker = options.stamped ? static_cast<runtimes::Runtime&>(*room->stamped) : *room->plain;
  auto pool = RuntimePool::make(maker, std::move(script), pool_options, *log, watchdog_);
  if (!pool) {
    const runtimes::LoadError& error = pool.error();
    return fail(code::kScriptLoad,
                fmt::format("{}:{}: {}", error.file.empty() ? options.path : error.file, error.line, error.message));
  }
  return std::make_unique<ScriptUse>(std::move(log), std::move(*pool), options);
}

}  // namespace lingate::bench
