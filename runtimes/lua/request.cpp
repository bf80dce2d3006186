// req, res, req.client and req.params.
#include "runtimes/attributes.h"
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/session.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {
namespace {

std::string_view attribute(lua_State* state) {
  return lua_type(state, 2) == LUA_TSTRING ? view_at(state, 2) : std::string_view(luaL_typename(state, 2));
}

[[noreturn]] void unknown(lua_State* state, runtimes::Object object) {
  std::string text = unknown_attribute(object, attribute(state));
  raise_and_drop(state, text);
}

[[noreturn]] void unwritable(lua_State* state, runtimes::Object object) {
  std::string text = unwritable_attribute(object, attribute(state));
  raise_and_drop(state, text);
}

int read_body(lua_State* state, CallSlot& slot, Side side) {
  CallView::BodyRead read = slot.view->body(side);
  raise_if(state, std::move(read.refusal));
  push(state, read.bytes);
  return 1;
}

void write_body(lua_State* state, CallSlot& slot, Side side) {
  std::string_view bytes;
  if (!lua_isnil(state, 3) && !is_null(state, 3))
    bytes = check_text(state, 3, side == Side::request ? "req.body" : "res.body");
  raise_if(state, slot.view->set_body(side, bytes));
}

// Here and in all that follow: what lookup() of direct.h answers does not come this far.
int request_index(lua_State* state) {
  CallSlot& slot = live(state);
  switch (const Field field = Environment::of(state).fields.at(state, 2)) {
    case Field::headers: push_usual(state, slot, Kept::request_headers, Kind::request_headers); return 1;
    case Field::session: push_usual(state, slot, Kept::session, Kind::session); return 1;
    case Field::body: return read_body(state, slot, Side::request);
    case Field::params: push_object(state, slot, Kind::params); return 1;
    case Field::client: push_object(state, slot, Kind::client); return 1;
    case Field::text:
    case Field::json: return push_method(state, field);
    default: unknown(state, runtimes::Object::req);
  }
}

int request_new_index(lua_State* state) {
  CallSlot& slot = live(state);
  switch (Environment::of(state).fields.at(state, 2)) {
    case Field::method: raise_if(state, slot.view->set_method(check_text(state, 3, "req.method"))); return 0;
    case Field::path: raise_if(state, slot.view->set_path(check_text(state, 3, "req.path"))); return 0;
    case Field::query: raise_if(state, slot.view->set_query(check_text(state, 3, "req.query"))); return 0;
    case Field::body: write_body(state, slot, Side::request); return 0;
    case Field::session: return assign_session(state, slot);
    default: unwritable(state, runtimes::Object::req);
  }
}

int response_index(lua_State* state) {
  CallSlot& slot = live(state);
  switch (const Field field = Environment::of(state).fields.at(state, 2)) {
    case Field::headers: push_usual(state, slot, Kept::response_headers, Kind::response_headers); return 1;
    case Field::body: return read_body(state, slot, Side::response);
    case Field::text:
    case Field::json: return push_method(state, field);
    default: unknown(state, runtimes::Object::res);
  }
}

int response_new_index(lua_State* state) {
  CallSlot& slot = live(state);
  switch (Environment::of(state).fields.at(state, 2)) {
    case Field::status:
      if (lua_type(state, 3) != LUA_TNUMBER) raise(state, "res.status must be a number");
      raise_if(state, slot.view->set_status(lua_tonumber(state, 3)));
      return 0;
    case Field::body: write_body(state, slot, Side::response); return 0;
    default: unwritable(state, runtimes::Object::res);
  }
}

// ---- req:text(), req:json() and those of res ----

int body_text(lua_State* state) {
  Side side;
  CallSlot& slot = live_self(state, Kind::request, Kind::response, "text()", side);
  read_body(state, slot, side);
  if (!is_utf8(view_at(state, -1)))
    raise(state, side == Side::request ? "req.body is not UTF-8" : "res.body is not UTF-8");
  return 1;
}

int body_json(lua_State* state) {
  Side side;
  CallSlot& slot = live_self(state, Kind::request, Kind::response, "json()", side);
  CallView::BodyRead read = slot.view->body(side);
  raise_if(state, std::move(read.refusal));
  TableBuilder builder(state);
  auto parsed = parse_json(read.bytes, builder);
  if (parsed) return 1;
  std::string text = std::string(side == Side::request ? "req" : "res") + ".body is no JSON: " + parsed.error().message;
  std::string().swap(parsed.error().message);
  raise_and_drop(state, text);
}

// ---- req.client, req.params ----

// A table of the script's own: what it does to it nobody sees.
int client_index(lua_State* state) {
  CallSlot& slot = live(state);
  if (Environment::of(state).fields.at(state, 2) == Field::tls) {
    TableBuilder builder(state);
    if (!read_members(slot.view->client_tls(), builder)) raise(state, "req.client.tls is malformed");
    return 1;
  }
  unknown(state, runtimes::Object::client);
}

int client_new_index(lua_State* state) {
  unwritable(state, runtimes::Object::client);
}

int params_index(lua_State* state) {
  live(state);
  return 0;
}

int params_new_index(lua_State* state) {
  raise(state, "req.params is read-only");
}

int params_pairs(lua_State* state) {
  CallSlot& slot = live(state);
  lua_rawgeti(state, LUA_REGISTRYINDEX, Environment::of(state).next);
  lua_newtable(state);
  for (const HeadView::Line& param : slot.view->params()) {
    push(state, param.name);
    push(state, param.value);
    lua_rawset(state, -3);
  }
  return 2;
}

}  // namespace

const Behaviour kRequestBehaviour{"req", &request_index, &request_new_index, nullptr};
const Behaviour kResponseBehaviour{"res", &response_index, &response_new_index, nullptr};
const Behaviour kClientBehaviour{"req.client", &client_index, &client_new_index, nullptr};
const Behaviour kParamsBehaviour{"req.params", &params_index, &params_new_index, &params_pairs};

void add_request_methods(Environment& environment) {
  add_method(environment, Field::text, &body_text);
  add_method(environment, Field::json, &body_json);
}

}  // namespace lingate::runtimes::lua
