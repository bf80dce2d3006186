// What the step `script` keeps for each call, and for each worker. Internal to script.cpp and script_turn.cpp.
//
// Thread: the worker's. Lifetime: the step's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "middleware/script.h"

namespace lingate::middleware {

// One call on its way through the pool. Kept in a free list of its worker; at rest nothing of it is in use.
class ScriptFlight final : public runtimes::ScriptCall, private CallTag::Names {
 public:
  ScriptFlight(const ScriptStep& owner, std::uint32_t on, CallTag& own_tag)
      : step(owner), worker(on), mark(own_tag), verdict_reader(origin_of(owner.pool_.options().placement)) {}

  // The call is read from the exchange as long as it stays on its thread.
  void read_from(Exchange& from, const CallShape& shape) noexcept {
    parts.begin(from, shape, buffers);
    source = &parts;
    room = &from.arena;
    tag = mark.begin(*this);
  }
  void encode() noexcept override {
    encode_call(*exchange, step.shape(hook), buffers, input);
    source = nullptr;
    tag = mark.begin(exchange->id(), exchange->route());
  }
  VerdictReader::Outcome apply_verdict(const runtimes::ScriptLimits& limits) {
    using Lines = VerdictReader::Lines;
    if (!verdict()) return verdict_reader.apply(*exchange, hook, foreign_verdict(), limits);
    return verdict_reader.apply(*exchange, hook, *verdict(), limits, source ? Lines::in_arena : Lines::elsewhere);
  }
  // One that carried a large body does not keep its room.
  void tidy() noexcept {
    constexpr std::size_t kKeep = 256 * 1024;
    if (input.capacity() > kKeep) std::string().swap(input);
    give_back_room();
  }

  void completed() noexcept override {
    if (hook == runtimes::Hook::log) return step.conclude_log(*this);
    Exchange& waiting = *exchange;
    const Flow flow = step.conclude(*this);  // gives the flight back
    waiting.run.resume(flow);
  }

  const ScriptStep& step;
  const std::uint32_t worker;
  CallTag& mark;
  CallBuffers buffers;
  ExchangeCall parts;
  VerdictReader verdict_reader;
  Exchange* exchange = nullptr;  // not for `log`: its exchange may be over
  StepRecord* record = nullptr;
  AppLog* log = nullptr;  // for `log`, as the next two
  std::string request_id;
  std::string_view log_route;  // of the snapshot
  std::string cache_key;       // not empty: the answer is to be kept
  ScriptCache::ContextBefore context_before = ScriptCache::ContextBefore::empty;

 private:
  std::string_view id() override { return exchange->id(); }
  std::string_view route() override { return exchange->route(); }
};

// Touched by its worker only; aligned so that workers do not share a cache line.
//
// Under load the calls of a turn are put off to its end: first all run and change their exchanges, then all go on. What
// a call walks and what goes on after it are both a lot of code, see gateway/http/readiness.h; and the calls that run
// one after the other do so in one flight, whose memory stays in the processor's first cache.
struct alignas(64) ScriptStep::Lane final : TurnEnd {
  // A call that is put off, then what came of it.
  struct PutOff {
    Exchange* exchange;  // nullptr: it is over, or what came of the call is told later
    StepRecord* record;  // its state is the lane
    runtimes::Hook hook;
    Flow flow = Flow::wait;
  };

  Lane() : TurnEnd(Part::calls) {}

  bool put_off(Loop& loop, const PutOff& call);
  void drop(const Exchange& exchange) noexcept;  // which is over, with a call put off
  bool is_quiet() const noexcept { return !registered && turn.empty() && free.size() == all.size(); }
  void turn_ends() noexcept override;

  const ScriptStep* step = nullptr;
  Loop* loop = nullptr;
  std::vector<std::unique_ptr<ScriptFlight>> all;
  std::vector<ScriptFlight*> free;
  std::vector<PutOff> waiting;
  std::vector<PutOff> turn;  // of these the turn's end is called just now
  bool registered = false;   // the loop will say turn_ends(), or is at it
  std::optional<ScriptCache> cache;
  std::optional<VerdictReader> known_reader;  // of what the cache has

 private:
  std::size_t call_some(std::size_t from) noexcept;
};

}  // namespace lingate::middleware
