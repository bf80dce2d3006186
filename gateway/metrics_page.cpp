#include "gateway/metrics_page.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include "base/version.h"

namespace lingate {
namespace {

using runtimes::PoolCounters;

struct RuntimeSum {
  std::uint64_t idle = 0, busy = 0, queued = 0, resting = 0, memory = 0, kills = 0;
};

void family(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

void write_runtimes(std::string& out, const std::map<std::string, RuntimeSum, std::less<>>& sums) {
  auto to = std::back_inserter(out);
  family(out, "lingate_runtime_instances", "gauge", "Instances by what they do.");
  for (const auto& [name, sum] : sums)
    fmt::format_to(to,
                   "lingate_runtime_instances{{runtime=\"{0}\",state=\"idle\"}} {1}\n"
                   "lingate_runtime_instances{{runtime=\"{0}\",state=\"busy\"}} {2}\n",
                   name, sum.idle, sum.busy);
  family(out, "lingate_runtime_memory_bytes", "gauge", "Bytes held by all instances.");
  for (const auto& [name, sum] : sums)
    fmt::format_to(to, "lingate_runtime_memory_bytes{{runtime=\"{}\"}} {}\n", name, sum.memory);
  family(out, "lingate_runtime_queue_depth", "gauge", "Calls that wait for an instance.");
  for (const auto& [name, sum] : sums)
    fmt::format_to(to, "lingate_runtime_queue_depth{{runtime=\"{}\"}} {}\n", name, sum.queued);
  family(out, "lingate_runtime_breakers_open", "gauge",
         "Worker processes that died again and again and rest; their calls are refused.");
  for (const auto& [name, sum] : sums)
    fmt::format_to(to, "lingate_runtime_breakers_open{{runtime=\"{}\"}} {}\n", name, sum.resting);
  family(out, "lingate_runtime_kills_total", "counter", "Instances thrown away and replaced.");
  for (const auto& [name, sum] : sums)
    fmt::format_to(to, "lingate_runtime_kills_total{{runtime=\"{}\"}} {}\n", name, sum.kills);
}

void write_config(std::string& out, const MetricsSources& sources) {
  auto to = std::back_inserter(out);
  const auto since = std::chrono::duration<double>(sources.generation_since.time_since_epoch()).count();
  family(out, "lingate_config_last_reload_successful", "gauge", "1: the configuration last asked for runs.");
  fmt::format_to(to, "lingate_config_last_reload_successful {}\n", sources.last_reload_good ? 1 : 0);
  family(out, "lingate_config_last_reload_success_timestamp_seconds", "gauge", "Since when the configuration runs.");
  fmt::format_to(to, "lingate_config_last_reload_success_timestamp_seconds {:.3f}\n", since);
  family(out, "lingate_config_generation", "gauge", "Counts the configurations that ran since the start.");
  fmt::format_to(to, "lingate_config_generation {}\n", sources.generation);
  family(out, "lingate_upgrade_failures_total", "counter", "Times that no other process could take this one's place.");
  fmt::format_to(to, "lingate_upgrade_failures_total {}\n", sources.failed_upgrades);
}

void write_tracing(std::string& out, const middleware::tracing::Exporter& exporter) {
  auto to = std::back_inserter(out);
  family(out, "lingate_otlp_spans_exported_total", "counter", "Spans that the collector has taken.");
  fmt::format_to(to, "lingate_otlp_spans_exported_total {}\n", exporter.exported());
  family(out, "lingate_otlp_spans_dropped_total", "counter", "Spans that the collector did not take in time.");
  fmt::format_to(to, "lingate_otlp_spans_dropped_total {}\n", exporter.dropped());
}

// Of a store that can be away.
void write_store(std::string& out, const store::Store& store) {
  auto to = std::back_inserter(out);
  const store::Health health = store.health();
  family(out, "lingate_store_breaker_open", "gauge", "1: the store is away, and nobody waits for it.");
  fmt::format_to(to, "lingate_store_breaker_open{{kind=\"{}\"}} {}\n", store.kind(), health.away ? 1 : 0);
  family(out, "lingate_store_breaker_opened_total", "counter", "Times that the store went away.");
  fmt::format_to(to, "lingate_store_breaker_opened_total{{kind=\"{}\"}} {}\n", store.kind(), health.opened);
  family(out, "lingate_store_questions_total", "counter",
         "Questions to the store: answered, answered with an error, not in time, or not asked.");
  for (const auto& [outcome, count] : {std::pair("answered", health.answered), std::pair("error", health.failed),
                                       std::pair("late", health.late), std::pair("refused", health.refused)})
    fmt::format_to(to, "lingate_store_questions_total{{kind=\"{}\",outcome=\"{}\"}} {}\n", store.kind(), outcome,
                   count);
}

}  // namespace

std::string metrics_page(const MetricsSources& sources) {
  std::vector<const http::Metrics*> metrics;
  for (const http::Worker* worker : sources.workers)
    metrics.push_back(&worker->metrics());
  std::string out;
  http::write_prometheus(metrics, out);

  std::map<std::string, RuntimeSum, std::less<>> sums;
  for (const auto& entry : sources.scripts.entries()) {
    const PoolCounters counters = entry->pool->counters();
    const std::string runtime(entry->pool->runtime_name());
    RuntimeSum& sum = sums[runtime];
    sum.idle += counters.idle;
    sum.busy += counters.busy;
    sum.queued += counters.queued;
    sum.resting += counters.resting;
    sum.memory += counters.memory;
    sum.kills += counters.replaced;
  }
  write_runtimes(out, sums);
  family(out, "lingate_log_lines_dropped_total", "counter", "Log lines that a blocked target did not take.");
  fmt::format_to(std::back_inserter(out), "lingate_log_lines_dropped_total {}\n", sources.dropped_lines);
  if (sources.store && sources.store->is_remote()) write_store(out, *sources.store);
  if (sources.exporter) write_tracing(out, *sources.exporter);
  write_config(out, sources);
  family(out, "lingate_build_info", "gauge", "This build.");
  fmt::format_to(std::back_inserter(out), "lingate_build_info{{version=\"{}\"}} 1\n", version());
  return out;
}

}  // namespace lingate
