// The calls of one turn of a loop, see ScriptStep::Lane.
#include <algorithm>
#include <utility>

#include "middleware/script_flight.h"

namespace lingate::middleware {
namespace {

using Stage = ScriptFlight::Stage;

// The first answer of a long turn leaves before the last script runs.
constexpr std::chrono::milliseconds kLongest{1};

}  // namespace

bool ScriptStep::Lane::put_off(Loop& on, ScriptFlight& flight) {
  if (!registered && !on.put_off(*this)) return false;
  loop = &on;
  registered = true;
  flight.stage = Stage::put_off;
  waiting.push_back(&flight);
  return true;
}

void ScriptStep::Lane::drop(ScriptFlight& flight) noexcept {
  flight.stage = Stage::direct;
  for (auto* const list : {&waiting, &turn})
    std::replace(list->begin(), list->end(), &flight, static_cast<ScriptFlight*>(nullptr));
}

// What is applied may lead to further calls, and may end others of the turn.
void ScriptStep::Lane::turn_ends() noexcept {
  registered = false;
  turn.swap(waiting);
  for (std::size_t from = 0; from < turn.size();) {
    const std::size_t to = call_some(from);
    for (; from < to; ++from)
      if (ScriptFlight* const flight = std::exchange(turn[from], nullptr)) {
        flight->stage = Stage::direct;
        flight->go_on();
      }
    if (from == turn.size() || !(registered || loop->put_off(*this))) continue;
    registered = true;
    waiting.insert(waiting.begin(), turn.begin() + static_cast<std::ptrdiff_t>(from), turn.end());
    break;
  }
  turn.clear();
}

// Returns who comes next. What has come of a call stays in `turn`; who waits for something is completed later.
std::size_t ScriptStep::Lane::call_some(std::size_t from) noexcept {
  const Clock::time_point began = loop->refresh();
  do {
    if (!turn[from]) continue;
    ScriptFlight& flight = *turn[from];
    if (step->pool_.call(*loop, flight) == runtimes::RuntimePool::Started::finished) {
      flight.stage = Stage::called;
    } else {
      flight.stage = Stage::direct;
      turn[from] = nullptr;
    }
  } while (++from < turn.size() && loop->now() - began < kLongest);
  return from;
}

}  // namespace lingate::middleware
