// Loading: the prelude, the script's top level, modules beside it, and init.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lingate_build/duktape_prelude.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"
#include "runtimes/header_rules.h"

namespace lingate::runtimes::duktape {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestModule = 16 * 1024 * 1024;
constexpr std::string_view kParameters = "function (exports, require, module) {";

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string joined(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  std::string path(folder);
  if (path.back() != '/') path.push_back('/');
  return path.append(name);
}

bool is_beside(const fs::path& file, const fs::path& folder) {
  auto part = file.begin();
  for (const fs::path& wanted : folder) {
    if (wanted.empty()) continue;  // a trailing slash
    if (part == file.end() || *part != wanted) return false;
    ++part;
  }
  return true;
}

// The file that `name` means, as a path as short as the script's own. False: error_text says why not.
bool resolve_module(Vm& vm, std::string_view name, std::string_view from, std::string& path) {
  const std::string root = folder_of(vm.script.path);
  const auto refuse = [&vm, name](std::string_view why) {
    vm.error_text.assign("require('").append(shown(name)).append("'): ").append(why);
    return false;
  };
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos)
    return refuse("a module is named by its place beside the script, such as './names'");
  const bool relative = name.starts_with("./") || name.starts_with("../");
  std::string wanted = joined(relative ? from : std::string_view(root), name);
  if (!wanted.ends_with(".js")) wanted.append(".js");
  std::error_code error;
  const fs::path base = fs::canonical(root.empty() ? "." : root, error);
  const fs::path file = error ? fs::path() : fs::canonical(wanted, error);
  if (error) return refuse("there is no " + shown(wanted));
  if (!is_beside(file, base)) return refuse("it is not beside the script; nothing outside its folder can be required");
  if (!fs::is_regular_file(file, error)) return refuse("it is no file");
  path = joined(root, file.lexically_relative(base).generic_string());
  return true;
}

bool read_module(Vm& vm, const std::string& path, std::string& source) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  source = std::move(bytes).str();
  if (file && source.size() <= kLongestModule) return true;
  vm.error_text.assign("cannot read ").append(shown(path)).append(file ? ": it is too large" : "");
  return false;
}

// Pushes the function that holds `source`, in strict mode. Raises a SyntaxError.
void compile(duk_context* ctx, std::string_view source, std::string_view path) {
  if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
  Vm& vm = Vm::of(ctx);
  vm.scratch.assign(kParameters).append(source).append("\n}");
  push_utf8(ctx, path);
  duk_compile_lstring_filename(ctx, DUK_COMPILE_FUNCTION | DUK_COMPILE_STRICT, vm.scratch.data(), vm.scratch.size());
}

// ---- natives of the prelude ----

// resolve(name, folder) → path
duk_ret_t resolve(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  std::string_view name;
  std::string_view folder;
  if (!get_string(ctx, 0, name)) raise(ctx, "require takes a name");
  get_string(ctx, 1, folder);
  vm.second_scratch.clear();
  if (!resolve_module(vm, name, folder, vm.second_scratch)) raise_kept(ctx);
  push_utf8(ctx, vm.second_scratch);
  return 1;
}

// compile(path) → function
duk_ret_t compile_module(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  std::string_view units;
  get_string(ctx, 0, units);
  vm.second_scratch.assign(units);
  if (!vm.loading) {
    vm.error_text.assign("require('").append(shown(units));
    vm.error_text.append("'): files are read only while the script is loaded; require it at the top");
    raise_kept(ctx);
  }
  if (!read_module(vm, vm.second_scratch, vm.source_scratch)) raise_kept(ctx);
  vm.dependencies.push_back(vm.second_scratch);
  compile(ctx, vm.source_scratch, vm.second_scratch);
  return 1;
}

// folder(path) → its folder; of "": the script's.
duk_ret_t folder(duk_context* ctx) {
  Vm& vm = Vm::of(ctx);
  std::string_view path;
  get_string(ctx, 0, path);
  vm.second_scratch = folder_of(path.empty() ? std::string_view(vm.script.path) : path);
  push_utf8(ctx, vm.second_scratch);
  return 1;
}

duk_ret_t config(duk_context* ctx) {
  Builder builder(ctx);
  if (!read_value(Vm::of(ctx).script.config, builder)) raise(ctx, "the step's config cannot be read");
  return 1;
}

// ---- steps of load_script ----

// [ kept ] -> [ kept ]; the function or object that the prelude handed over under `name`.
void* kept(duk_context* ctx, const char* name) {
  duk_get_prop_string(ctx, -1, name);
  void* const pointer = duk_get_heapptr(ctx, -1);
  duk_pop(ctx);
  return pointer;
}

