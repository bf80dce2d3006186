#include "gateway/bench/load/load.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/bench/load/loop.h"

namespace lingate::bench {
namespace {

constexpr unsigned kGrowth = 8;          // times as many connections as asked for, at most, in the open loop
constexpr rlim_t kOtherFiles = 64;       // what the process needs beside connections
constexpr double kLate = 1e6;            // ns; less is what a timer and a scheduler need
constexpr double kSaturated = 0.95;      // of a processor
constexpr double kProgressStep = 0.002;  // of the whole

unsigned most_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT32_MAX;
  return static_cast<unsigned>(limit.rlim_cur > kOtherFiles ? limit.rlim_cur - kOtherFiles : 1);
}

Result<LoopPlan> plan_of(const LoadOptions& options) {
  const unsigned most = most_open_files();
  if (options.connections == 0 || options.connections > most)
    return fail(code::kOutOfRange,
                fmt::format("{} connections: choose 1 to {}, or raise the limit of open files (ulimit -n)",
                            options.connections, most));
  if (options.duration.count() <= 0 || options.timeout.count() <= 0 || options.warmup.count() < 0 ||
      !std::isfinite(options.rate) || options.rate < 0)
    return fail(code::kOutOfRange, "duration and time-out must be more than 0, rate and warm-up not less");
  auto target = find_target(options);
  if (!target) return fail(std::move(target.error()));
  return LoopPlan{.target = std::move(*target),
                  .connections = options.connections,
                  .most_connections = std::min(options.connections * kGrowth, most),
                  .warmup = options.warmup,
                  .duration = options.duration};
}

// Two digits, so that the rate is a number to remember.
double half_a_rate(double rate) {
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(std::max(rate / 2, 1.0))) - 1));
  return std::max(1.0, std::floor(rate / 2 / unit) * unit);
}

Result<Row> row_of(const LoopResult& result, std::string name, std::string job, const std::string& url) {
  if (result.tally.errors() != 0) {
    Error error = result.tally.error();
    error.message = fmt::format("{}, {}: {}", url, job, error.message);
    return fail(std::move(error));
  }
  if (result.tally.calls() == 0)
    return fail(code::kOutOfRange,
                fmt::format("{}, {}: no request in the measured time; measure longer, or choose a higher "
                            "--rate",
                            url, job));
  Row row;
  row.name = std::move(name);
  row.job = std::move(job);
  result.tally.fill(row);
  return row;
}

// Whether what the rows say can be the server's.
std::string generator_text(const LoopResult& closed, const LoopResult& open) {
  std::string text = open.lateness.max() < kLate
                         ? "on time"
                         : fmt::format("late by up to {:.1f} ms (p99 {:.1f} ms)", open.lateness.max() / 1e6,
                                       open.lateness.quantile(0.99) / 1e6);
  if (closed.busy >= kSaturated) text += "; the closed loop's rate may be its own limit, not the server's";
  if (open.busy >= kSaturated) text += "; too busy for this rate";
  return text;
}

std::vector<std::pair<std::string, std::string>> settings_of(const LoadOptions& options, double rate,
                                                             const LoopResult& closed, const LoopResult& open) {
  return {{"url", options.url},
          {"method", options.method},
          {"body", fmt::format("{} B", options.body.size())},
          {"connections", fmt::format("{}, open loop up to {}", closed.connections, open.connections)},
          {"rate", fmt::format("{:g}/s{}", rate, options.rate > 0 ? "" : " (half of the closed loop)")},
          {"duration", fmt::format("{} s a loop, warm-up {} ms", options.duration.count(), options.warmup.count())},
          {"time-out", fmt::format("{} ms", options.timeout.count())},
          {"sent again",
           fmt::format("{} requests that met the end of an idle connection", closed.reconnects + open.reconnects)},
          {"generator", generator_text(closed, open)},
          {"generator busy", fmt::format("closed {:.0f} %, open {:.0f} %", closed.busy * 100, open.busy * 100)}};
}

// One of the two loops after the other: each is half of the whole.
LoopProgress part_of(Progress& progress, double from, std::string what) {
  return [&progress, from, what = std::move(what), shown = -1.0](double part) mutable {
    if (part - shown < kProgressStep) return;
    shown = part;
    progress.show(from + part / 2, what);
  };
}

}  // namespace

Result<Record> measure_http(const LoadOptions& options, Progress& progress) {
  const auto plan = plan_of(options);
  if (!plan) return fail(plan.error());
  Record record{.kind = "http", .created = {}, .command = {}, .machine = {}, .settings = {}, .rows = {}, .curves = {}};

  const LoopResult closed = run_closed(*plan, part_of(progress, 0, "closed loop"));
  auto row = row_of(closed, fmt::format("closed/{}", options.connections),
                    fmt::format("closed, {} at once", options.connections), options.url);
  if (!row) return fail(std::move(row.error()));
  const double rate = options.rate > 0 ? options.rate : half_a_rate(row->figures.find(figure::kRate)->second.median);
  record.rows.push_back(std::move(*row));

  const LoopResult open = run_open(*plan, rate, part_of(progress, 0.5, "open loop"));
  row = row_of(open, options.rate > 0 ? fmt::format("open/{:g}", rate) : "open/half", fmt::format("open {:g}/s", rate),
               options.url);
  if (!row) return fail(std::move(row.error()));
  record.rows.push_back(std::move(*row));
  record.settings = settings_of(options, rate, closed, open);
  return record;
}

}  // namespace lingate::bench
