#include "runtimes/lua/instance.h"

#include <algorithm>
#include <utility>

#include "runtimes/lua/natives.h"
#include "runtimes/lua/objects.h"
#include "runtimes/lua/raise.h"
#include "runtimes/lua/session.h"
#include "runtimes/lua/values.h"

namespace lingate::runtimes::lua {

Progress LuaInstance::start(CallId id, CallView& call, void* tag) noexcept {
  environment_.vm.claim();
  CallSlot* const free = free_slot();
  if (!free) {
    call.fail(FailureKind::unavailable, "too many calls of this script are suspended");
    return {};
  }
  CallSlot& slot = *free;
  slot.id = id;
  slot.hook = call.hook();
  slot.tag = tag;
  if (id >= by_call_.size()) by_call_.resize(id + 1);
  by_call_[id] = &slot;
  slot.answers = 0;
  slot.waits = false;
  slot.view = &call;
  keep_usual(slot.coroutine, slot);
  lua_rawgeti(slot.coroutine, LUA_REGISTRYINDEX, environment_.hooks[static_cast<std::size_t>(slot.hook) - 1]);
  return run(slot, push_arguments(slot));
}

Progress LuaInstance::resume(CallId id, const HostResult& result) noexcept {
  environment_.vm.claim();
  CallSlot* slot = busy_slot(id);
  if (!slot) return {};
  slot->waits = false;
  if (result.error.empty()) return run(*slot, 0);
  push(slot->coroutine, result.error);
  return run(*slot, 1);
}

void LuaInstance::cancel(CallId id) noexcept {
  CallSlot* slot = busy_slot(id);
  if (!slot) return;
  drop_coroutine(*slot);
  end(*slot);
}

// nullptr: more calls are suspended than handles can name.
CallSlot* LuaInstance::free_slot() {
  if (environment_.free_slots.empty() && !add_slot()) return nullptr;
  CallSlot& slot = *environment_.free_slots.back();
  environment_.free_slots.pop_back();
  if (!slot.coroutine) {
    slot.coroutine = lua_newthread(environment_.vm.state());
    slot.coroutine_ref = luaL_ref(environment_.vm.state(), LUA_REGISTRYINDEX);
  }
  return &slot;
}

bool LuaInstance::add_slot() {
  auto slot = std::make_unique<CallSlot>();
  if (!take_index(*slot)) return false;
  lua_State* state = environment_.vm.state();
  for (int& ref : slot->refs) {
    lua_pushboolean(state, 0);
    ref = luaL_ref(state, LUA_REGISTRYINDEX);
  }
  environment_.free_slots.push_back(slot.get());
  environment_.slots.push_back(std::move(slot));
  environment_.free_slots.reserve(environment_.slots.size());
  return true;
}

// An index that has never been a slot's, with all its generations.
bool LuaInstance::take_index(CallSlot& slot) {
  const std::size_t index = environment_.by_index.size();
  if (index >> Handle::kSlotBits != 0) return false;
  environment_.by_index.push_back(&slot);
  slot.index = static_cast<std::uint32_t>(index);
  slot.generation = 1;
  return true;
}

CallSlot* LuaInstance::busy_slot(CallId id) noexcept {
  return id < by_call_.size() ? by_call_[id] : nullptr;
}

// request(req, ctx), response(res, req, ctx), log(res, req, ctx): only what the hook takes.
int LuaInstance::push_arguments(CallSlot& slot) {
  lua_State* coroutine = slot.coroutine;
  const int wanted = hooks_.arity(slot.hook);
  int pushed = 0;
  if (slot.hook != Hook::request && pushed < wanted) {
    push_object(coroutine, slot, Kind::response);
    ++pushed;
  }
  if (pushed < wanted) {
    push_object(coroutine, slot, Kind::request);
    ++pushed;
  }
  if (pushed < wanted) {
    const std::string_view context = slot.view->context();
    if (context.empty()) {
      lua_newtable(coroutine);
    } else {
      TableBuilder builder(coroutine);
      // The gateway wrote these bytes: that they can be read is its promise.
      if (!read_members(context, builder)) lua_newtable(coroutine);
    }
    lua_pushvalue(coroutine, -1);
    keep_top(coroutine, slot, Kept::context);
    ++pushed;
  }
  return pushed;
}

Progress LuaInstance::run(CallSlot& slot, int arguments) {
  Vm& vm = environment_.vm;
  environment_.current = &slot;
  const int status = vm.run(slot.coroutine, arguments);
  Progress progress;
  // A stop may be swallowed by a call that the hook returned, as `return pcall(f)` does: the flags decide.
  if (vm.interrupted() || vm.doomed() || (status != 0 && status != LUA_YIELD)) {
    progress = fail(slot, describe_failure(environment_, slot.coroutine));
  } else if (status == 0) {
    progress = finish(slot);
  } else if (slot.waits) {
    progress.state = Progress::State::suspended;
    progress.operation = slot.operation;
    lua_settop(slot.coroutine, 0);
    reset_nesting();
  } else {
    progress = fail(slot, {FailureKind::exception, "the hook yields outside of a coroutine", {}, 0, {}});
  }
  environment_.current = nullptr;
  return progress;
}

Progress LuaInstance::finish(CallSlot& slot) {
  std::string problem = take_answer(slot.coroutine, slot, lua_gettop(slot.coroutine));
  if (problem.empty() && slot.has(Kept::context)) problem = keep_context(slot);
  if (problem.empty() && (slot.has(Kept::tags) || slot.has(Kept::metadata)))
    problem = keep_session(slot.coroutine, slot);
  if (!problem.empty()) {
    LoadError failure{FailureKind::invalid, std::move(problem), environment_.script.path, 0, {}};
    return fail(slot, failure);
  }
  lua_settop(slot.coroutine, 0);
  end(slot);
  return {};
}

// Empty, or what in ctx is no value.
std::string LuaInstance::keep_context(CallSlot& slot) {
  lua_State* coroutine = slot.coroutine;
  if (slot.hook == Hook::log) return {};
  lua_rawgeti(coroutine, LUA_REGISTRYINDEX, slot.ref(Kept::context));
  const int table = lua_gettop(coroutine);
  lua_pushnil(coroutine);
  const bool empty = lua_next(coroutine, table) == 0;
  lua_settop(coroutine, table);
  if (empty && slot.view->context().empty()) return {};
  if (surely_holds(coroutine, table, slot.view->context())) return {};
  WireWriter& writer = environment_.wire;
  writer.reset({});
  std::string error;
  if (lua_objlen(coroutine, table) > 0) return "ctx: it is a map: its keys must be names";
  if (!walk(coroutine, table, writer, "ctx", error)) return error;
  slot.view->keep_context(writer.members());
  return {};
}

Progress LuaInstance::fail(CallSlot& slot, const LoadError& failure) {
  slot.view->fail(failure.kind, failure.message, failure.file, failure.line, failure.stack);
  drop_coroutine(slot);
  reset_nesting();
  end(slot);
  give_back_scratch();
  Vm& vm = environment_.vm;
  if (vm.doomed()) {
    vm.recover();
    usable_ =
        usable_ && vm.used() < vm.limit() - vm.limit() / 8;  // what the module itself keeps leaves no room to work
  }
  return {};
}

bool LuaInstance::idle_step() noexcept {
  give_back_scratch();
  return environment_.vm.idle_step();
}

// What one large value has made it grow to; an assignment would keep the buffer.
void LuaInstance::give_back_scratch() noexcept {
  constexpr std::size_t kWorthKeeping = 1024 * 1024;
  JsonWriter fresh;
  if (environment_.json.json().size() > kWorthKeeping) std::swap(environment_.json, fresh);
}

void LuaInstance::end(CallSlot& slot) {
  by_call_[slot.id] = nullptr;
  lua_State* state = environment_.vm.state();
  for (const Kept table : {Kept::context, Kept::tags, Kept::metadata})
    if (slot.has(table)) {
      lua_pushboolean(state, 0);
      lua_rawseti(state, LUA_REGISTRYINDEX, slot.ref(table));
    }
  slot.kept = 0;
  if (++slot.generation >> Handle::kGenerationBits == 0) {
    environment_.free_slots.push_back(&slot);
  } else {
    environment_.by_index[slot.index] = nullptr;
    // No handle is left when the last index is used up, after 68 thousand million calls: a new instance has them all.
    if (take_index(slot))
      environment_.free_slots.push_back(&slot);
    else
      usable_ = false;
  }
  environment_.vm.tune_collector();
}

void LuaInstance::drop_coroutine(CallSlot& slot) {
  luaL_unref(environment_.vm.state(), LUA_REGISTRYINDEX, slot.coroutine_ref);
  slot.coroutine_ref = LUA_NOREF;
  slot.coroutine = nullptr;
}

void LuaInstance::reset_nesting() {
  lua_State* state = environment_.vm.state();
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment_.nesting);
  lua_pushinteger(state, 0);
  lua_rawseti(state, -2, 1);
  lua_pop(state, 1);
}

}  // namespace lingate::runtimes::lua
