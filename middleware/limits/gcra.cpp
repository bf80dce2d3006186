#include "middleware/limits/gcra.h"

#include <algorithm>

namespace lingate::middleware::limits {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kLongest = std::uint64_t{1} << 62U;  // 146 years

struct Division {
  std::uint64_t whole;
  std::uint64_t rest;
};

// a * b / c, exactly; more than can be told apart from for ever is kLongest.
Division divide(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept {
  std::uint64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) [[likely]]
    return {std::min(product / c, kLongest), product % c};
  const Wide wide = Wide{a} * b;
  const Wide whole = wide / c;
  if (whole >= kLongest) return {kLongest, 0};
  return {static_cast<std::uint64_t>(whole), static_cast<std::uint64_t>(wide % c)};
}

}  // namespace

Gcra::Gcra(const Rate& rate) noexcept
    : count_(std::min(rate.count, kMost)),
      per_(static_cast<std::uint64_t>(std::max<std::int64_t>(rate.per.count(), 1))),
      burst_(count_ == 0 ? 0 : std::clamp<std::uint64_t>(rate.burst, 1, kMost)) {
  if (count_ == 0) return;
  one_ = {per_ / count_, static_cast<std::uint32_t>(per_ % count_)};
  const Division ahead = divide(per_, burst_, count_);
  ahead_ = {ahead.whole, static_cast<std::uint32_t>(ahead.rest)};
}

Gcra::State Gcra::sum(const State& a, const State& b) const noexcept {
  const std::uint64_t parts = std::uint64_t{a.part} + b.part;
  const bool carry = parts >= count_;
  return {a.whole + b.whole + (carry ? 1U : 0U), static_cast<std::uint32_t>(carry ? parts - count_ : parts)};
}

// Of a later and an earlier moment.
Gcra::State Gcra::difference(const State& a, const State& b) const noexcept {
  const bool borrow = a.part < b.part;
  const std::uint64_t part = a.part + (borrow ? count_ : 0) - b.part;
  return {a.whole - b.whole - (borrow ? 1U : 0U), static_cast<std::uint32_t>(part)};
}

std::uint64_t Gcra::requests_in(const State& time) const noexcept {
  std::uint64_t units = 0;
  if (!__builtin_mul_overflow(time.whole, count_, &units) && !__builtin_add_overflow(units, time.part, &units))
      [[likely]]
    return std::min(units / per_, burst_);
  return static_cast<std::uint64_t>(std::min<Wide>((Wide{time.whole} * count_ + time.part) / per_, burst_));
}

Gcra::Decision Gcra::take(State& state, Moment now) const noexcept {
  if (count_ == 0) return {.wait = kNever};
  const State start = state.whole >= now ? state : State{now, 0};
  const State next = sum(start, one_);
  const State latest = sum({now, 0}, ahead_);
  if (next > latest) {
    const State wait = difference(next, latest);
    return {.wait = wait.whole + (wait.part != 0 ? 1U : 0U), .reset = start.whole - now};
  }
  state = next;
  return {.allowed = true, .remaining = requests_in(difference(latest, next)), .reset = next.whole - now};
}

}  // namespace lingate::middleware::limits
