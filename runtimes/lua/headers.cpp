// req.headers and res.headers.
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

template <Side side>
HeadView& head_of(CallSlot& slot) {
  return side == Side::request ? slot.view->request_head() : slot.view->response_head();
}

HeadView& self_head(lua_State* state, const char* method) {
  Side side;
  CallSlot& slot = live_self(state, Kind::request_headers, Kind::response_headers, method, side);
  return side == Side::request ? slot.view->request_head() : slot.view->response_head();
}

int headers_index(lua_State* state) {
  live(state);
  if (lua_type(state, 2) != LUA_TSTRING) raise(state, "a header's name is a string");
  switch (const Field field = Environment::of(state).fields.at(state, 2)) {
    case Field::values:
    case Field::add:
    case Field::lines: return push_method(state, field);
    default: return 0;
  }
}

[[noreturn]] void no_header_value(lua_State* state, int index) {
  lua_pushfstring(state, "a header's value is a string or a list of strings, not a %s",
                  lua_istable(state, index) ? "table that is no list of strings" : luaL_typename(state, index));
  raise(state, view_at(state, -1));
}

// The strings of the list at 3, into the environment's scratch.
std::span<const std::string_view> list_values(lua_State* state) {
  Environment& environment = Environment::of(state);
  std::vector<std::string_view>& values = environment.views;
  values.clear();
  const std::size_t size = lua_objlen(state, 3);
  for (std::size_t i = 1; i <= size; ++i) {
    lua_rawgeti(state, 3, static_cast<int>(i));
    if (lua_type(state, -1) != LUA_TSTRING) no_header_value(state, 3);
    if (values.size() > environment.script.limits.fields) break;  // too many already: the write is refused
    values.push_back(view_at(state, -1));                         // the table keeps the string
    lua_pop(state, 1);
  }
  if (size == 0) {
    lua_pushnil(state);
    if (lua_next(state, 3)) no_header_value(state, 3);
  }
  return values;
}

template <Side side>
int headers_new_index(lua_State* state) {
  CallSlot& slot = live(state);
  const std::string_view name = check_text(state, 2, "a header's name");
  HeadView& head = head_of<side>(slot);
  if (lua_type(state, 3) == LUA_TSTRING) {
    const std::string_view value = view_at(state, 3);
    raise_if(state, head.set(name, {&value, 1}));
  } else if (lua_isnil(state, 3) || is_null(state, 3)) {
    raise_if(state, head.remove(name));
  } else if (lua_istable(state, 3)) {
    const auto values = list_values(state);
    raise_if(state, values.empty() ? head.remove(name) : head.set(name, values));
  } else {
    no_header_value(state, 3);
  }
  return 0;
}

int headers_values(lua_State* state) {
  HeadView& head = self_head(state, "values()");
  const std::string_view name = check_text(state, 2, "a header's name");
  Environment& environment = Environment::of(state);
  head.values(name, environment.views);
  lua_createtable(state, static_cast<int>(environment.views.size()), 0);
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.array_metatable);
  lua_setmetatable(state, -2);
  int index = 0;
  for (std::string_view value : environment.views) {
    push(state, value);
    lua_rawseti(state, -2, ++index);
  }
  return 1;
}

int headers_add(lua_State* state) {
  HeadView& head = self_head(state, "add()");
  const std::string_view name = check_text(state, 2, "a header's name");
  if (lua_type(state, 3) != LUA_TSTRING) no_header_value(state, 3);
  raise_if(state, head.add(name, view_at(state, 3)));
  return 0;
}

int headers_lines(lua_State* state) {
  HeadView& head = self_head(state, "lines()");
  lua_newtable(state);
  int index = 0;
  for (const HeadView::Line& line : head.lines()) {
    lua_createtable(state, 2, 0);
    push(state, line.name);
    lua_rawseti(state, -2, 1);
    push(state, line.value);
    lua_rawseti(state, -2, 2);
    lua_rawseti(state, -2, ++index);
  }
  return 1;
}

// ---- pairs(): distinct names, each with its first value ----

int next_name(lua_State* state) {
  const auto index = lua_tointeger(state, lua_upvalueindex(2)) + 1;
  lua_pushinteger(state, index);
  lua_replace(state, lua_upvalueindex(2));
  lua_rawgeti(state, lua_upvalueindex(1), static_cast<int>(2 * index - 1));
  lua_rawgeti(state, lua_upvalueindex(1), static_cast<int>(2 * index));
  return 2;
}

template <Side side>
int headers_pairs(lua_State* state) {
  CallSlot& slot = live(state);
  HeadView& head = head_of<side>(slot);
  std::vector<std::string_view>& names = Environment::of(state).views;
  head.names(names);
  lua_createtable(state, static_cast<int>(2 * names.size()), 0);
  int index = 0;
  for (std::string_view name : names) {
    push(state, name);
    lua_rawseti(state, -2, ++index);
    const std::string_view* value = head.get(name);
    push(state, value ? *value : std::string_view());
    lua_rawseti(state, -2, ++index);
  }
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, &next_name, 2);
  return 1;
}

}  // namespace

const Behaviour kRequestHeadersBehaviour{"req.headers", &headers_index, &headers_new_index<Side::request>,
                                         &headers_pairs<Side::request>};
const Behaviour kResponseHeadersBehaviour{"res.headers", &headers_index, &headers_new_index<Side::response>,
                                          &headers_pairs<Side::response>};

void add_headers_methods(Environment& environment) {
  add_method(environment, Field::values, &headers_values);
  add_method(environment, Field::add, &headers_add);
  add_method(environment, Field::lines, &headers_lines);
}

}  // namespace lingate::runtimes::lua
