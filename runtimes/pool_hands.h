// Hands: whoever runs the calls that leave a lane: the threads of the Crew, or worker Processes. The lane decides about
// time and asks; a flight that was submitted comes home to its lane by itself.
//
// Thread: the lane's worker's. Lifetime: the pool's.
#pragma once

#include <cstdint>

#include "runtimes/pool_flight.h"

namespace lingate::runtimes::pool {

class Hands {
 public:
  // Takes over a flight. False: nobody could serve it, or (cancel) there is nothing to wait for; it stays with the
  // caller.
  virtual bool submit(Flight& flight) noexcept = 0;
  // Takes a flight back if nobody has begun on it.
  virtual bool take_back(Flight& flight) noexcept = 0;

  struct Status {
    Flight::Place place = Flight::Place::none;
    Clock::time_point run_until{};  // running
  };
  virtual Status status(const Flight& flight) noexcept = 0;

  // A flight has run past its budget and the grace: is it the one to blame? `held_up`: it only waits for the one
  // interpreter of its runtime, which another call holds; `returned`: it is on its way home.
  enum class Overdue : std::uint8_t { returned, holder, held_up };
  virtual Overdue overdue(const Flight& flight) noexcept = 0;

  // A flight has queued for long: looks for who is stuck, and puts another in its place where that helps.
  virtual void relieve(Clock::time_point now) noexcept = 0;

  struct Figures {
    std::uint32_t idle = 0, busy = 0, queued = 0;
    std::uint32_t resting = 0;  // worker processes that died again and again
    std::uint64_t memory = 0;
  };

 protected:
  ~Hands() = default;
};

}  // namespace lingate::runtimes::pool
