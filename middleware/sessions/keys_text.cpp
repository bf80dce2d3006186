#include "middleware/sessions/keys_text.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace lingate::middleware::keys {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648, base 32

// Five bits a letter; `Bytes` is a multiple of five.
template <std::size_t Bytes>
KeyResult<std::string> random_text(std::string_view prefix) {
  std::array<unsigned char, Bytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(fault(KeyFault::Kind::unavailable, "", "the system has no random numbers"));
  std::string text(prefix);
  for (std::size_t at = 0; at < Bytes; at += 5) {
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < 5; ++k)
      bits = bits << 8U | bytes[at + k];
    for (unsigned shift = 40; shift != 0; shift -= 5)
      text += kLetters[bits >> (shift - 5) & 31U];
  }
  return text;
}

}  // namespace

KeyFault fault(KeyFault::Kind kind, std::string field, std::string message) {
  return {kind, std::move(field), std::move(message)};
}

double now() noexcept {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

store::Time time_of(double seconds) noexcept {
  return store::Time(std::chrono::milliseconds(std::llround(std::min(seconds, kLatest) * 1000)));
}

KeyResult<void> check_time(std::string_view field, double seconds) {
  if (seconds > kLatest)
    return fail(fault(KeyFault::Kind::invalid, std::string(field), "the time is beyond the year 2261"));
  if (seconds > now()) return {};
  return fail(fault(KeyFault::Kind::invalid, std::string(field), "the time is over; to end a session, revoke it"));
}

KeyResult<std::string> make_key() {
  return random_text<20>("lg_");
}

KeyResult<std::string> make_id() {
  return random_text<10>("s_");
}

KeyResult<void> check_key(std::string_view key) {
  if (key.size() < Keys::kShortestKey || key.size() > Keys::kLongestKey)
    return fail(fault(KeyFault::Kind::invalid, "key",
                      "a key has " + std::to_string(Keys::kShortestKey) + " to " + std::to_string(Keys::kLongestKey) +
                          " characters; without one a random key is made"));
  if (std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return {};
  return fail(fault(KeyFault::Kind::invalid, "key", "a key is visible ASCII, without spaces"));
}

}  // namespace lingate::middleware::keys
