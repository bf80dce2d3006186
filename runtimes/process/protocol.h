// What passes between a pool and its worker processes: the kinds of frames, and the page of shared memory that stands
// before the two rings. Both sides are the same program, so that numbers go as they lie in memory.
//
//   pool ──▶ worker   load, then start, resume, cancel
//   worker ──▶ pool   loaded or refused, then finished, suspended, log; spent before it ends for being unusable
//
// `serial` counts the calls of one worker and names one for good; `id` is the instance's own name for it, given again.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/process/ring.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::process {

enum class Kind : std::uint16_t {
  load = 1,   // payload: pack_load()
  start,      // detail: the hook; number: budget in ns; payload: the Call
  resume,     // number: what is left of the budget
  cancel,     //
  loaded,     // payload: pack_loaded()
  refused,    // payload: pack_error()
  finished,   // number: ns of running; payload: the Verdict
  suspended,  // number: ns of running; payload: the seconds to sleep
  log,        // detail: the level; number: length of the message; payload: message and fields
  spent,      // the instance cannot be used any more
};

// `running` while the instance is in something that belongs to no call: its collector, a cancellation.
inline constexpr std::uint64_t kNoCall = UINT64_MAX;

// The most lines that a worker passes on since it entered a call; it keeps the rest to itself. So there are at most
// twice as many between two frames that are none: those of a call, and what its threads and finalisers log after the
// last one.
inline constexpr std::uint32_t kMostLogs = 1024;

// The descriptors that a worker process is started with.
inline constexpr int kMemoryFd = 3;
inline constexpr int kBellFd = 4;

struct Shared {
  RingCounters calls;
  RingCounters replies;
  alignas(64) std::atomic<std::uint32_t> asleep{0};  // futex: 1 while the worker waits for a frame
  alignas(64) std::atomic<std::uint32_t> bell{1};    // 1: the pool wants to hear of the next reply
  alignas(64) std::atomic<std::uint64_t> begun{0};   // serial of the last call that was begun
  std::atomic<std::uint64_t> running{0};  // serial of the call that the instance is in, or kNoCall; 0: it is idle
  std::atomic<std::int64_t> since{0};     // Clock: when it was entered
  std::atomic<std::uint64_t> memory{0};   // bytes that the instance holds
  std::uint64_t capacity = 0;             // of each ring
  std::int32_t parent = 0;
};

inline constexpr std::size_t kRingsAt = 4096;  // where the rings begin: calls, then replies
static_assert(sizeof(Shared) <= kRingsAt);
constexpr std::size_t memory_size(std::size_t capacity) noexcept {
  return kRingsAt + 2 * capacity;
}

struct Load {
  std::string runtime;
  Script script;
};

std::string pack_load(std::string_view runtime, const Script& script);
Load unpack_load(std::string_view bytes);
// What a worker tells of the instance that it has loaded, as Instance does.
struct Loaded {
  HookSet hooks;
  std::vector<std::string> dependencies;
};

std::string pack_loaded(const Loaded& loaded);
std::optional<Loaded> unpack_loaded(std::string_view bytes);
std::string pack_error(const LoadError& error);
LoadError unpack_error(std::string_view bytes);

}  // namespace lingate::runtimes::process
