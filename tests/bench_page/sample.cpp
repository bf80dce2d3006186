#include "tests/bench_page/sample.h"

#include <cmath>
#include <random>

#include "gateway/bench/stats.h"

namespace lingate::bench {
namespace {

constexpr std::size_t kProcesses = 12;
constexpr int kCalls = 6000;

// What an arm costs, ns: to cross and to run, by job.
struct Arm {
  const char* runtime;
  const char* placement;
  double crossing;
  double speed;  // of the script, relative to Lua
};
constexpr Arm kArms[] = {{"native", "", 0, 0.2},    {"echo", "inline", 240, 0.1},    {"echo", "thread", 3900, 0.1},
                         {"lua", "inline", 330, 1}, {"lua", "thread", 4300, 1},      {"js", "inline", 1900, 9},
                         {"js", "thread", 6200, 9}, {"python", "inline", 1500, 3.2}, {"python", "thread", 7400, 3.2}};

struct Job {
  const char* name;
  double lua;  // ns that the Lua script runs
};
constexpr Job kJobs[] = {{"empty", 0}, {"header", 410}, {"body", 5200}, {"early", 300}, {"compute", 14500}};

constexpr double kAround = 620;  // ns of a request that are not the script's

Row named(std::string name, std::string runtime, std::string placement, std::string job) {
  Row row;
  row.name = std::move(name);
  row.runtime = std::move(runtime);
  row.placement = std::move(placement);
  row.job = std::move(job);
  return row;
}

using Noise = std::minstd_rand;

Figure figure_around(double value, double spread, Noise& noise, const char* unit = "ns") {
  std::normal_distribution<double> around(1, spread);
  std::vector<double> samples(kProcesses);
  for (double& sample : samples)
    sample = value * around(noise);
  return figure_of(std::move(samples), unit);
}

Histogram latencies_around(double value, Noise& noise) {
  std::lognormal_distribution<double> around(0, 0.13);
  std::uniform_real_distribution<double> luck(0, 1);
  Histogram histogram;
  for (int k = 0; k < kCalls; ++k) {
    const double stall = luck(noise) > 0.985 ? 1 + 6 * luck(noise) : 1;
    histogram.add(value * around(noise) * stall);
  }
  return histogram;
}

void add_latencies(Row& row, double value, Noise& noise) {
  const Histogram histogram = latencies_around(value, noise);
  row.histogram = histogram.buckets();
  for (const auto& [name, of] : {std::pair{figure::kP50, 0.5}, {figure::kP99, 0.99}, {figure::kP999, 0.999}})
    row.figures[std::string(name)] = figure_around(histogram.quantile(of), 0.02, noise);
  row.figures[std::string(figure::kMax)] = figure_around(histogram.max(), 0.1, noise);
}

Row row_of(const Arm& arm, const Job& job, double stretch, Noise& noise) {
  const bool native = *arm.placement == 0;
  Row row = named(std::string(arm.runtime) + (native ? "" : "/") + arm.placement + "/" + job.name, arm.runtime,
                  arm.placement, job.name);
  row.calls = 1200000;
  const double run = job.lua * arm.speed;
  const double cost = (kAround + arm.crossing + run) * stretch;
  row.figures[std::string(figure::kCpu)] = figure_around(cost, 0.012, noise);
  add_latencies(row, cost * 1.06, noise);
  if (native) return row;
  const double waiting = arm.placement == std::string_view("thread") ? 2500 : 0;
  row.parts = {{"encode", 130 + arm.crossing * 0.05},
               {"enter", arm.crossing * 0.45 + waiting},
               {"run", run * stretch},
               {"exit", arm.crossing * 0.3},
               {"apply", 90 + arm.crossing * 0.05}};
  return row;
}

Curve growing(std::string name, std::vector<double> x, double start, double each) {
  Curve curve{.name = std::move(name), .x = std::move(x), .series = {}};
  for (const auto& [series, factor] : {std::pair{"native", 0.15}, {"lua", 1.0}, {"js", 3.9}, {"python", 2.6}}) {
    std::vector<double> y;
    for (const double x_value : curve.x)
      y.push_back(start + each * factor * x_value);
    curve.series.emplace_back(series, std::move(y));
  }
  return curve;
}

}  // namespace

Record sample_runtimes(double lua_header, unsigned seed) {
  Noise noise(seed);
  Record record{.kind = "runtimes",
                .created = seed == 1 ? "2026-01-31T12:00:00Z" : "2026-02-01T09:30:00Z",
                .command = "lingate bench runtimes --json run.json",
                .machine = {{"cpu", "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz, 2 cores"},
                            {"kernel", "Linux 6.1.0-28-amd64"},
                            {"memory", "8 GiB"},
                            {"lingate", seed == 1 ? "0.1.0, build 5f3a9c21" : "0.1.0, build 81d06e7b"}},
                .settings = {{"processes", "12"}, {"sweeps", "9"}, {"slice", "5 ms"}},
                .rows = {},
                .curves = {}};
  for (const Job& job : kJobs)
    for (const Arm& arm : kArms) {
      const bool stretched = arm.runtime == std::string_view("lua") && job.name == std::string_view("header");
      record.rows.push_back(row_of(arm, job, stretched ? lua_header : 1, noise));
    }
  record.curves = {growing("steps in the chain", {0, 1, 3, 10, 20, 30}, 610, 760),
                   growing("header lines of the request", {5, 12, 25, 50, 96}, 700, 36),
                   growing("scripts loaded", {1, 10, 100, 1000}, 1340, 0.4),
                   {.name = "routes", .x = {10, 100, 1000, 10000}, .series = {{"match", {88, 97, 131, 214}}}}};
  return record;
}

Record sample_http() {
  Noise noise(3);
  Record record{.kind = "http",
                .created = "2026-01-31T13:00:00Z",
                .command = "lingate bench http http://127.0.0.1:8080/users/7 --rate 5000",
                .machine = {{"cpu", "AMD EPYC 7763, 2 cores"}},
                .settings = {{"connections", "50"}},
                .rows = {},
                .curves = {}};
  for (const char* job : {"open 5000/s", "closed, 50 connections"}) {
    Row row = named(std::string("GET /users/7, ") + job, "", "", job);
    row.calls = 60000;
    add_latencies(row, 181000, noise);
    row.figures[std::string(figure::kRate)] = figure_around(5000, 0.01, noise, "1/s");
    record.rows.push_back(std::move(row));
  }
  return record;
}

Record sample_peers() {
  Noise noise(4);
  Record record{.kind = "peers",
                .created = "2026-01-31T14:00:00Z",
                .command = "bench/peers/run.py -o peers.json",
                .machine = {{"cpu", "AMD EPYC 7763, 2 cores"}, {"nginx", "1.22.1-9+deb12u3"}},
                .settings = {{"sweeps", "12"}, {"sample", "1.2 s"}},
                .rows = {},
                .curves = {}};
  const auto add = [&](std::string name, std::string runtime, std::string job) -> Row& {
    return record.rows.emplace_back(named(std::move(name), std::move(runtime), "", std::move(job)));
  };
  for (const auto& [gateway, cost] : {std::pair{"nginx", 16000}, {"nginx-lua", 18800}, {"lingate-lua", 12800}})
    add(std::string("bare/") + gateway, gateway, "bare").figures["cpu"] = figure_around(cost, 0.02, noise);
  for (const auto& [gateway, bytes] : {std::pair{"nginx", 530}, {"lingate-lua", 680}})
    add(std::string("idle/") + gateway, gateway, "idle").figures["memory"] = figure_around(bytes, 0, noise, "B");
  const auto target = [&](const char* name, double value, double ratio, double bar, double goal) {
    Row& row = add(name, "", "targets");
    const char* const unit = ratio > 0 ? "×" : "ns";
    row.figures["value"] = figure_around(value, 0.02, noise);
    if (ratio > 0) {
      row.figures["reference"] = figure_around(value / ratio, 0.02, noise);
      row.figures["ratio"] = figure_around(ratio, 0.01, noise, unit);
    }
    if (bar > 0) row.figures["bar"] = figure_of({bar}, unit);
    if (goal > 0) row.figures["goal"] = figure_of({goal}, unit);
  };
  target("bare proxy ÷ nginx", 12800, 0.6, 0.9, 0.72);
  target("header, Lua ÷ nginx-lua", 15000, 0.8, 0.85, 0.7);
  target("ten native steps ÷ plain", 15900, 1.25, 1.1, 1.03);
  target("bare proxy ÷ haproxy", 12800, 0.78, 0, 0);
  target("share, Python", 7200, 0, 12000, 5000);
  Row& missing = add("header, JS ÷ njs", "njs", "targets");
  missing.figures["value"] = figure_around(17000, 0.02, noise);
  missing.figures["bar"] = figure_of({1.1}, "×");
  return record;
}

Record sample_hostile() {
  const std::string text = "</script><b id=\"planted\">x</b><!-- & \"' \xff";
  Record record{.kind = text,
                .created = text,
                .command = text,
                .machine = {{text, text}, {"__proto__", text}},
                .settings = {{text, text}},
                .rows = {},
                .curves = {}};
  const Row lacking = named(text, text, text, text);
  Row odd = named("__proto__", "constructor", "", "__proto__");
  odd.figures["cpu"] = {.unit = text, .median = 1e300, .low = -5, .high = 2e300, .samples = {}};
  odd.figures["p50"] = {.median = 0, .low = 0, .high = 0, .samples = {}};
  odd.figures["p99"] = {.median = std::nan(""), .low = 0, .high = 0, .samples = {}};
  odd.histogram = {{.upto = 0, .count = 7}, {.upto = -1, .count = 7}, {.upto = 100, .count = 3}};
  odd.parts = {{"encode", -3}, {"run", 1e12}, {text, 4}};
  Row empty = named("", "", "", "");
  empty.figures["cpu"] = Figure{};
  empty.histogram = {{.upto = 100, .count = 0}};
  Row target = named("target", "", "", "targets");
  for (const char* name : {"value", "ratio", "bar", "goal"})
    target.figures[name] = {.unit = text, .median = std::nan(""), .low = -1, .high = 0, .samples = {}};
  record.rows = {lacking, odd, empty, target};
  record.curves = {{.name = text, .unit = text, .x = {0}, .series = {{text, {0}}, {"short", {}}}},
                   {.name = "uneven", .x = {-1, 2}, .series = {{"one", {3}}, {"long", {-1, 2, 3}}}},
                   {.name = "none", .x = {}, .series = {}}};
  return record;
}

}  // namespace lingate::bench
