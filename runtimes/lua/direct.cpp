#include "runtimes/lua/direct.h"

#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

using Text = CallView::RequestText;
using SessionText = CallView::SessionText;
using SessionNumber = CallView::SessionNumber;

// As the prelude knows them; what is below zero is the registry's entry of that number.
using Outcome = std::int32_t;
constexpr Outcome kMissing = 0;
constexpr Outcome kText = 1;
constexpr Outcome kNumber = 2;
constexpr Outcome kAsk = 3;

Outcome text(Environment& environment, std::string_view text) noexcept {
  environment.direct_answer.bytes = text.data();
  environment.direct_answer.size = static_cast<std::uint32_t>(text.size());
  return kText;
}

Outcome number(Environment& environment, double number) noexcept {
  environment.direct_answer.number = number;
  return kNumber;
}

Outcome kept(const CallSlot& slot, Kept place) noexcept {
  return slot.has(place) ? -slot.ref(place) : kAsk;
}

Outcome body(Environment& environment, CallSlot& slot, Side side) noexcept {
  const CallView::BodyRead read = slot.view->body(side);
  return read.refusal ? kAsk : text(environment, read.bytes);
}

Outcome header(Environment& environment, HeadView& head, std::string_view name) noexcept {
  if (name == "values" || name == "lines" || name == "add") return kAsk;
  const std::string_view* const value = head.get(name);
  return value ? text(environment, *value) : kMissing;
}

Outcome of_request(Environment& environment, CallSlot& slot, Field field) noexcept {
  CallView& view = *slot.view;
  switch (field) {
    case Field::headers: return kept(slot, Kept::request_headers);
    case Field::session: return view.has_session() ? kept(slot, Kept::session) : kMissing;
    case Field::id: return text(environment, view.request_text(Text::id));
    case Field::method: return text(environment, view.request_text(Text::method));
    case Field::scheme: return text(environment, view.request_text(Text::scheme));
    case Field::host: return text(environment, view.request_text(Text::host));
    case Field::path: return text(environment, view.request_text(Text::path));
    case Field::query: return text(environment, view.request_text(Text::query));
    case Field::version: return text(environment, view.request_text(Text::version));
    case Field::route: return text(environment, view.request_text(Text::route));
    case Field::body: return body(environment, slot, Side::request);
    default: return kAsk;
  }
}

Outcome of_response(Environment& environment, CallSlot& slot, Field field) noexcept {
  switch (field) {
    case Field::headers: return kept(slot, Kept::response_headers);
    case Field::status: return number(environment, slot.view->status());
    case Field::body: return body(environment, slot, Side::response);
    default: return kAsk;
  }
}

Outcome of_client(Environment& environment, CallSlot& slot, Field field) noexcept {
  switch (field) {
    case Field::ip: return text(environment, slot.view->request_text(Text::client_ip));
    case Field::port: return number(environment, slot.view->client_port());
    case Field::tls: return slot.view->client_tls().empty() ? kMissing : kAsk;
    default: return kAsk;
  }
}

// Absent texts are empty on the wire; a script sees nil.
Outcome session_text(Environment& environment, CallSlot& slot, SessionText which) noexcept {
  const std::string_view found = slot.view->session_text(which);
  return found.empty() ? kMissing : text(environment, found);
}

Outcome session_number(Environment& environment, CallSlot& slot, SessionNumber which) noexcept {
  const auto found = slot.view->session_number(which);
  return found ? number(environment, *found) : kMissing;
}

Outcome of_session(Environment& environment, CallSlot& slot, Field field) noexcept {
  if (!slot.view->has_session()) return kAsk;
  switch (field) {
    case Field::metadata: return kept(slot, Kept::metadata);
    case Field::tags: return kept(slot, Kept::tags);
    case Field::id: return session_text(environment, slot, SessionText::id);
    case Field::alias: return session_text(environment, slot, SessionText::alias);
    case Field::org: return session_text(environment, slot, SessionText::org);
    case Field::rate: return session_number(environment, slot, SessionNumber::rate);
    case Field::per: return session_number(environment, slot, SessionNumber::per);
    case Field::burst: return session_number(environment, slot, SessionNumber::burst);
    case Field::quota_max: return session_number(environment, slot, SessionNumber::quota_max);
    case Field::quota_remaining: return session_number(environment, slot, SessionNumber::quota_remaining);
    case Field::quota_renews: return session_number(environment, slot, SessionNumber::quota_renews);
    case Field::expires: return session_number(environment, slot, SessionNumber::expires);
    default: return kAsk;
  }
}

Outcome of_params(Environment& environment, CallSlot& slot, std::string_view name) noexcept {
  const std::string_view* const value = slot.view->param(name);
  return value ? text(environment, *value) : kMissing;
}

Outcome lookup(Environment* environment, const void* object, const char* name, std::uint32_t size) noexcept {
  const Handle handle = Handle::from(object);
  CallSlot* const slot = running(*environment, handle);
  if (!slot) return kAsk;
  const auto field = [&] { return environment->fields.of(name); };
  switch (handle.kind) {
    case Kind::request_headers: return header(*environment, slot->view->request_head(), {name, size});
    case Kind::response_headers: return header(*environment, slot->view->response_head(), {name, size});
    case Kind::request: return of_request(*environment, *slot, field());
    case Kind::response: return of_response(*environment, *slot, field());
    case Kind::session: return of_session(*environment, *slot, field());
    case Kind::params: return of_params(*environment, *slot, {name, size});
    case Kind::client: return of_client(*environment, *slot, field());
    default: return kAsk;
  }
}

// False: not done, and the metamethod says why.
bool assign(Environment* environment, const void* object, const char* name, std::uint32_t size, const char* value,
            std::uint32_t value_size) noexcept {
  const Handle handle = Handle::from(object);
  CallSlot* const slot = running(*environment, handle);
  if (!slot) return false;
  switch (handle.kind) {
    case Kind::request_headers: return slot->view->request_head().set_plain({name, size}, {value, value_size});
    case Kind::response_headers: return slot->view->response_head().set_plain({name, size}, {value, value_size});
    default: return false;
  }
}

// As assign(), for nil.
bool remove(Environment* environment, const void* object, const char* name, std::uint32_t size) noexcept {
  const Handle handle = Handle::from(object);
  CallSlot* const slot = running(*environment, handle);
  if (!slot) return false;
  switch (handle.kind) {
    case Kind::request_headers: return slot->view->request_head().remove_plain({name, size});
    case Kind::response_headers: return slot->view->response_head().remove_plain({name, size});
    default: return false;
  }
}

void add_address(lua_State* state, const char* name, void* address) {
  lua_pushlightuserdata(state, address);
  lua_setfield(state, -2, name);
}

}  // namespace

void add_direct(Environment& environment) {
  lua_State* state = environment.vm.state();
  lua_pushcfunction(state, &luaopen_ffi);
  lua_pushliteral(state, "ffi");
  lua_call(state, 1, 1);
  lua_setfield(state, -2, "ffi");
  lua_pushvalue(state, LUA_REGISTRYINDEX);
  lua_setfield(state, -2, "registry");
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.metatable);
  lua_setfield(state, -2, "objects");

  lua_newtable(state);
  add_address(state, "environment", &environment);
  add_address(state, "answer", &environment.direct_answer);
  add_address(state, "lookup", reinterpret_cast<void*>(&lookup));
  add_address(state, "assign", reinterpret_cast<void*>(&assign));
  add_address(state, "remove", reinterpret_cast<void*>(&remove));
  lua_setfield(state, -2, "direct");
}

}  // namespace lingate::runtimes::lua
