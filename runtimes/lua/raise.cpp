#include "runtimes/lua/raise.h"

#include <cstring>

namespace lingate::runtimes::lua {
namespace {

// The innermost function of the script: not a native one, not the prelude.
void push_position(lua_State* state) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(state, level, &frame); ++level) {
    lua_getinfo(state, "Sl", &frame);
    if (frame.currentline <= 0 || std::strcmp(frame.source, kPreludeName) == 0) continue;
    lua_pushfstring(state, "%s:%d: ", frame.short_src, frame.currentline);
    return;
  }
  lua_pushliteral(state, "");
}

[[noreturn]] void raise_top(lua_State* state) {
  push_position(state);
  lua_insert(state, -2);
  lua_concat(state, 2);
  lua_error(state);
  __builtin_unreachable();
}

}  // namespace

void raise(lua_State* state, std::string_view text) {
  push(state, text);
  raise_top(state);
}

void raise_and_drop(lua_State* state, std::string& text) {
  push(state, text);
  std::string().swap(text);
  raise_top(state);
}

std::string_view check_text(lua_State* state, int index, const char* what) {
  if (lua_type(state, index) != LUA_TSTRING) {
    const char* type = lua_isnone(state, index) ? "nothing" : luaL_typename(state, index);
    lua_pushfstring(state, "%s must be a string, not %s", what, type);
    raise_top(state);
  }
  return view_at(state, index);
}

}  // namespace lingate::runtimes::lua
