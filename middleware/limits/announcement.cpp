#include "middleware/limits/announcement.h"

#include <algorithm>
#include <charconv>

#include "middleware/limits/gcra.h"

namespace lingate::middleware::limits {
namespace {

constexpr std::string_view kLimit = "RateLimit-Limit";
constexpr std::string_view kRemaining = "RateLimit-Remaining";
constexpr std::string_view kReset = "RateLimit-Reset";
constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t seconds(std::uint64_t nanoseconds) noexcept {
  return nanoseconds / kSecond + (nanoseconds % kSecond != 0 ? 1U : 0U);
}

std::string_view digits(Arena& arena, std::uint64_t number) {
  constexpr std::size_t kMost = 20;
  char* const place = arena.allocate(kMost);
  const auto end = std::to_chars(place, place + kMost, number).ptr;
  return {place, static_cast<std::size_t>(end - place)};
}

void set(Exchange& exchange, std::string_view name, std::uint64_t number) {
  const std::string_view value = digits(exchange.arena, number);
  exchange.response.headers.set_lasting(field_key(name), name, value);
}

bool says_as_little(const Headers& headers, std::uint64_t remaining) noexcept {
  const std::string_view said = headers.value(kRemaining);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(said.data(), said.data() + said.size(), number);
  return !said.empty() && fault == std::errc() && end == said.data() + said.size() && number <= remaining;
}

}  // namespace

void announce(Exchange& exchange, const Announcement& announcement) {
  if (says_as_little(exchange.response.headers, announcement.remaining)) return;
  set(exchange, kLimit, announcement.limit);
  set(exchange, kRemaining, announcement.remaining);
  set(exchange, kReset, seconds(announcement.reset));
}

void tell_when_to_retry(Exchange& exchange, std::uint64_t nanoseconds) {
  if (nanoseconds == kNever) return;
  set(exchange, "Retry-After", std::max<std::uint64_t>(seconds(nanoseconds), 1));
}

}  // namespace lingate::middleware::limits
