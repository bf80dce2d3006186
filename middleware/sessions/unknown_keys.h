// UnknownKeys: keys that no session has: a worker's short memory of them, so that one that is sent again and again
// costs one question a second. Keys are known by their hashes.
//
// Thread: its worker's. Lifetime: a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"

namespace lingate::middleware {

class UnknownKeys {
 public:
  static constexpr std::chrono::seconds kFor{1};

  // What makes it out of date.
  struct State {
    std::uint32_t changes = 0;  // of the key
    std::uint32_t epoch = 0;
    friend bool operator==(const State&, const State&) = default;
  };

  bool has(std::string_view hash, const State& state, Clock::time_point now) const noexcept {
    const Place& place = places_[index_of(hash)];
    return place.until > now && place.state == state && place.hash == hash;
  }
  void put(std::string_view hash, const State& state, Clock::time_point now) {
    places_[index_of(hash)] = {std::string(hash), state, now + kFor};
  }

 private:
  static constexpr std::size_t kPlaces = 1024;
  struct Place {
    std::string hash;
    State state;
    Clock::time_point until{};
  };
  static std::size_t index_of(std::string_view hash) noexcept { return std::hash<std::string_view>()(hash) % kPlaces; }

  std::vector<Place> places_ = std::vector<Place>(kPlaces);
};

}  // namespace lingate::middleware
