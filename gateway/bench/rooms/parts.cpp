#include "gateway/bench/rooms/parts.h"

#include <algorithm>
#include <vector>

#include "gateway/bench/stats.h"

namespace lingate::bench {
namespace {

constexpr int kWarmUp = 400;
constexpr int kTaken = 600;
constexpr std::chrono::milliseconds kLongest{40};  // for slow arms

double between(Clock::time_point from, Clock::time_point to) noexcept {
  return static_cast<double>(std::chrono::nanoseconds(to - from).count());
}

// Serves often enough to be warm and to have a median, and lets `take` look at each request after the warm-up.
template <class Take>
void serve_stamped(Workshop& workshop, const Arm& arm, Take take) {
  const Clock::time_point began = Clock::now();
  for (int k = 0; k < kWarmUp + kTaken; ++k) {
    workshop.stamps().clear();
    const Stage::Sides sides = workshop.stage().serve_stamped(arm.chain, arm.traffic);
    if (k >= kWarmUp || Clock::now() - began > kLongest) take(sides);
    if (Clock::now() - began > 2 * kLongest) break;
  }
  workshop.stage().leave();
}

}  // namespace

// What a stamp itself takes.
double Splitter::reading() const noexcept {
  std::vector<double> taken;
  for (int k = 0; k < kTaken; ++k) {
    const Clock::time_point first = Clock::now();
    taken.push_back(between(first, Clock::now()));
  }
  return median_of(std::move(taken));
}

Splitter::Segments Splitter::look(const Stage::Sides& sides) const noexcept {
  Segments sum;
  const Stamps& stamps = workshop_.stamps();
  for (std::size_t k = 0; k < stamps.count; ++k) {
    const Stamps::Call& call = stamps.calls[k];
    const bool request = call.in < sides.request_ends;
    sum.before += between(request ? sides.request_begins : sides.response_begins, call.in);
    sum.inside += between(call.in, call.out);
    sum.after += between(call.out, request ? sides.request_ends : sides.response_ends);
    ++sum.calls;
  }
  return sum;
}

Result<Splitter::Segments> Splitter::segments(const ArmName& name) {
  auto arm = make_arm(workshop_, name, true);
  if (!arm) return fail(std::move(arm.error()));
  std::vector<double> before, inside, after;
  Segments middle;
  serve_stamped(workshop_, **arm, [&](const Stage::Sides& sides) {
    const Segments one = look(sides);
    before.push_back(one.before);
    inside.push_back(one.inside);
    after.push_back(one.after);
    middle.calls = one.calls;
  });
  const double stamps = middle.calls * reading();
  middle.before = std::max(0.0, median_of(std::move(before)) - stamps);
  middle.inside = std::max(0.0, median_of(std::move(inside)) - stamps);
  middle.after = std::max(0.0, median_of(std::move(after)) - stamps);
  return middle;
}

// Of what entering and leaving take together, the part before the script's first line. The two outer stamps of `marks`
// hold half a log call each; what lies between two stamps is a whole one.
Result<double> Splitter::enter_share(const ArmName& marks) {
  auto arm = make_arm(workshop_, marks, true);
  if (!arm) return fail(std::move(arm.error()));
  std::vector<double> enters, exits;
  serve_stamped(workshop_, **arm, [&](const Stage::Sides&) {
    const Stamps& stamps = workshop_.stamps();
    for (std::size_t k = 0; k < stamps.count; ++k) {
      const Stamps::Call& call = stamps.calls[k];
      if (call.logged != 3) continue;
      const double half = between(call.logs[0], call.logs[2]) / 4;
      enters.push_back(std::max(0.0, between(call.in, call.logs[0]) - half));
      exits.push_back(std::max(0.0, between(call.logs[2], call.out) - half));
    }
  });
  const double enter = median_of(std::move(enters));
  const double exit = median_of(std::move(exits));
  return enter + exit > 0 ? enter / (enter + exit) : 0.5;
}

Result<Splitter::Boundary> Splitter::boundary(const std::string& runtime) {
  if (const auto known = boundaries_.find(runtime); known != boundaries_.end()) return known->second;
  auto empty = segments({runtime, "inline", "empty"});
  if (!empty) return fail(std::move(empty.error()));
  double share = 0.5;
  if (source_of(*find_job("marks"), runtime)) {
    auto seen = enter_share({runtime, "inline", "marks"});
    if (!seen) return fail(std::move(seen.error()));
    share = *seen;
  }
  const double call = empty->inside / std::max(empty->calls, 1.0);
  return boundaries_[runtime] = {.enter = call * share, .exit = call * (1 - share)};
}

Result<Parts> Splitter::split(const ArmName& name) {
  auto edge = boundary(name.runtime);
  if (!edge) return fail(std::move(edge.error()));
  auto here = segments({name.runtime, "inline", name.job});
  if (!here) return fail(std::move(here.error()));
  Parts parts{{"encode", here->before},
              {"enter", edge->enter * here->calls},
              {"run", std::max(0.0, here->inside - (edge->enter + edge->exit) * here->calls)},
              {"exit", edge->exit * here->calls},
              {"apply", here->after}};
  if (name.placement == "inline") return parts;
  auto there = segments(name);
  if (!there) return fail(std::move(there.error()));
  parts["enter"] += std::max(0.0, there->before - here->before);
  parts["exit"] += std::max(0.0, there->after - here->after);
  return parts;
}

}  // namespace lingate::bench
