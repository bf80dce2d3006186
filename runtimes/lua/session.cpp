#include "runtimes/lua/session.h"

#include "runtimes/attributes.h"
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

void push_tags(lua_State* state, CallSlot& slot) {
  Environment& environment = Environment::of(state);
  slot.view->session_tags(environment.views);
  lua_createtable(state, static_cast<int>(environment.views.size()), 0);
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.array_metatable);
  lua_setmetatable(state, -2);
  int index = 0;
  for (std::string_view tag : environment.views) {
    push(state, tag);
    lua_rawseti(state, -2, ++index);
  }
}

void push_metadata(lua_State* state, CallSlot& slot) {
  TableBuilder builder(state);
  if (!read_members(slot.view->session_metadata(), builder)) raise(state, "the session's metadata is malformed");
}

int make_container(lua_State* state, CallSlot& slot, Kept place) {
  if (place == Kept::tags)
    push_tags(state, slot);
  else
    push_metadata(state, slot);
  lua_pushvalue(state, -1);
  keep_top(state, slot, place);
  return 1;
}

int session_index(lua_State* state) {
  CallSlot& slot = live(state);
  if (!slot.view->has_session()) raise(state, "the request has become anonymous: it has no session any more");
  switch (Environment::of(state).fields.at(state, 2)) {
    case Field::metadata: return make_container(state, slot, Kept::metadata);
    case Field::tags: return make_container(state, slot, Kept::tags);
    default: break;
  }
  std::string text = unknown_attribute(runtimes::Object::session,
                                       lua_type(state, 2) == LUA_TSTRING ? view_at(state, 2) : "a key that is no name");
  raise_and_drop(state, text);
}

int session_new_index(lua_State* state) {
  CallSlot& slot = live(state);
  const Field field = Environment::of(state).fields.at(state, 2);
  if (field != Field::tags && field != Field::metadata) {
    std::string text = unwritable_attribute(
        runtimes::Object::session, lua_type(state, 2) == LUA_TSTRING ? view_at(state, 2) : "a key that is no name");
    raise_and_drop(state, text);
  }
  if (slot.hook == Hook::log) raise(state, "everything is read-only in log");
  if (!slot.view->has_session()) raise(state, "the request has become anonymous: it has no session any more");
  if (lua_isnil(state, 3) || is_null(state, 3)) {
    lua_newtable(state);
    lua_replace(state, 3);
  }
  if (!lua_istable(state, 3))
    raise(state, field == Field::tags ? "session.tags is a list of strings" : "session.metadata is a map");
  lua_settop(state, 3);
  keep_top(state, slot, field == Field::tags ? Kept::tags : Kept::metadata);
  return 0;
}

void forget(CallSlot& slot) {
  for (const Kept place : {Kept::tags, Kept::metadata})
    slot.kept &= ~(1U << static_cast<unsigned>(place));
}

// Empty, or what is wrong with the value at 3.
std::string begin_and_end(lua_State* state, CallSlot& slot) {
  std::string error;
  WireWriter& writer = slot.view->begin_session();
  walk(state, 3, writer, "req.session", error);
  // Also after a failed walk, so that the view sees that and keeps the session which was there.
  Refusal refusal = slot.view->end_session();
  if (error.empty() && refusal) error = std::move(*refusal);
  return error;
}

std::string keep_tags(lua_State* state, CallSlot& slot) {
  std::vector<std::string_view>& tags = Environment::of(state).views;
  tags.clear();
  lua_rawgeti(state, LUA_REGISTRYINDEX, slot.ref(Kept::tags));
  const int table = lua_gettop(state);
  const std::size_t size = lua_objlen(state, table);
  if (auto refusal = CallView::check_tag_count(size)) return std::move(*refusal);
  std::size_t entries = 0;
  for (lua_pushnil(state); lua_next(state, table); lua_pop(state, 1))
    ++entries;
  for (std::size_t i = 1; i <= size && entries == size; ++i) {
    lua_rawgeti(state, table, static_cast<int>(i));
    if (lua_type(state, -1) != LUA_TSTRING) break;
    tags.push_back(view_at(state, -1));
    lua_pop(state, 1);
  }
  const bool list = tags.size() == entries;
  lua_settop(state, table - 1);
  if (!list) return "session.tags is a list of strings";
  Refusal refusal = slot.view->keep_tags(tags);
  return refusal ? std::move(*refusal) : std::string();
}

std::string keep_metadata(lua_State* state, CallSlot& slot) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, slot.ref(Kept::metadata));
  if (surely_holds(state, lua_gettop(state), slot.view->session_metadata())) {
    lua_pop(state, 1);
    return {};
  }
  WireWriter& writer = Environment::of(state).wire;
  writer.reset({});
  std::string error;
  const bool good = walk(state, -1, writer, "session.metadata", error);
  const bool list = lua_objlen(state, -1) > 0;
  lua_pop(state, 1);
  if (!good) return error;
  if (list) return "session.metadata is a map, not a list";
  Refusal refusal = slot.view->keep_metadata(writer.members());
  return refusal ? std::move(*refusal) : std::string();
}

}  // namespace

int assign_session(lua_State* state, CallSlot& slot) {
  if (lua_isnil(state, 3) || is_null(state, 3)) {
    raise_if(state, slot.view->clear_session());
    forget(slot);
    return 0;
  }
  if (slot.view->has_session()) {  // `req.session = req.session` changes nothing
    push_object(state, slot, Kind::session);
    if (lua_rawequal(state, -1, 3)) return 0;
    lua_pop(state, 1);
  }
  if (!lua_istable(state, 3)) raise(state, "req.session takes a table with the session's fields, or nil");
  std::string error = begin_and_end(state, slot);
  if (!error.empty()) raise_and_drop(state, error);
  forget(slot);
  return 0;
}

std::string keep_session(lua_State* state, CallSlot& slot) {
  if (slot.hook == Hook::log || !slot.view->has_session()) return {};
  if (slot.has(Kept::tags))
    if (std::string error = keep_tags(state, slot); !error.empty()) return error;
  if (slot.has(Kept::metadata)) return keep_metadata(state, slot);
  return {};
}

const Behaviour kSessionBehaviour{"req.session", &session_index, &session_new_index, nullptr};

}  // namespace lingate::runtimes::lua
