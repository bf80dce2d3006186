// TicketKeys: what session tickets are sealed with, so that a client that comes again skips most of the handshake. A
// key seals for half a day and opens for another half; who has stolen a machine's memory can open no ticket of the day
// before.
//
// Thread: any; guarded by a lock that is held for a copy. Lifetime: its context's.
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>

namespace lingate::tls {

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours kLife{12};  // of a key as the one that seals, and of a ticket

  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
  };
  struct Found {
    Key key;
    bool current = false;  // the ticket need not be renewed
  };

  ~TicketKeys();

  // The key that seals now. Nothing: no random numbers can be had.
  std::optional<Key> sealing(Clock::time_point now);
  // The key that sealed a ticket, by its name. Nothing: it is too old, or somebody else's.
  std::optional<Found> opening(std::span<const unsigned char, 16> name, Clock::time_point now);

 private:
  bool rotate(Clock::time_point now);

  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;
  Clock::time_point made_{};  // the current one
};

}  // namespace lingate::tls
