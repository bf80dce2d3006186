#include "gateway/bench/rooms/runtimes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/bench/rooms/fleet.h"
#include "runtimes/builtin.h"

namespace lingate::bench {
namespace {

using std::chrono::seconds;

// Enough for an interval; more of them with less time each would mostly measure warming up.
constexpr unsigned kProcesses = 12;
constexpr unsigned kWithParts = 3;  // the parts are medians of so many
constexpr seconds kCurves{14};      // measured: 14 s, whatever the duration

const char* const kPlacements[] = {"inline", "thread", "process"};

bool wanted(const ArmName& name, const std::vector<std::string>& only) {
  const std::string text = name.text();
  return only.empty() ||
         std::any_of(only.begin(), only.end(), [&](const std::string& part) { return text.find(part) != text.npos; });
}

// `live` is about the collector and `compute` about the engine, which a placement does not change.
bool makes_sense(const Job& job, std::string_view placement) {
  return job.compared && ((job.name != "live" && job.name != "compute") || placement == "inline");
}

std::vector<ArmName> all_arms() {
  std::vector<ArmName> arms;
  for (const Job& job : all_jobs())
    if (job.compared && job.name != "live")
      arms.push_back({.runtime = "native", .placement = "", .job = std::string(job.name)});
  for (const runtimes::Room& room : runtimes::builtin_rooms())
    for (const char* placement : kPlacements)
      for (const Job& job : all_jobs())
        if (makes_sense(job, placement) && source_of(job, room.name))
          arms.push_back({.runtime = std::string(room.name), .placement = placement, .job = std::string(job.name)});
  return arms;
}

Result<std::vector<ArmName>> chosen_arms(const std::vector<std::string>& only) {
  std::vector<ArmName> arms = all_arms();
  std::erase_if(arms, [&](const ArmName& name) { return !wanted(name, only); });
  if (arms.empty())
    return fail(code::kInternal, fmt::format("no arm has '{}' in its name; they are called like lua/inline/header",
                                             fmt::join(only, "' or '")));
  return arms;
}

Record record_of(std::string kind, const Gathered& gathered, const Plan& plan, unsigned processes) {
  Record record;
  record.kind = std::move(kind);
  record.rows = gathered.rows(plan.arms);
  record.curves = gathered.curves;
  record.settings = {{"processes", std::to_string(processes)},
                     {"length", fmt::format("{:.1f} s", static_cast<double>(plan.length.count()) / 1000)},
                     {"slice", fmt::format("{} ms", plan.measuring.slice.count())}};
  return record;
}

std::string program_of(const RuntimesOptions& options) {
  return options.program.empty() ? kThisProgram : options.program;
}

// `time` for all processes together.
Plan plan_for(std::vector<ArmName> arms, std::chrono::milliseconds time) {
  Plan plan;
  plan.length = time / kProcesses;
  plan.arms = std::move(arms);
  return plan;
}

// One of the processes of a run, as a part of its progress bar.
Result<void> one_more(const std::string& program, Plan plan, unsigned k, unsigned of, Progress& progress,
                      Gathered& gathered) {
  plan.measuring.seed = k;
  const std::string what = fmt::format("process {} of {}", k + 1, of);
  auto answer = run_process(program, plan, [&](double done) { progress.show((k + done) / of, what); });
  if (!answer) return fail(std::move(answer.error()));
  gathered.add(*answer);
  return {};
}

Result<void> add_curves(const std::string& program, Progress& progress, Gathered& gathered) {
  Plan plan;
  plan.curves = true;
  plan.measuring.sweeps = 5;
  plan.measuring.longest_warmup = std::chrono::milliseconds(60);
  auto answer = run_process(program, plan, [&](double) { progress.show(0.99, "curves"); });
  if (!answer) return fail(std::move(answer.error()));
  gathered.add(*answer);
  return {};
}

Result<Record> run(std::string kind, const std::string& program, const Plan& plan, bool curves, Progress& progress) {
  Gathered gathered;
  for (unsigned k = 0; k < kProcesses; ++k) {
    Plan mine = plan;
    mine.parts = k % (kProcesses / kWithParts) == 0;
    if (auto done = one_more(program, std::move(mine), k, kProcesses, progress, gathered); !done)
      return fail(std::move(done.error()));
  }
  if (curves)
    if (auto done = add_curves(program, progress, gathered); !done) return fail(std::move(done.error()));
  return record_of(std::move(kind), gathered, plan, kProcesses);
}

}  // namespace

Result<Record> measure_runtimes(const RuntimesOptions& options, Progress& progress) {
  auto arms = chosen_arms(options.only);
  if (!arms) return fail(std::move(arms.error()));
  const seconds time = options.curves ? std::max(seconds(0), options.duration - kCurves) : options.duration;
  return run("runtimes", program_of(options), plan_for(std::move(*arms), time), options.curves, progress);
}

Result<Record> measure_script(const OwnScriptOptions& options, Progress& progress) {
  std::vector<ArmName> arms{{.runtime = "echo", .placement = "inline", .job = "empty"}};
  for (const std::string& placement : options.placements) {
    arms.push_back({.runtime = options.script.runtime, .placement = placement, .job = "empty"});
    arms.push_back({.runtime = options.script.runtime, .placement = placement, .job = "script"});
  }
  Plan plan = plan_for(std::move(arms), options.duration);
  plan.own = options.script;
  plan.measuring.sweeps = 1;  // a script may be slow; each process gives a sample
  return run("script", kThisProgram, plan, false, progress);
}

Result<Pair> measure_pair(const std::string& before, const std::string& after, const RuntimesOptions& options,
                          Progress& progress) {
  auto arms = chosen_arms(options.only);
  if (!arms) return fail(std::move(arms.error()));
  Plan plan = plan_for(std::move(*arms), std::chrono::milliseconds(options.duration));
  Gathered old_one, new_one;
  for (unsigned k = 0; k < kProcesses; ++k) {
    plan.measuring.seed = k;
    const std::string what = fmt::format("pair {} of {}", k + 1, kProcesses);
    auto answers = run_pair({before, after}, plan, [&](double done) { progress.show((k + done) / kProcesses, what); });
    if (!answers) return fail(std::move(answers.error()));
    old_one.add((*answers)[0]);
    new_one.add((*answers)[1]);
  }
  return Pair{.before = record_of("runtimes", old_one, plan, kProcesses),
              .after = record_of("runtimes", new_one, plan, kProcesses)};
}

}  // namespace lingate::bench
