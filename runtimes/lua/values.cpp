#include "runtimes/lua/values.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/lua/raise.h"
#include "runtimes/module.h"

namespace lingate::runtimes::lua {

namespace {

// Whether the value on top of the stack is the scalar that `value` encodes.
bool is_scalar(lua_State* state, std::string_view value) {
  proto::Reader reader(value);
  proto::Field field;
  if (!reader.next(field)) return false;
  switch (lua_type(state, -1)) {
    case LUA_TSTRING: return field.is(proto::value::kText, proto::WireType::bytes) && view_at(state, -1) == field.bytes;
    case LUA_TNUMBER:
      return field.is(proto::value::kNumber, proto::WireType::fixed64) && lua_tonumber(state, -1) == field.as_double();
    case LUA_TBOOLEAN:
      return field.is(proto::value::kBoolean, proto::WireType::varint) &&
             lua_toboolean(state, -1) == static_cast<int>(field.value != 0);
    default: return false;
  }
}

}  // namespace

bool surely_holds(lua_State* state, int index, std::string_view members) {
  const int top = lua_gettop(state);
  if (!lua_checkstack(state, 4)) return false;
  std::size_t count = 0;
  proto::Reader reader(members);
  for (proto::Field member; reader.next(member); ++count) {
    std::string_view name;
    std::string_view value;
    proto::Reader parts(member.bytes);
    for (proto::Field part; parts.next(part);)
      (part.number == proto::member::kName ? name : value) = part.bytes;
    lua_pushlstring(state, name.data(), name.size());
    lua_rawget(state, index);
    if (!is_scalar(state, value)) break;
    lua_pop(state, 1);
  }
  const bool all = lua_gettop(state) == top && !reader.failed();
  lua_settop(state, top);
  if (!all) return false;
  for (lua_pushnil(state); lua_next(state, index); lua_pop(state, 1))
    if (count-- == 0) break;
  const bool exactly = lua_gettop(state) == top && count == 0;
  lua_settop(state, top);
  return exactly;
}

// ---- TableBuilder ----

TableBuilder::TableBuilder(lua_State* state) : state_(state), environment_(Environment::of(state)) {
  // Two places a level, the table and a key that waits for its value, and some for the room's own use.
  luaL_checkstack(state, static_cast<int>(2 * kDepth + 8), "a value nests too deep");
}

bool TableBuilder::store() {
  if (depth_ == 0) return true;
  Level& level = levels_[depth_ - 1];
  ++level.entries;
  if (level.list)
    lua_rawseti(state_, -2, level.entries);
  else
    lua_rawset(state_, -3);
  return !environment_.vm.interrupted();
}

bool TableBuilder::open(bool list) {
  if (depth_ == kDepth) return false;
  const int entries = expected(depth_);
  lua_createtable(state_, list ? entries : 0, list ? 0 : entries);
  if (list) {
    lua_rawgeti(state_, LUA_REGISTRYINDEX, environment_.array_metatable);
    lua_setmetatable(state_, -2);
  }
  levels_[depth_++] = {.list = list, .entries = 0};
  return true;
}

bool TableBuilder::close() {
  const int entries = levels_[--depth_].entries;
  expected(depth_) = std::min(entries, kMostExpected);
  return store();
}

bool TableBuilder::null() {
  push_null(state_);
  return store();
}

bool TableBuilder::boolean(bool value) {
  lua_pushboolean(state_, value ? 1 : 0);
  return store();
}

bool TableBuilder::number(double value) {
  lua_pushnumber(state_, value);
  return store();
}

bool TableBuilder::text(std::string_view utf8) {
  lua_pushlstring(state_, utf8.data(), utf8.size());
  return store();
}

bool TableBuilder::begin_list() {
  return open(true);
}
bool TableBuilder::begin_map() {
  return open(false);
}
bool TableBuilder::end_list() {
  return close();
}
bool TableBuilder::end_map() {
  return close();
}

bool TableBuilder::key(std::string_view utf8) {
  lua_pushlstring(state_, utf8.data(), utf8.size());
  return true;
}

// ---- Path ----

std::string Path::text() const {
  std::string out(root_);
  for (std::size_t i = 0; i < std::min(depth_, segments_.size()) && out.size() < 512; ++i) {
    if (segments_[i].index > 0)
      out.append("[").append(std::to_string(segments_[i].index)).append("]");
    else
      out.append(".").append(utf8::cut(segments_[i].key, 64));
  }
  return out;
}

// ---- walk ----

namespace {

template <class Sink>
class Walker {
 public:
  Walker(lua_State* state, Sink& sink, std::string_view root)
      : state_(state), environment_(Environment::of(state)), sink_(sink), path_(root) {}

  bool value(int index);
  const Path& path() const noexcept { return path_; }

 private:
  // What is on the stack at most for each level: table, key and value.
  static constexpr int kLevelSlots = 6;
  // So many entries of a map stay on the stack while it is walked, in so many maps within each other; others are looked
  // up a second time.
  static constexpr int kMostKept = 32;
  static constexpr int kMostKeeping = 8;

  struct Entry {
    std::string_view name;
    int value;  // where it is on the stack; 0: to be looked up
  };

