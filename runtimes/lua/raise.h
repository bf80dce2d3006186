// Raising script errors from native functions. A Lua error leaves a C++ frame without a return, so nothing with a
// destructor may be alive where one is raised: these take the text out of what holds it first.
#pragma once

#include <string>
#include <string_view>

#include "runtimes/call_view.h"
#include "runtimes/lua/engine.h"

namespace lingate::runtimes::lua {

// The prelude's name as a chunk: its functions count as native ones wherever a place is shown.
inline constexpr const char* kPreludeName = "=lingate";

// Raises "file:line: text", with the position of the script's function that called the running native one.
[[noreturn]] void raise(lua_State* state, std::string_view text);

// Empties `text` and raises what it held.
[[noreturn]] void raise_and_drop(lua_State* state, std::string& text);

inline void raise_if(lua_State* state, Refusal&& refusal) {
  if (refusal) raise_and_drop(state, *refusal);
}

inline std::string_view view_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  return {text, size};
}

inline void push(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

// An argument that must be a string: numbers are not converted.
std::string_view check_text(lua_State* state, int index, const char* what);

}  // namespace lingate::runtimes::lua
