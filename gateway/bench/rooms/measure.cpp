#include "gateway/bench/rooms/measure.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "base/codes.h"

namespace lingate::bench {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kAlike = 3;   // slices that must agree with the three before them
constexpr double kStable = 0.03;    // how well
constexpr double kWarmSlice = 4e6;  // ns

double since(Clock::time_point then) noexcept {
  return static_cast<double>(nanoseconds(Clock::now() - then).count());
}

// An arm while it is measured.
class Runner {
 public:
  Runner(Workshop& workshop, Arm& arm) : workshop_(workshop), arm_(arm) {}

  // Grows the number of calls until they fill a slice and slices agree.
  void warm_up(nanoseconds longest) {
    const Clock::time_point began = Clock::now();
    std::vector<double> seen;
    std::uint64_t calls = 1;
    while (since(began) < static_cast<double>(longest.count()) && !stable(seen)) {
      const Clock::time_point start = Clock::now();
      const double cpu = slice(calls);
      const double took = since(start);
      per_call_ = std::max(took / static_cast<double>(calls), 1.0);
      if (took >= kWarmSlice / 4) seen.push_back(cpu / static_cast<double>(calls));
      calls = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(kWarmSlice / per_call_), 1, calls * 4);
    }
  }

  void take_cpu(nanoseconds slice_length) {
    const std::uint64_t calls = calls_in(slice_length);
    cpu_.push_back(slice(calls) / static_cast<double>(calls));
  }

  void take_latency(nanoseconds slice_length) {
    Stage& stage = workshop_.stage();
    std::uint64_t calls = calls_in(slice_length);
    figures_.calls += calls;
    Clock::time_point before = Clock::now();
    for (; calls != 0; --calls) {
      arm_.serve(stage);
      const Clock::time_point after = Clock::now();
      figures_.latency.add(static_cast<double>(nanoseconds(after - before).count()));
      failed_ += stage.failed(arm_.status) ? 1U : 0U;
      before = after;
    }
  }

  // What is wrong; empty: every call came out as it must, and one more, looked at closely, did the work.
  std::string prove() {
    if (failed_ != 0) {
      const std::string said = workshop_.stage().stage_log().take();
      return fmt::format("{} of its calls failed{}{}", failed_, said.empty() ? "" : ": ", said);
    }
    return try_arm(workshop_, arm_);
  }

  ArmFigures figures() {
    figures_.arm = arm_.name.text();
    figures_.cpu = median_of(cpu_);
    return std::move(figures_);
  }
  std::string name() const { return arm_.name.text(); }
  double cpu() const { return median_of(cpu_); }

 private:
  std::uint64_t calls_in(nanoseconds length) const {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(length.count()) / per_call_));
  }

  static bool stable(const std::vector<double>& seen) {
    if (seen.size() < 2 * kAlike) return false;
    const auto late = seen.end() - kAlike;
    const double now = median_of({late, seen.end()});
    const double before = median_of({late - kAlike, late});
    return std::abs(now - before) <= before * kStable;
  }

  // Processor time of so many calls.
  double slice(std::uint64_t calls) {
    Stage& stage = workshop_.stage();
    figures_.calls += calls;
    const double before = time_spent();
    for (; calls != 0; --calls) {
      arm_.serve(stage);
      failed_ += stage.failed(arm_.status) ? 1U : 0U;
    }
    return time_spent() - before;
  }

  // Processor time of this process and of those that work for it.
  double time_spent() const {
    return processor_time() + (arm_.script ? arm_.script->worker_time(workshop_.stage().loop()) : 0);
  }

  Workshop& workshop_;
  Arm& arm_;
  double per_call_ = 1000;  // wall-clock: a script may wait
  std::uint64_t failed_ = 0;
  std::vector<double> cpu_;
  ArmFigures figures_;
};

tl::unexpected<Error> arm_failed(const Runner& runner, const std::string& wrong) {
  return fail(code::kInternal, fmt::format("{}: {}", runner.name(), wrong));
}

}  // namespace

double processor_time() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

Result<std::vector<ArmFigures>> measure(Workshop& workshop, const std::vector<std::unique_ptr<Arm>>& arms,
                                        const MeasureOptions& options, const std::function<void(double)>& progress) {
  std::vector<Runner> runners;
  for (const auto& arm : arms)
    runners.emplace_back(workshop, *arm);
  const Clock::time_point began = Clock::now();
  const double length = std::max(1.0, static_cast<double>(nanoseconds(options.until - began).count()));
  const auto tell = [&] { progress(std::min(1.0, since(began) / length)); };
  const auto await_turn = [&] {
    if (options.await_turn) options.await_turn();
  };
  for (Runner& runner : runners) {
    await_turn();
    runner.warm_up(options.longest_warmup);
    if (const std::string wrong = runner.prove(); !wrong.empty()) return arm_failed(runner, wrong);
    tell();
  }
  std::vector<std::size_t> order(runners.size());
  std::iota(order.begin(), order.end(), 0);
  std::minstd_rand engine(options.seed + 1);
  for (unsigned sweep = 0; sweep < options.sweeps || Clock::now() < options.until; ++sweep) {
    std::shuffle(order.begin(), order.end(), engine);
    for (const std::size_t k : order) {
      await_turn();
      runners[k].take_cpu(options.slice);
      runners[k].take_latency(options.slice / 2);
      if (const std::string wrong = runners[k].prove(); !wrong.empty()) return arm_failed(runners[k], wrong);
      tell();
    }
  }
  workshop.stage().leave();
  std::vector<ArmFigures> figures;
  for (Runner& runner : runners)
    figures.push_back(runner.figures());
  return figures;
}

Result<double> measure_cpu(Workshop& workshop, Arm& arm, const MeasureOptions& options) {
  Runner runner(workshop, arm);
  runner.warm_up(options.longest_warmup);
  for (unsigned sweep = 0; sweep < options.sweeps; ++sweep)
    runner.take_cpu(options.slice);
  const std::string wrong = runner.prove();
  workshop.stage().leave();
  if (!wrong.empty()) return arm_failed(runner, wrong);
  return runner.cpu();
}

}  // namespace lingate::bench
