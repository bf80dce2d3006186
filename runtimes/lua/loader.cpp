// load and require: text only, and modules only from beside the script.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "runtimes/lua/natives.h"
#include "runtimes/lua/raise.h"

namespace lingate::runtimes::lua {
namespace {

constexpr std::size_t kSourceLimit = 1024 * 1024;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : "";
}

// "a.b" and "a/b" are the file a/b.lua; empty for what is no module's name.
std::string relative_path(std::string_view name) {
  std::string path(name);
  bool letter_before = false;
  for (char& c : path) {
    const bool separator = c == '.' || c == '/';
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!letter && !(separator && letter_before)) return {};
    if (separator) c = '/';
    letter_before = letter;
  }
  return letter_before && path.size() <= 200 ? path + ".lua" : std::string();
}

std::string read_file(const std::string& path, std::string& source) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return "cannot be read";
  struct stat about {};
  std::string problem;
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    problem = "is no file";
  } else if (about.st_size > static_cast<off_t>(kSourceLimit)) {
    problem = "is larger than 1 MiB";
  } else {
    source.resize(static_cast<std::size_t>(about.st_size));
    std::size_t got = 0;
    while (got < source.size()) {
      const ssize_t n = ::read(fd, source.data() + got, source.size() - got);
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    source.resize(got);
  }
  ::close(fd);
  return problem;
}

// Empty and `source`, or why there is no such module.
std::string find_source(Environment& environment, std::string_view name, std::string& path, std::string& source) {
  const std::string quoted = "require: '" + std::string(name.substr(0, 200)) + "'";
  if (!environment.loading) return quoted + " is not loaded: modules are read only while the script loads";
  const std::string relative = relative_path(name);
  if (relative.empty()) return quoted + " is no module's name: letters, digits, '_', '-', parted by '.' or '/'";
  const std::string folder = folder_of(environment.script.path);
  path = folder == "." && environment.script.path.find('/') == std::string::npos ? relative : folder + "/" + relative;
  const std::string real = resolved(path);
  if (real.empty()) return quoted + ": there is no file " + path + " beside the script";
  std::string root = resolved(folder);
  if (root != "/") root += '/';
  if (!real.starts_with(root)) return quoted + ": " + path + " leads out of the script's folder";
  const std::string problem = read_file(real, source);
  return problem.empty() ? problem : quoted + ": " + path + " " + problem;
}

// How LuaJIT names a file in messages: the end of a path that is too long.
std::string shown_name(const std::string& path) {
  constexpr std::size_t kTail = LUA_IDSIZE - 4;
  return path.size() < LUA_IDSIZE ? path : "..." + path.substr(path.size() - kTail);
}

int raise_nothing(lua_State* state) {
  lua_pushnil(state);
  return lua_error(state);
}

// luaL_loadbuffer() for text alone. A stop that is raised inside the engine's compiler leaves hooks switched off, since
// its protected call is none of those that the engine expects around a hook; a coroutine that dies switches them on.
int load_text(lua_State* state, std::string_view source, const char* name) {
  lua_State* dies = lua_newthread(state);
  const int status = luaL_loadbufferx(state, source.data(), source.size(), name, "t");
  const Vm& vm = Vm::of(state);
  if (status != 0 && (vm.interrupted() || vm.doomed())) {
    lua_pushcfunction(dies, &raise_nothing);
    lua_resume(dies, 0);
  }
  lua_remove(state, -2);
  return status;
}

// Compiles what was found, or pushes nil and the reason. Nothing of C++ is left behind when Lua takes over.
int load_found(lua_State* state, Environment& environment, std::string_view name) {
  std::string path, source;
  const std::string problem = find_source(environment, name, path, source);
  if (problem.empty()) {
    environment.dependencies.push_back(path);
    if (compile(environment, state, source, path) == 0) return 1;
    lua_pushnil(state);
    lua_insert(state, -2);
    return 2;
  }
  lua_pushnil(state);
  push(state, problem);
  return 2;
}

int find_module(lua_State* state) {
  return load_found(state, Environment::of(state), check_text(state, 1, "require: the module's name"));
}

// compile(source, name, has_environment, environment)
int compile_text(lua_State* state) {
  const std::string_view source = check_text(state, 1, "load: the source");
  if (source.size() > kSourceLimit) {
    lua_pushnil(state);
    lua_pushliteral(state, "load: the source is larger than 1 MiB");
    return 2;
  }
  const char* name = lua_type(state, 2) == LUA_TSTRING ? lua_tolstring(state, 2, nullptr) : "=(load)";
  if (load_text(state, source, name) != 0) {
    lua_pushnil(state);
    lua_insert(state, -2);
    return 2;
  }
  if (lua_toboolean(state, 3)) {
    if (!lua_istable(state, 4)) raise(state, "load: the environment is a table");
    lua_pushvalue(state, 4);
    lua_setfenv(state, -2);
  }
  return 1;
}

}  // namespace

int compile(Environment& environment, lua_State* state, std::string_view source, const std::string& path) {
  environment.chunks.push_back({shown_name(path), path});
  return load_text(state, source, ("@" + path).c_str());
}

void add_loader(Environment& environment) {
  lua_State* state = environment.vm.state();
  add_native(state, "compile", &compile_text);
  add_native(state, "find_module", &find_module);
  lua_pushinteger(state, static_cast<lua_Integer>(kSourceLimit));
  lua_setfield(state, -2, "source_limit");
}

}  // namespace lingate::runtimes::lua