// [ ] -> [ kept ]
void run_prelude(duk_context* ctx, Vm& vm) {
  duk_push_string(ctx, "lingate:prelude");
  duk_compile_lstring_filename(ctx, DUK_COMPILE_EVAL, kPreludeText, sizeof kPreludeText - 1);
  duk_call(ctx, 0);
  push_natives(ctx);
  duk_push_global_object(ctx);
  duk_get_prop_string(ctx, -1, "Object");
  duk_get_prop_string(ctx, -1, "prototype");
  vm.natives.object_prototype = duk_get_heapptr(ctx, -1);
  duk_pop_2(ctx);
  duk_get_prop_string(ctx, -1, "Duktape");
  duk_swap_top(ctx, -2);
  duk_call(ctx, 3);
  vm.natives.run = kept(ctx, "run");
  vm.natives.resume = kept(ctx, "resume");
  vm.natives.make_thread = kept(ctx, "makeThread");
  vm.natives.values = kept(ctx, "values");
  vm.natives.add = kept(ctx, "add");
  vm.natives.lines = kept(ctx, "lines");
  vm.natives.text = kept(ctx, "text");
  vm.natives.json = kept(ctx, "json");
  duk_push_global_stash(ctx);
  duk_dup(ctx, -2);
  duk_put_prop_string(ctx, -2, "kept");
  duk_push_array(ctx);
  vm.natives.slots = duk_get_heapptr(ctx, -1);
  duk_put_prop_string(ctx, -2, "slots");
  duk_pop(ctx);
}

// [ kept ] -> [ exports ]
void run_top_level(duk_context* ctx, Vm& vm) {
  duk_get_prop_string(ctx, -1, "start");
  push_utf8(ctx, vm.script.path);
  compile(ctx, vm.script.source, vm.script.path);
  duk_call(ctx, 2);
  duk_get_prop_string(ctx, -1, "exports");
  duk_remove(ctx, -2);
  duk_remove(ctx, -2);
}

// [ exports ]; the hook's heap pointer and arity.
void* read_hook(duk_context* ctx, Vm& vm, const char* name, std::int8_t parameters, std::int8_t& arity) {
  arity = HookSet::kAbsent;
  duk_get_prop_string(ctx, -1, name);
  if (duk_is_null_or_undefined(ctx, -1)) {
    duk_pop(ctx);
    return nullptr;
  }
  if (!duk_is_function(ctx, -1)) {
    vm.error_text.assign("exports.").append(name).append(" is no function");
    raise_kept(ctx);
  }
  const duk_size_t declared = duk_get_length(ctx, -1);
  arity = lingate_duk_takes_all(ctx, -1) != 0 || declared > static_cast<duk_size_t>(parameters)
              ? parameters
              : static_cast<std::int8_t>(declared);
  void* const function = duk_get_heapptr(ctx, -1);
  duk_push_global_stash(ctx);
  duk_swap_top(ctx, -2);
  duk_put_prop_string(ctx, -2, name);
  duk_pop(ctx);
  return function;
}

// [ exports ]
void read_hooks(duk_context* ctx, Vm& vm) {
  if (!duk_is_object(ctx, -1)) raise(ctx, "module.exports must be an object with the hooks");
  std::int8_t init_arity = HookSet::kAbsent;
  read_hook(ctx, vm, "init", 1, init_arity);
  vm.hooks.request = read_hook(ctx, vm, "request", 2, vm.hook_set.request);
  vm.hooks.response = read_hook(ctx, vm, "response", 3, vm.hook_set.response);
  vm.hooks.log = read_hook(ctx, vm, "log", 3, vm.hook_set.log);
  if (vm.hooks.request == nullptr && vm.hooks.response == nullptr && vm.hooks.log == nullptr)
    raise(ctx, "the script has no hook: export request, response or log (exports.request = function (req, ctx) {…})");
  if (init_arity == HookSet::kAbsent) return;
  duk_push_global_stash(ctx);
  duk_get_prop_string(ctx, -1, "init");
  duk_push_undefined(ctx);
  duk_get_prop_string(ctx, -3, "module");
  duk_get_prop_string(ctx, -1, "config");
  duk_remove(ctx, -2);
  duk_call_method(ctx, 1);
  duk_pop_2(ctx);
}

}  // namespace

void push_loader_natives(duk_context* ctx) {
  struct Native {
    const char* name;
    duk_c_function function;
    duk_idx_t arguments;
  };
  constexpr Native kNatives[] = {
      {"resolve", resolve, 2}, {"compile", compile_module, 1}, {"folder", folder, 1}, {"config", config, 0}};
  for (const Native& native : kNatives) {
    duk_push_c_function(ctx, native.function, native.arguments);
    duk_put_prop_string(ctx, -2, native.name);
  }
}

duk_ret_t load_script(duk_context* ctx, void* argument) {
  Vm& vm = *static_cast<Vm*>(argument);
  run_prelude(ctx, vm);
  run_top_level(ctx, vm);
  read_hooks(ctx, vm);
  return 0;
}

}  // namespace lingate::runtimes::duktape
