#include "runtimes/pool_flight.h"

#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/pool_lane.h"
#include "runtimes/pool_state.h"

namespace lingate::runtimes::pool {

// What runs here may end the last exchange of a snapshot, and with it the pool: the state is held meanwhile.

void Flight::run() noexcept {
  State& state = lane_.state_;  // held by this flight since it went away
  if (!state.closed.load(std::memory_order_acquire)) lane_.came_home(*this);
  state.release();
}

void Flight::expired() noexcept {
  State& state = lane_.state_;
  state.hold();
  lane_.expired(*this);
  state.release();
}

void FlightList::push_back(Flight& flight) noexcept {
  flight.next = nullptr;
  flight.previous = last_;
  (last_ ? last_->next : first_) = &flight;
  last_ = &flight;
  ++size_;
}

void FlightList::remove(Flight& flight) noexcept {
  (flight.previous ? flight.previous->next : first_) = flight.next;
  (flight.next ? flight.next->previous : last_) = flight.previous;
  flight.next = flight.previous = nullptr;
  --size_;
}

Flight* FlightList::pop_front() noexcept {
  Flight* const flight = first_;
  if (flight) remove(*flight);
  return flight;
}

CallId CallIds::take() {
  if (free_.empty()) {
    free_.reserve(next_ + 1);  // so that give() never allocates
    return next_++;
  }
  const CallId id = free_.back();
  free_.pop_back();
  return id;
}

FailureKind failure_of(std::string_view verdict) noexcept {
  constexpr auto kKey = static_cast<char>(proto::key_of(proto::verdict::kFailure, proto::WireType::bytes));
  if (!verdict.starts_with(kKey)) return {};
  proto::Reader reader(verdict);
  proto::Field field;
  if (!reader.next(field) || !field.is(proto::verdict::kFailure, proto::WireType::bytes)) return {};
  proto::Reader failure(field.bytes);
  if (!failure.next(field) || !field.is(proto::failure::kKind, proto::WireType::varint)) return {};
  return field.value <= static_cast<std::uint64_t>(FailureKind::unavailable) ? static_cast<FailureKind>(field.value)
                                                                             : FailureKind{};
}

}  // namespace lingate::runtimes::pool
