// Environment: what the native functions of one instance share: its VM, its script, its host, the calls in flight and
// the values that the registry keeps. CallSlot is one call in flight: its view, its coroutine, and the generation that
// makes the objects of an earlier call stale.
//
// Thread: the instance's. Lifetime: the instance's; slots are never freed before it, so an object that a script kept
// may always look at its slot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/call_view.h"
#include "runtimes/lua/fields.h"
#include "runtimes/lua/handle.h"
#include "runtimes/lua/vm.h"
#include "runtimes/runtime.h"
#include "runtimes/value.h"

namespace lingate::runtimes::lua {

// What a slot keeps in the registry while its call lives: handles, for compiled code to find, and tables.
enum class Kept : std::uint8_t { request_headers, response_headers, session, context, tags, metadata, count_ };

struct CallSlot {
  std::uint32_t index = 0;  // in handles
  CallId id = 0;
  Hook hook = Hook::request;
  void* tag = nullptr;
  std::uint32_t generation = 1;
  std::uint32_t answers = 0;  // respond() calls so far; only the last is in the view
  std::uint32_t kept = 0;     // bits of Kept: what holds a value of this call
  bool waits = false;         // a host operation is named in `operation`
  HostOperation operation;
  lua_State* coroutine = nullptr;
  int coroutine_ref = LUA_NOREF;
  std::array<int, static_cast<std::size_t>(Kept::count_)> refs{};  // registry index of each Kept
  CallView* view = nullptr;                                        // of the call in flight

  bool has(Kept which) const noexcept { return kept >> static_cast<unsigned>(which) & 1; }
  int ref(Kept which) const noexcept { return refs[static_cast<std::size_t>(which)]; }
};

// What a kind of object does.
struct Behaviour {
  const char* name;
  lua_CFunction index;
  lua_CFunction new_index;
  lua_CFunction pairs;  // nullptr: cannot be walked
};

// A source that was compiled, by the name that LuaJIT puts into messages.
struct Chunk {
  std::string shown;
  std::string path;
};

// What a script asked for, where compiled code finds it (direct.h). The prelude declares the same.
struct DirectAnswer {
  const char* bytes = nullptr;
  double number = 0;
  std::uint32_t size = 0;
};

struct Environment {
  Environment(const Script& from, Host& to) : script(from), host(to), vm(from.memory, *this) {}

  CallSlot* slot_at(std::uint32_t index) const noexcept { return index < by_index.size() ? by_index[index] : nullptr; }

  static Environment& of(lua_State* state) noexcept { return Vm::of(state).environment(); }

  Script script;
  Host& host;
  CallSlot* current = nullptr;  // nullptr while loading
  std::vector<std::unique_ptr<CallSlot>> slots;
  std::vector<CallSlot*> free_slots;
  std::vector<CallSlot*> by_index;  // nullptr: all generations of that index are used up
  std::vector<Chunk> chunks;
  std::vector<std::string> dependencies;
  bool loading = true;
  std::optional<LoadError> stopped;  // where the script was when it was stopped: stack, file, line
  Fields fields;
  DirectAnswer direct_answer;
  std::uint32_t usual[4] = {};  // by hook: handles that the script asks for, as bits of Kept

  // Scratch, reused so that a call allocates nothing in the steady state.
  WireWriter wire;
  JsonWriter json;
  std::vector<std::string_view> views;
  std::vector<AnswerParts::Line> lines;

  // Registry references.
  int metatable = LUA_NOREF;                                  // of handles
  int answer_metatable = LUA_NOREF;                           // of what respond() gives
  int methods[static_cast<std::size_t>(Field::count_)] = {};  // functions that an object's field answers
  int array_metatable = LUA_NOREF;
  int nesting = LUA_NOREF;  // how deep coroutines of the script run in each other
  int hooks[4] = {LUA_NOREF, LUA_NOREF, LUA_NOREF, LUA_NOREF};
  int arity_of = LUA_NOREF;
  int config = LUA_NOREF;
  int freeze_globals = LUA_NOREF;  // a function, for when the script has loaded
  int next = LUA_NOREF;            // the function, whatever the script makes of its global

  Vm vm;  // last: gone first, while what its objects look at is still there
};

}  // namespace lingate::runtimes::lua