  bool table(int index);
  bool list(int index, int size);
  bool map(int index);
  bool collect(int index);
  bool refuse(std::string message) {
    sink_.refuse(std::move(message));
    return false;
  }

  lua_State* state_;
  Environment& environment_;
  Sink& sink_;
  Path path_;
  int open_maps_ = 0;
  std::vector<Entry> entries_;  // of all open maps, each sorted: the order of a Lua table is none
};

template <class Sink>
bool Walker<Sink>::value(int index) {
  if (environment_.vm.interrupted()) return refuse("the call was stopped");
  switch (lua_type(state_, index)) {
    case LUA_TBOOLEAN: return sink_.boolean(lua_toboolean(state_, index) != 0);
    case LUA_TNUMBER: return sink_.number(lua_tonumber(state_, index));
    case LUA_TSTRING: return sink_.text(view_at(state_, index));
    case LUA_TTABLE: return table(index);
    case LUA_TLIGHTUSERDATA:
      if (is_null(state_, index)) return sink_.null();
      break;
    default: break;
  }
  return refuse(std::string("a ") + luaL_typename(state_, index) + " is no value");
}

template <class Sink>
bool Walker<Sink>::table(int index) {
  if (!lua_checkstack(state_, kLevelSlots)) return refuse("lists and maps nest too deep");
  bool marked = false;
  if (lua_getmetatable(state_, index)) {
    lua_rawgeti(state_, LUA_REGISTRYINDEX, environment_.array_metatable);
    marked = lua_rawequal(state_, -1, -2) != 0;
    lua_pop(state_, 2);
  }
  const auto size = static_cast<int>(std::min<std::size_t>(lua_objlen(state_, index), INT32_MAX));
  return marked || size > 0 ? list(index, size) : map(index);
}

template <class Sink>
bool Walker<Sink>::list(int index, int size) {
  int entries = 0;
  for (lua_pushnil(state_); lua_next(state_, index); lua_pop(state_, 1)) {
    if (lua_type(state_, -2) != LUA_TNUMBER || ++entries > size) {
      const bool text = lua_type(state_, -2) == LUA_TSTRING;
      lua_pop(state_, 2);
      return refuse(text ? "a table has either keys 1..n or names, not both" : "a list has gaps");
    }
  }
  if (entries != size) return refuse("a list has gaps");
  if (!sink_.begin_list()) return false;
  for (int i = 1; i <= size; ++i) {
    path_.enter(i);
    lua_rawgeti(state_, index, i);
    if (!value(lua_gettop(state_))) return false;
    lua_pop(state_, 1);
    path_.leave();
  }
  return sink_.end_list();
}

template <class Sink>
bool Walker<Sink>::map(int index) {
  if (!sink_.begin_map()) return false;
  const int top = lua_gettop(state_);
  const std::size_t first = entries_.size();
  ++open_maps_;
  if (!collect(index)) return false;
  const std::size_t end = entries_.size();
  std::sort(entries_.begin() + static_cast<std::ptrdiff_t>(first), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  for (std::size_t i = first; i < end; ++i) {
    const Entry entry = entries_[i];
    path_.enter(entry.name);
    if (!sink_.key(entry.name)) return false;
    if (entry.value != 0) {
      if (!value(entry.value)) return false;
    } else {
      lua_pushlstring(state_, entry.name.data(), entry.name.size());
      lua_rawget(state_, index);
      if (!value(lua_gettop(state_))) return false;
      lua_pop(state_, 1);
    }
    path_.leave();
  }
  entries_.resize(first);
  --open_maps_;
  lua_settop(state_, top);
  return sink_.end_map();
}

// Adds the entries of a map; what is kept of them stays on the stack, keys too.
template <class Sink>
bool Walker<Sink>::collect(int index) {
  int may_keep = open_maps_ <= kMostKeeping && lua_checkstack(state_, 2 * kMostKept + kLevelSlots) ? kMostKept : 0;
  lua_pushnil(state_);
  while (lua_next(state_, index)) {
    if (lua_type(state_, -2) != LUA_TSTRING) {
      const std::string type = luaL_typename(state_, -2);
      return refuse(type == "number" ? "a list has gaps" : "a " + type + " is no key");
    }
    entries_.push_back({view_at(state_, -2), may_keep > 0 ? lua_gettop(state_) : 0});
    if (may_keep > 0) {
      --may_keep;
      lua_pushvalue(state_, -2);  // lua_next takes a key away
    } else {
      lua_pop(state_, 1);
    }
  }
  return true;
}

}  // namespace

template <class Sink>
bool walk(lua_State* state, int index, Sink& sink, std::string_view root, std::string& error) {
  const int top = lua_gettop(state);
  Walker<Sink> walker(state, sink, root);
  const bool good = walker.value(index < 0 && index > LUA_REGISTRYINDEX ? top + index + 1 : index) && !sink.failed();
  lua_settop(state, top);
  if (!good) error = walker.path().text() + ": " + sink.error().message;
  return good;
}

template bool walk(lua_State*, int, WireWriter&, std::string_view, std::string&);
template bool walk(lua_State*, int, JsonWriter&, std::string_view, std::string&);
template bool walk(lua_State*, int, module::QueryWriter&, std::string_view, std::string&);

}  // namespace lingate::runtimes::lua
