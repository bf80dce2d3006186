#include "gateway/http/balance.h"

#include <cmath>

namespace lingate::http {
namespace {

// The target with the lowest cost. Smooth weighted round-robin changes credits, so it has a loop of its own.
template <class Cost>
Target* cheapest(Targets targets, Clock::time_point now, const Target* avoid, Cost cost) noexcept {
  Target* best = nullptr;
  Target* last_resort = nullptr;
  double lowest = 0;
  for (const auto& target : targets) {
    if (!target->available(now)) continue;
    if (target.get() == avoid) {
      last_resort = target.get();
      continue;
    }
    const double its = cost(*target);
    if (best && its >= lowest) continue;
    best = target.get();
    lowest = its;
  }
  return best ? best : last_resort;
}

std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ (value >> 33);
}

}  // namespace

Target* pick_round_robin(Targets targets, Clock::time_point now, const Target* avoid) noexcept {
  if (targets.size() == 1) return targets[0]->available(now) ? targets[0].get() : nullptr;
  Target* best = nullptr;
  Target* last_resort = nullptr;
  std::int64_t total = 0;
  for (const auto& target : targets) {
    if (!target->available(now)) continue;
    if (target.get() == avoid) {
      last_resort = target.get();
      continue;
    }
    target->credit += target->options->weight;
    total += target->options->weight;
    if (!best || target->credit > best->credit) best = target.get();
  }
  if (!best) return last_resort;
  best->credit -= total;
  return best;
}

// Among equals the one that waited longest for its turn: credits break the tie.
Target* pick_least_request(Targets targets, Clock::time_point now, const Target* avoid) noexcept {
  Target* best = cheapest(targets, now, avoid, [](Target& target) {
    const double load = (target.active + 1.0) / target.options->weight;
    return load + static_cast<double>(target.credit) * 1e-12;
  });
  if (best) ++best->credit;
  return best;
}

Target* pick_by_hash(Targets targets, std::uint64_t key, Clock::time_point now, const Target* avoid) noexcept {
  return cheapest(targets, now, avoid, [key](Target& target) {
    const auto bits = mix(key ^ target.seed) >> 11;
    const double unit = (static_cast<double>(bits) + 0.5) * 0x1.0p-53;  // (0, 1)
    return -std::log(unit) / target.options->weight;
  });
}

std::uint64_t hash_text(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix(hash);
}

}  // namespace lingate::http
