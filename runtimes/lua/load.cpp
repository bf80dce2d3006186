// Loading: the top level, the hooks that it exports, init.
#include <new>

#include "runtimes/lua/instance.h"
#include "runtimes/lua/natives.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

constexpr const char* kHookNames[] = {"init", "request", "response", "log"};

LoadError refused(const Environment& environment, std::string message) {
  LoadError error;
  error.message = std::move(message);
  error.file = environment.script.path;
  return error;
}

// A syntax error's text is "name:line: what".
LoadError not_compiled(Environment& environment, lua_State* coroutine) {
  LoadError error = describe_failure(environment, coroutine);
  if (error.file.empty()) error.file = environment.script.path;
  return error;
}

}  // namespace

Result<std::unique_ptr<Instance>, LoadError> LuaInstance::load(const Script& script, Host& host, Watchdog& watchdog) {
  std::unique_ptr<LuaInstance> instance;
  try {
    instance = std::make_unique<LuaInstance>(script, host);
  } catch (const std::bad_alloc&) {
    return lingate::fail(LoadError{FailureKind::memory, "there is no memory for a VM", script.path, 0, {}});
  }
  Vm& vm = instance->environment_.vm;
  if (!furnish(instance->environment_))
    return lingate::fail(refused(instance->environment_, std::string(view_at(vm.state(), -1))));
  Watch watch(watchdog, *instance);
  watch.arm(Clock::now() + script.init_budget);
  vm.claim();
  std::optional<LoadError> problem = instance->run_script();
  const bool fired = watch.disarm();
  if (vm.doomed()) vm.recover();
  vm.disown();
  if (fired) vm.settle();
  if (problem) return lingate::fail(std::move(*problem));
  instance->environment_.loading = false;
  vm.tune_collector();
  return instance;
}

std::optional<LoadError> LuaInstance::run_script() {
  lua_State* coroutine = lua_newthread(environment_.vm.state());  // stays on the main stack: it anchors the module
  if (compile(environment_, coroutine, environment_.script.source, environment_.script.path) != 0)
    return not_compiled(environment_, coroutine);
  if (environment_.vm.run(coroutine, 0) != 0 || environment_.vm.interrupted() || environment_.vm.doomed())
    return describe_failure(environment_, coroutine);
  if (lua_gettop(coroutine) == 0 || !lua_istable(coroutine, 1))
    return refused(environment_, "the script returns no table; end it with `return M`, a table that holds its hooks");
  if (auto problem = find_hooks(coroutine)) return problem;
  if (auto problem = run_init(coroutine)) return problem;
  return run_kept(coroutine, environment_.freeze_globals, LUA_NOREF);
}

std::optional<LoadError> LuaInstance::find_hooks(lua_State* coroutine) {
  bool any = false;
  for (int i = 0; i < 4; ++i) {
    lua_pushstring(coroutine, kHookNames[i]);
    lua_rawget(coroutine, 1);
    if (lua_isfunction(coroutine, -1)) {
      const auto parameters = static_cast<std::int8_t>(arity(coroutine, lua_gettop(coroutine)));
      if (i == 1) hooks_.request = parameters;
      if (i == 2) hooks_.response = parameters;
      if (i == 3) hooks_.log = parameters;
      any = any || i > 0;
      environment_.hooks[i] = luaL_ref(coroutine, LUA_REGISTRYINDEX);
      continue;
    }
    if (!lua_isnil(coroutine, -1))
      return refused(environment_, std::string("the hook ") + kHookNames[i] + " is a " + luaL_typename(coroutine, -1) +
                                       "; it must be a function");
    lua_pop(coroutine, 1);
  }
  if (any) return std::nullopt;
  return refused(environment_, "the script exports no hook; its table needs a function request, response or log");
}

// How many parameters a function declares; as many as a hook may have where it takes any number.
int LuaInstance::arity(lua_State* coroutine, int index) {
  constexpr int kAll = 3;
  lua_State* state = environment_.vm.state();
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment_.arity_of);
  lua_pushvalue(coroutine, index);
  lua_xmove(coroutine, state, 1);
  lua_pushliteral(state, "u");
  lua_call(state, 2, 1);
  lua_getfield(state, -1, "isvararg");
  lua_getfield(state, -2, "nparams");
  const int parameters = lua_toboolean(state, -2) ? kAll : static_cast<int>(lua_tointeger(state, -1));
  lua_pop(state, 3);
  return parameters < kAll ? parameters : kAll;
}

std::optional<LoadError> LuaInstance::run_init(lua_State* coroutine) {
  if (environment_.hooks[0] == LUA_NOREF) return std::nullopt;
  return run_kept(coroutine, environment_.hooks[0], environment_.config);
}

// Runs a function that the registry keeps, in a coroutine of its own, with one argument or none.
std::optional<LoadError> LuaInstance::run_kept(lua_State* coroutine, int function, int argument) {
  lua_State* runner = lua_newthread(coroutine);
  lua_rawgeti(runner, LUA_REGISTRYINDEX, function);
  if (argument != LUA_NOREF) lua_rawgeti(runner, LUA_REGISTRYINDEX, argument);
  if (environment_.vm.run(runner, argument != LUA_NOREF) == 0 && !environment_.vm.interrupted() &&
      !environment_.vm.doomed())
    return std::nullopt;
  return describe_failure(environment_, runner);
}

}  // namespace lingate::runtimes::lua
