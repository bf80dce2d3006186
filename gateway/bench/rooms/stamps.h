// Stamps: where the time of one request goes. A Stamped runtime leaves a reading of the clock whenever a call enters an
// engine and returns from it; a script that logs while it runs leaves more. Only the slices that split a cost into its
// parts run through it, so the other figures hold no stamp.
//
// Thread: written on whatever thread runs the instance, read by the measuring thread once the call is over.
// Lifetime: a Stamped outlives its instances.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>

#include "base/loop.h"
#include "runtimes/runtime.h"

namespace lingate::bench {

// Of one request: what its calls did, one after the other.
struct Stamps {
  static constexpr std::size_t kCalls = 4;
  static constexpr std::size_t kLogs = 8;

  struct Call {
    Clock::time_point in{};
    Clock::time_point out{};
    std::array<Clock::time_point, kLogs> logs{};
    std::size_t logged = 0;
  };

  std::array<Call, kCalls> calls{};
  std::size_t count = 0;

  void clear() noexcept { count = 0; }
};

class Stamped final : public runtimes::Runtime {
 public:
  Stamped(runtimes::Runtime& inner, Stamps& stamps) : inner_(inner), stamps_(stamps) {}

  std::string_view name() const noexcept override { return inner_.name(); }
  std::string version() const override { return inner_.version(); }
  std::vector<std::string_view> extensions() const override { return inner_.extensions(); }
  Result<std::unique_ptr<runtimes::Instance>, runtimes::LoadError> load(const runtimes::Script& script,
                                                                        runtimes::Host& host) override;
  bool independent() const noexcept override { return inner_.independent(); }

 private:
  runtimes::Runtime& inner_;
  Stamps& stamps_;
};

}  // namespace lingate::bench
