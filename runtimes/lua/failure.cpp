// From an error value and the coroutine that it stopped to a failure: kind, message, place and stack.
#include <charconv>
#include <cstring>

#include "base/utf8.h"
#include "runtimes/lua/natives.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

constexpr std::size_t kMessage = 4096;
constexpr std::size_t kFrames = 20;

bool is_script(const lua_Debug& frame) {
  return frame.currentline > 0 && std::strcmp(frame.source, kPreludeName) != 0;
}

std::string path_of(const lua_Debug& frame) {
  return frame.source[0] == '@' ? frame.source + 1 : frame.short_src;
}

std::string frame_text(const lua_Debug& frame, std::uint32_t line) {
  std::string text = path_of(frame) + ":" + std::to_string(line) + ": in ";
  if (std::strcmp(frame.what, "main") == 0) return text + "main chunk";
  if (frame.name && *frame.name) return text + "function '" + frame.name + "'";
  return text + "function <" + std::to_string(frame.linedefined) + ">";
}

void read_stack(lua_State* coroutine, LoadError& failure) {
  lua_Debug frame;
  for (int level = 0; failure.stack.size() < kFrames && lua_getstack(coroutine, level, &frame); ++level) {
    if (!lua_getinfo(coroutine, "Sln", &frame) || !is_script(frame)) continue;
    const auto line = static_cast<std::uint32_t>(frame.currentline);
    if (failure.stack.empty()) {
      failure.file = path_of(frame);
      failure.line = line;
    }
    failure.stack.push_back(frame_text(frame, line));
  }
}

// The frame in which the engine itself raised the error has lost its place; the message has it.
void complete_stack(lua_State* coroutine, LoadError& failure) {
  lua_Debug frame;
  if (!lua_getstack(coroutine, 0, &frame) || !lua_getinfo(coroutine, "Sln", &frame)) return;
  if (frame.currentline > 0 || frame.source[0] != '@') return;
  if (failure.file.empty() || failure.stack.empty()) failure.file = path_of(frame);
  if (failure.line > 0) failure.stack.insert(failure.stack.begin(), frame_text(frame, failure.line));
}

// A tail call has replaced the frame that it was made in (`return lingate.respond(…)`): the hook itself is then all
// that is known.
void take_hook(Environment& environment, LoadError& failure) {
  if (!environment.current || !failure.file.empty()) return;
  lua_State* state = environment.vm.state();
  const auto hook = static_cast<std::size_t>(environment.current->hook) - 1;
  lua_rawgeti(state, LUA_REGISTRYINDEX, environment.hooks[hook]);
  lua_Debug frame{};
  if (!lua_getinfo(state, ">S", &frame) || frame.linedefined <= 0) return;
  failure.file = path_of(frame);
  failure.line = static_cast<std::uint32_t>(frame.linedefined);
  failure.stack.push_back(frame_text(frame, failure.line));
}

// Messages begin with "name:line: ", whose place is better than the innermost frame: error() may blame a caller.
void take_position(const Environment& environment, std::string_view& message, LoadError& failure) {
  for (const Chunk& chunk : environment.chunks) {
    if (!message.starts_with(chunk.shown)) continue;
    const char* const end = message.data() + message.size();
    const char* at = message.data() + chunk.shown.size();
    if (at == end || *at != ':') continue;
    std::uint32_t line = 0;
    const auto [rest, error] = std::from_chars(at + 1, end, line);
    if (error != std::errc() || end - rest < 2 || rest[0] != ':' || rest[1] != ' ') continue;
    message.remove_prefix(static_cast<std::size_t>(rest + 2 - message.data()));
    failure.file = chunk.path;
    failure.line = line;
    return;
  }
}

// tostring() of the value at 1, in a protected call: what a script's __tostring does is bounded like the hook.
int to_text(lua_State* state) {
  if (!luaL_callmeta(state, 1, "__tostring") || lua_type(state, -1) != LUA_TSTRING)
    lua_pushfstring(state, "(the error is a %s)", luaL_typename(state, 1));
  return 1;
}

std::string shown_value(Environment& environment, lua_State* coroutine) {
  lua_State* helper = lua_newthread(environment.vm.state());
  lua_pushcfunction(helper, &to_text);
  lua_xmove(coroutine, helper, 1);
  std::string text = environment.vm.run(helper, 1) == 0 && lua_type(helper, -1) == LUA_TSTRING
                         ? std::string(utf8::cut(view_at(helper, -1), kMessage))
                         : "(the error cannot be shown: its __tostring failed)";
  lua_pop(environment.vm.state(), 1);
  return text;
}

std::string message_of(Environment& environment, lua_State* coroutine, LoadError& failure) {
  if (lua_gettop(coroutine) == 0) return "(no error value)";
  switch (lua_type(coroutine, -1)) {
    case LUA_TSTRING: {
      std::string_view message = view_at(coroutine, -1);
      take_position(environment, message, failure);
      return std::string(utf8::cut(message, kMessage));
    }
    case LUA_TNUMBER: {
      lua_pushvalue(coroutine, -1);
      std::string text(view_at(coroutine, -1));
      lua_pop(coroutine, 1);
      return text;
    }
    case LUA_TNIL: return "(the error is nil)";
    case LUA_TBOOLEAN: return lua_toboolean(coroutine, -1) ? "true" : "false";
    default: return shown_value(environment, coroutine);
  }
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1024 * 1024;
  return bytes % kMiB == 0 ? std::to_string(bytes / kMiB) + " MiB" : std::to_string(bytes) + " bytes";
}

}  // namespace

void note_stop(Environment& environment, lua_State* state) {
  if (environment.stopped) return;
  environment.stopped.emplace();
  read_stack(state, *environment.stopped);
}

LoadError describe_failure(Environment& environment, lua_State* coroutine) {
  const Vm& vm = environment.vm;
  LoadError failure;
  read_stack(coroutine, failure);
  if (!vm.interrupted() && !vm.doomed()) {
    failure.message = message_of(environment, coroutine, failure);
    complete_stack(coroutine, failure);
    take_hook(environment, failure);
  }
  if (environment.stopped) failure = std::move(*environment.stopped);
  environment.stopped.reset();
  // Looking at the error may have run a script's __tostring, and spent what was left.
  if (vm.doomed()) {
    failure.kind = FailureKind::memory;
    failure.message = "the script needs more than its memory limit of " + size_text(vm.limit());
  } else if (vm.interrupted()) {
    failure.kind = FailureKind::timeout;
    failure.message = "the script ran longer than its budget";
  }
  return failure;
}

}  // namespace lingate::runtimes::lua
