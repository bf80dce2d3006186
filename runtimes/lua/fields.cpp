#include "runtimes/lua/fields.h"

#include <iterator>

namespace lingate::runtimes::lua {
namespace {

constexpr const char* kNames[] = {"",
                                  "id",
                                  "method",
                                  "scheme",
                                  "host",
                                  "path",
                                  "query",
                                  "version",
                                  "params",
                                  "headers",
                                  "body",
                                  "client",
                                  "route",
                                  "session",
                                  "text",
                                  "json",
                                  "status",
                                  "ip",
                                  "port",
                                  "tls",
                                  "alias",
                                  "org",
                                  "tags",
                                  "metadata",
                                  "rate",
                                  "per",
                                  "burst",
                                  "quota_max",
                                  "quota_remaining",
                                  "quota_renews",
                                  "expires",
                                  "values",
                                  "add",
                                  "lines"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Field::count_));

}  // namespace

void Fields::learn(lua_State* state) {
  lua_createtable(state, static_cast<int>(std::size(kNames)), 0);
  for (std::size_t i = 1; i < std::size(kNames); ++i) {
    lua_pushstring(state, kNames[i]);
    const char* name = lua_tolstring(state, -1, nullptr);
    lua_rawseti(state, -2, static_cast<int>(i));
    std::size_t slot = start(name);
    while (names_[slot])
      slot = (slot + 1) % kSlots;
    names_[slot] = name;
    fields_[slot] = static_cast<Field>(i);
  }
  luaL_ref(state, LUA_REGISTRYINDEX);
}

}  // namespace lingate::runtimes::lua
