#include "middleware/script_pools.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/codes.h"
#include "base/cores.h"
#include "base/read_file.h"
#include "middleware/settings_value.h"
#include "middleware/steps/steps.h"
#include "runtimes/value.h"

namespace lingate::middleware {
namespace {

constexpr std::size_t kMostSource = 16U * 1024 * 1024;  // of a script

bool buffers(const Settings& settings, std::string_view side) {
  const std::string_view body = settings.text("body");
  return body == side || body == "both";
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "auto": a process for each core; threads for Python are one, since its interpreter lets only one run.
std::uint32_t instances_for(runtimes::Placement placement, std::string_view runtime, std::uint32_t workers) {
  if (placement == runtimes::Placement::process) return usable_cores();
  return runtime == "python" ? 1 : workers;
}

runtimes::PoolOptions pool_options(const Settings& settings, std::uint32_t workers) {
  runtimes::PoolOptions options;
  const std::string_view isolation = settings.text("isolation", "inline");
  if (isolation == "thread") options.placement = runtimes::Placement::thread;
  if (isolation == "process") options.placement = runtimes::Placement::process;
  options.budget = settings.duration("budget", options.budget);
  options.wait = settings.duration("wait", options.wait);
  options.timeout = settings.duration("timeout", options.timeout);
  options.instances = static_cast<std::uint32_t>(settings.integer("instances", options.instances));
  if (options.instances == 0) options.instances = instances_for(options.placement, settings.text("runtime"), workers);
  options.workers = workers;
  return options;
}

std::vector<std::string> texts_of(const Settings::List& list) {
  std::vector<std::string> texts;
  for (const Settings& each : list)
    texts.emplace_back(each.as_text());
  return texts;
}

runtimes::Grants grants_of(const Settings& grant) {
  return {.read = texts_of(grant.list("read")),
          .write = texts_of(grant.list("write")),
          .environment = texts_of(grant.list("environment"))};
}

// Equal texts mean that two steps can share instances.
std::string key_of(const Settings& settings, const runtimes::Script& script, const runtimes::PoolOptions& options) {
  const runtimes::Grants& grants = script.grants;
  const runtimes::ScriptLimits& limits = script.limits;
  return fmt::format("{}\n{}\n{} {} {} {} {} {} {} {} {} {} {} {} {}\n{}\n{}\n{}\n{}", settings.text("runtime"),
                     script.path, static_cast<int>(options.placement), options.budget.count(), options.wait.count(),
                     options.timeout.count(), options.instances, script.memory, limits.body, limits.request_body,
                     limits.response_body, limits.field_line, limits.fields, limits.head, limits.target,
                     fmt::join(grants.read, "\n"), fmt::join(grants.write, "\n"), fmt::join(grants.environment, "\n"),
                     script.config);
}

}  // namespace

int code_of(const runtimes::LoadError& error) noexcept {
  switch (error.kind) {
    case runtimes::FailureKind::timeout: return code::kScriptTimeout;
    case runtimes::FailureKind::memory: return code::kScriptMemory;
    default: return code::kScriptLoad;
  }
}

Result<runtimes::Runtime*> ScriptPools::runtime_named(std::string_view name) const {
  for (runtimes::Runtime* runtime : options_.runtimes)
    if (runtime->name() == name) return runtime;
  return fail(code::kUnknownRuntime, fmt::format("this build has no runtime '{}'", name));
}

Result<runtimes::Script> ScriptPools::script_of(const Settings& settings) const {
  runtimes::Script script;
  script.path = settings.text("file");
  auto source = read_file(script.path, kMostSource);
  if (!source)
    return fail(code::kFileNotFound, fmt::format("the script {} cannot be read ({}); check the path, which is relative "
                                                 "to the configuration file",
                                                 script.path, source.error()));
  script.source = std::move(*source);
  script.memory = settings.size("memory", 64ULL * 1024 * 1024);
  script.limits = options_.limits;
  script.limits.request_body = buffers(settings, "request");
  script.limits.response_body = buffers(settings, "response");
  script.limits.body = std::max<std::size_t>(script.limits.body, settings.size("max_body"));
  if (const Settings* grant = settings.find("grant")) script.grants = grants_of(*grant);
  if (const Settings* config = settings.find("config")) {
    runtimes::WireWriter writer;
    if (!walk(*config, writer))
      return fail(code::kBadValue, fmt::format("the config of {}: {}", script.path, writer.error().message));
    script.config = writer.value();
  }
  return script;
}

Result<const ScriptPools::Entry*> ScriptPools::pool(const Settings& settings) {
  auto script = script_of(settings);
  if (!script) return fail(std::move(script.error()));
  const runtimes::PoolOptions options = pool_options(settings, options_.workers);
  std::string key = key_of(settings, *script, options);
  for (const auto& entry : entries_)
    if (entry->key == key) return entry.get();
  std::shared_ptr<Entry> entry = options_.shelf ? options_.shelf->find(key, script->source) : nullptr;
  if (!entry) {
    auto made = make(std::move(key), std::move(*script), options, settings.text("runtime"));
    if (!made) return fail(std::move(made.error()));
    entry = std::move(*made);
    if (options_.shelf) options_.shelf->add(entry);
  }
  entries_.push_back(std::move(entry));
  return entries_.back().get();
}

Result<std::shared_ptr<ScriptPools::Entry>> ScriptPools::make(std::string key, runtimes::Script script,
                                                              const runtimes::PoolOptions& options,
                                                              std::string_view runtime_name) {
  auto runtime = runtime_named(runtime_name);
  if (!runtime) return fail(std::move(runtime.error()));
  auto entry = std::make_shared<Entry>();
  entry->key = std::move(key);
  entry->label = base_name(script.path);
  entry->log = std::make_shared<ScriptLog>(*options_.log, entry->label);
  const std::string file = script.path;
  auto pool = runtimes::RuntimePool::make(**runtime, std::move(script), options, *entry->log, *options_.watchdog);
  if (!pool) {
    fault_ = ScriptFault{file, std::move(pool.error())};
    const runtimes::LoadError& error = fault_->error;
    return fail(code::kScriptLoad, fmt::format("{}{}: {}", error.file.empty() ? file : error.file,
                                               error.line == 0 ? "" : ":" + std::to_string(error.line), error.message));
  }
  entry->pool = std::move(*pool);
  entry->required = describe_required(entry->pool->dependencies(), began_);
  return entry;
}

namespace steps {

MadeStep make_script(const Settings& settings, const StepSurroundings& surroundings) {
  if (!surroundings.scripts) return fail(code::kInternal, "step 'script': no runtimes were set up");
  auto entry = surroundings.scripts->pool(settings);
  if (!entry) return fail(std::move(entry.error()));
  ScriptStepOptions options{.label = (*entry)->label,
                            .on_error = settings.text("on_error") == "continue" ? OnError::go_on : OnError::deny,
                            .request_body = buffers(settings, "request"),
                            .response_body = buffers(settings, "response"),
                            .workers = surroundings.workers};
  options.max_body = settings.size("max_body", options.max_body);
  if (const Settings* const cache = settings.find("cache")) {
    auto by = limits::CountedBy::parse(cache->text("by"));
    if (!by) return fail(std::move(by.error()));
    options.cache = ScriptCacheOptions{.by = *std::move(by), .ttl = cache->duration("ttl", std::chrono::seconds(60))};
  }
  return std::make_unique<ScriptStep>(*(*entry)->pool, (*entry)->log, std::move(options));
}

}  // namespace steps

}  // namespace lingate::middleware
