// KeyedHash: 128 bits for who is counted and by what, SipHash-1-3 under a key that each process draws for itself.
// Nobody outside can make two callers meet, so tables of counters keep the bits and never the text.
//
// A value. Thread: any.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lingate::middleware::limits {

struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Key&, const Key&) = default;
};

class KeyedHash {
 public:
  KeyedHash(std::uint64_t first, std::uint64_t second) noexcept : first_(first), second_(second) {}
  static KeyedHash of_this_process();  // a key of its own

  // Two numbers and a text, taken as 16 bytes and those of the text.
  Key operator()(std::uint64_t a, std::uint64_t b, std::string_view text) const noexcept;

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;
    void round() noexcept;
    void take(std::uint64_t word) noexcept;
  };

  std::uint64_t first_;
  std::uint64_t second_;
};

inline void KeyedHash::State::round() noexcept {
  v0 += v1;
  v2 += v3;
  v1 = std::rotl(v1, 13) ^ v0;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 = std::rotl(v0, 32);
  v2 += v1;
  v0 += v3;
  v1 = std::rotl(v1, 17) ^ v2;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 = std::rotl(v2, 32);
}

inline void KeyedHash::State::take(std::uint64_t word) noexcept {
  v3 ^= word;
  round();
  v0 ^= word;
}

inline Key KeyedHash::operator()(std::uint64_t a, std::uint64_t b, std::string_view text) const noexcept {
  State state{first_ ^ 0x736f6d6570736575ULL, second_ ^ 0x646f72616e646f6dULL ^ 0xeeULL, first_ ^ 0x6c7967656e657261ULL,
              second_ ^ 0x7465646279746573ULL};
  const std::size_t size = text.size();
  state.take(a);
  state.take(b);
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    state.take(word);
  }
  std::uint64_t last = 0;
  if (!text.empty()) std::memcpy(&last, text.data(), text.size());
  state.take(last | (static_cast<std::uint64_t>(size + 16) << 56U));
  const auto finish = [&state] {
    for (int k = 0; k < 3; ++k)
      state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  };
  state.v2 ^= 0xee;
  const std::uint64_t high = finish();
  state.v1 ^= 0xdd;
  return {high, finish()};
}

}  // namespace lingate::middleware::limits
