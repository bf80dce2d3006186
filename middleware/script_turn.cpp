// The calls of one turn of a loop, see ScriptStep::Lane.
#include <utility>

#include "middleware/script_flight.h"

namespace lingate::middleware {
namespace {

// The first answer of a long turn leaves before the last script runs.
constexpr std::chrono::milliseconds kLongest{1};

}  // namespace

bool ScriptStep::Lane::put_off(Loop& on, const PutOff& call) {
  if (!registered && !on.put_off(*this)) return false;
  loop = &on;
  registered = true;
  waiting.push_back(call);
  call.record->state = this;
  return true;
}

void ScriptStep::Lane::drop(const Exchange& exchange) noexcept {
  for (auto* const list : {&waiting, &turn})
    for (PutOff& call : *list)
      if (call.exchange == &exchange) call.exchange = nullptr;
}

// Those that go on may come to further calls, and may end others of the turn.
void ScriptStep::Lane::turn_ends() noexcept {
  registered = false;
  turn.swap(waiting);
  for (std::size_t from = 0; from < turn.size();) {
    const std::size_t to = call_some(from);
    for (; from < to; ++from)
      if (Exchange* const exchange = std::exchange(turn[from].exchange, nullptr)) {
        turn[from].record->state = nullptr;
        exchange->run.resume(turn[from].flow);
      }
    if (from == turn.size() || !(registered || loop->put_off(*this))) continue;
    registered = true;
    waiting.insert(waiting.begin(), turn.begin() + static_cast<std::ptrdiff_t>(from), turn.end());
    break;
  }
  turn.clear();
}

// Returns who comes next. Who waits for something goes on when it is completed.
std::size_t ScriptStep::Lane::call_some(std::size_t from) noexcept {
  const Clock::time_point began = loop->refresh();
  do {
    PutOff& call = turn[from];
    if (!call.exchange) continue;
    call.flow = step->call_now(*call.exchange, *call.record, call.hook);
    if (call.flow == Flow::wait)
      call.exchange = nullptr;
    else
      call.record->state = this;
  } while (++from < turn.size() && loop->now() - began < kLongest);
  return from;
}

}  // namespace lingate::middleware
