#include "runtimes/pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtimes/pool_processes.h"
#include "runtimes/pool_state.h"

namespace lingate::runtimes {

namespace pool {

State::State(Runtime& its_runtime, Script its_script, const PoolOptions& its_options, Host& its_host,
             Watchdog& its_watchdog)
    : runtime(its_runtime),
      script(std::move(its_script)),
      options(its_options),
      host(its_host),
      watchdog(its_watchdog),
      crew(*this) {
  for (std::uint32_t worker = 0; worker < options.workers; ++worker)
    lanes.push_back(std::make_unique<Lane>(*this));
}

std::unique_ptr<Watch> State::make_watch(Instance& instance, Host& to, std::string_view holds) const {
  return std::make_unique<Watch>(
      watchdog, instance,
      [&to, text = script.path +
                   ": a call goes on a second after its budget, in code that nothing can stop, and holds " +
                   std::string(holds) + " until it ends by itself; `isolation: process` would have ended it"] {
        to.log(LogLevel::error, text, {}, nullptr);
      });
}

void State::spent_budget(Clock::time_point now) noexcept {
  {
    const std::lock_guard lock(demotion_mutex);
    spent[next_spent++ % kDemotionCount] = now;
    const Clock::time_point oldest = spent[next_spent % kDemotionCount];
    if (next_spent < kDemotionCount || now - oldest > kDemotionWindow || demoted.load()) return;
    if (!crew.start(std::max(1U, options.instances))) return;  // no thread to be had: inline is still a service
    demoted.store(true, std::memory_order_release);
  }
  host.log(LogLevel::warn,
           script.path +
               ": moved from inline to thread until the next reload, because three calls spent their whole "
               "budget within 10 s; make it quicker, raise `budget`, or say `isolation: thread`",
           {}, nullptr);
}

}  // namespace pool

using pool::State;

namespace {

std::optional<LoadError> load_inline(State& state) {
  for (const auto& lane : state.lanes) {
    auto instance = state.runtime.load(state.script, state.host);
    if (!instance) return std::move(instance.error());
    state.hooks = (*instance)->hooks();
    state.dependencies = (*instance)->dependencies();
    lane->adopt(std::move(*instance));
  }
  return std::nullopt;
}

std::optional<LoadError> load_threads(State& state) {
  if (!state.crew.start(std::max(1U, state.options.instances)))
    return LoadError{
        FailureKind::unavailable, "the system gives no thread to run the script on", state.script.path, 0, {}};
  if (auto error = state.crew.loaded()) return error;
  state.hooks = state.crew.hooks();
  state.dependencies = state.crew.dependencies();
  return std::nullopt;
}

// Each worker has its own, as many as its share.
std::optional<LoadError> load_processes(State& state) {
  const std::uint32_t workers = state.options.workers;
  const std::uint32_t each = std::max(1U, (state.options.instances + workers - 1) / workers);
  for (const auto& lane : state.lanes)
    if (auto error = lane->start_processes(each)) return error;
  for (const auto& lane : state.lanes)
    if (auto error = lane->processes_loaded()) return error;
  const process::Loaded& told = state.lanes.front()->processes()->told();
  state.hooks = told.hooks;
  state.dependencies = told.dependencies;
  return std::nullopt;
}

std::optional<LoadError> load_where(State& state) {
  switch (state.options.placement) {
    case Placement::inline_: return load_inline(state);
    case Placement::thread: return load_threads(state);
    case Placement::process: return load_processes(state);
  }
  return std::nullopt;
}

void add(PoolCounters& sum, const pool::Hands::Figures& figures) noexcept {
  sum.idle += figures.idle;
  sum.busy += figures.busy;
  sum.queued += figures.queued;
  sum.resting += figures.resting;
  sum.memory += figures.memory;
}

}  // namespace

Result<std::unique_ptr<RuntimePool>, LoadError> RuntimePool::make(Runtime& runtime, Script script, PoolOptions options,
                                                                  Host& host, Watchdog& watchdog) {
  auto* const state = new State(runtime, std::move(script), options, host, watchdog);
  std::unique_ptr<RuntimePool> made(new RuntimePool(state));
  auto error = load_where(*state);
  if (error) return lingate::fail(std::move(*error));
  return made;
}

RuntimePool::~RuntimePool() {
  end();
  state_->release();
}

void RuntimePool::close() noexcept {
  state_->loops_rest.store(true, std::memory_order_relaxed);
  end();
}

void RuntimePool::end() noexcept {
  if (std::exchange(closed_, true)) return;
  state_->crew.close();
  for (const auto& lane : state_->lanes)
    lane->close();
}

CallView& ScriptCall::begin(const ScriptLimits& limits) {
  if (source)
    view_->begin(hook, *source, *room, limits);
  else
    view_->begin(hook, input, limits);
  return *view_;
}

void ScriptCall::give_back_room() noexcept {
  view_->give_back_room();
}

const HookSet& RuntimePool::hooks() const noexcept {
  return state_->hooks;
}

const Script& RuntimePool::script() const noexcept {
  return state_->script;
}

const PoolOptions& RuntimePool::options() const noexcept {
  return state_->options;
}

std::string_view RuntimePool::runtime_name() const noexcept {
  return state_->runtime.name();
}

const std::vector<std::string>& RuntimePool::dependencies() const noexcept {
  return state_->dependencies;
}

RuntimePool::Started RuntimePool::call(Loop& loop, ScriptCall& call) noexcept {
  return state_->lanes[loop.index()]->call(loop, call);
}

void RuntimePool::cancel(Loop& loop, ScriptCall& call) noexcept {
  state_->lanes[loop.index()]->cancel(call);
}

void RuntimePool::leave(Loop& loop) noexcept {
  state_->lanes[loop.index()]->leave();
}

std::vector<pid_t> RuntimePool::processes(Loop& loop) const {
  const pool::Processes* const processes = state_->lanes[loop.index()]->processes();
  return processes ? processes->ids() : std::vector<pid_t>();
}

PoolCounters RuntimePool::counters() const noexcept {
  PoolCounters sum;
  for (const auto& lane : state_->lanes) {
    const pool::Figures& figures = lane->figures();
    sum.calls += figures.calls.load(std::memory_order_relaxed);
    for (std::size_t kind = 0; kind < sum.failures.size(); ++kind)
      sum.failures[kind] += figures.failures[kind].load(std::memory_order_relaxed);
    sum.memory += figures.memory.load(std::memory_order_relaxed);
    sum.queued += figures.waiting.load(std::memory_order_relaxed);
    if (lane->processes()) add(sum, lane->processes()->figures());
    if (!figures.has_instance.load(std::memory_order_relaxed)) continue;
    ++(figures.busy.load(std::memory_order_relaxed) ? sum.busy : sum.idle);
  }
  add(sum, state_->crew.figures());
  sum.replaced = state_->replaced.load(std::memory_order_relaxed);
  sum.demoted = state_->demoted.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace lingate::runtimes
