// Slot: one call in flight, from start() to its end, suspensions included. Slots are reused with all that they own: the
// coroutine, and the objects that the script sees, as long as nothing in the script still refers to them.
// An object that a script kept is cut off instead ("the call is over") and replaced.
//
// Thread: the instance's. Lifetime: the instance's; `cells` and what is in it belong to the engine's collector and are
// kept alive by the instance's stash.
#pragma once

#include <duktape.h>

#include <array>
#include <cstdint>
#include <string>

#include "runtimes/call_view.h"

namespace lingate::runtimes::duktape {

class Vm;

// Host objects of a call; each has its place in the cells.
enum class Thing : std::uint8_t { req, res, req_headers, res_headers, session, client, params, answer };
inline constexpr std::size_t kThings = 8;

// A JS array per slot. The prelude's loop reads the first ones by these numbers.
enum Cell : duk_uarridx_t { kCellHook, kCellKind, kCellContext, kCellThread, kCellTags, kCellMetadata, kCellThings };

// How the script's copy of tags or metadata stands.
enum class Container : std::uint8_t { untouched, given };

struct Slot {
  explicit Slot(Vm& owner) : vm(&owner) {}

  Vm* vm;
  CallView* view = nullptr;  // of the call in flight
  CallId id = 0;
  void* tag = nullptr;
  enum class State : std::uint8_t { free, running, suspended } state = State::free;
  bool broken = true;  // the coroutine and the cells must be made anew

  void* cells = nullptr;   // heap pointer of the array
  void* thread = nullptr;  // heap pointer of the coroutine
  void* hook = nullptr;    // what the cells hold now
  Hook kind = Hook::init;
  std::array<void*, kThings> things{};  // heap pointers, nullptr: not made
  void* context = nullptr;              // heap pointer of ctx's object, if this call has one
  void* spare = nullptr;                // an empty object that nobody refers to, for the next ctx
  Container tags = Container::untouched;
  Container metadata = Container::untouched;

  bool waiting = false;  // the script waits for `operation`
  bool valid = true;     // the hook ended as it may; otherwise Vm::error_text says why not
  HostOperation operation;
  std::string host_error;

  void* thing(Thing which) const noexcept { return things[static_cast<std::size_t>(which)]; }
  static duk_uarridx_t cell(Thing which) noexcept { return kCellThings + static_cast<duk_uarridx_t>(which); }
};

}  // namespace lingate::runtimes::duktape
