#include "gateway/bench/rooms/workshop.h"

#include <fmt/format.h>

#include "base/codes.h"
#include "runtimes/builtin.h"

namespace lingate::bench {

using runtimes::RuntimePool;

ScriptUse::ScriptUse(std::unique_ptr<middleware::ScriptLog> log, std::unique_ptr<RuntimePool> pool,
                     const ScriptOptions& options)
    : log_(std::move(log)),
      step_(std::make_unique<middleware::ScriptStep>(
          *pool, *log_,
          middleware::ScriptStepOptions{
              .label = options.path, .request_body = options.request_body, .response_body = options.response_body})),
      pool_(std::move(pool)) {}

Workshop::Workshop() {
  for (const runtimes::Room& room : runtimes::builtin_rooms()) {
    Room made{.plain = room.make(watchdog_), .stamped = nullptr};
    made.stamped = std::make_unique<Stamped>(*made.plain, stamps_);
    rooms_.push_back(std::move(made));
  }
}

const Workshop::Room* Workshop::find(std::string_view runtime) const {
  for (const Room& room : rooms_)
    if (room.plain->name() == runtime) return &room;
  return nullptr;
}

Workshop::Room* Workshop::find(std::string_view runtime) {
  return const_cast<Room*>(std::as_const(*this).find(runtime));
}

std::vector<std::string_view> Workshop::runtimes() const {
  std::vector<std::string_view> names;
  for (const Room& room : rooms_)
    names.push_back(room.plain->name());
  return names;
}

std::string Workshop::version_of(std::string_view runtime) const {
  const Room* room = find(runtime);
  return room ? room->plain->version() : std::string();
}

std::string_view Workshop::runtime_for(std::string_view path) const {
  for (const Room& room : rooms_)
    for (const std::string_view extension : room.plain->extensions())
      if (path.ends_with(extension)) return room.plain->name();
  return {};
}

Result<std::unique_ptr<ScriptUse>> Workshop::script(std::string_view runtime, const ScriptOptions& options) {
  Room* const room = find(runtime);
  if (!room) return fail(code::kScriptLoad, fmt::format("there is no runtime '{}' in this build", runtime));
  runtimes::Script script{
      .path = options.path, .source = options.source, .config = options.config, .memory = options.memory, .limits = {}};
  script.limits.request_body = options.request_body;
  script.limits.response_body = options.response_body;
  const runtimes::PoolOptions pool_options{.placement = options.placement, .budget = options.budget};
  auto log = std::make_unique<middleware::ScriptLog>(stage_.stage_log(), options.path);
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
