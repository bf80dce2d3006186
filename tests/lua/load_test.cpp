#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

LoadError load_error(const std::string& source) {
  Loaded script(source);
  EXPECT_FALSE(script.instance);
  return script.error;
}

TEST(LuaLoad, FailuresNamePlaceAndCause) {
  const LoadError syntax = load_error("local M = {}\nlocal = 5\nreturn M");
  EXPECT_EQ(syntax.file, "scripts/test.lua");
  EXPECT_EQ(syntax.line, 2U);
  EXPECT_THAT(syntax.message, HasSubstr("expected"));
  const LoadError thrown = load_error("local M = {}\nerror('boom')\nreturn M");
  EXPECT_EQ(thrown.message, "boom");
  EXPECT_EQ(thrown.line, 2U);
  EXPECT_THAT(load_error("").message, HasSubstr("return M"));
  EXPECT_THAT(load_error("return 5").message, HasSubstr("return M"));
  EXPECT_THAT(load_error("return {}").message, HasSubstr("no hook"));
  EXPECT_THAT(load_error("return {init = function() end}").message, HasSubstr("no hook"));
  EXPECT_THAT(load_error("return {request = 5}").message, HasSubstr("must be a function"));
  EXPECT_THAT(load_error("return {request = function() end, init = function() error('no init') end}").message,
              HasSubstr("no init"));
  EXPECT_NE(load_error("\x1bLJ\x02").message, "");
  EXPECT_THAT(load_error("lingate.sleep(1) return {request = function() end}").message, HasSubstr("while it loads"));
  EXPECT_THAT(load_error("lingate.respond(200) return {request = function() end}").message, HasSubstr("loads"));
}

TEST(LuaLoad, ALongPathIsShownWhole) {
  Loaded::Options options;
  options.path = std::string(80, 'd') + "/" + std::string(40, 's') + ".lua";
  Loaded script(Loaded::request_hook("error('x')"), options);
  const plugin::Verdict verdict = script.call();
  EXPECT_EQ(verdict.failure().message(), "x");
  EXPECT_EQ(verdict.failure().file(), options.path);
}

class LuaRequire : public testing::Test {
 protected:
  LuaRequire() : folder_(std::filesystem::temp_directory_path() / ("lingate-lua-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "scripts" / "lib");
    write("outside.lua", "return 'outside'");
    write("scripts/helper.lua", "local M = {} function M.twice(x) return 2 * x end return M");
    write("scripts/lib/deep.lua", "return {name = ...}");
    write("scripts/broken.lua", "local = 1");
    write("scripts/failing.lua", "error('in the module')");
    write("scripts/circle.lua", "return require('circle')");
    std::filesystem::create_symlink(folder_ / "outside.lua", folder_ / "scripts" / "link.lua");
  }
  ~LuaRequire() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  std::unique_ptr<Loaded> load(const std::string& top) {
    Loaded::Options options;
    options.path = (folder_ / "scripts" / "main.lua").string();
    return std::make_unique<Loaded>(top + "\nreturn {request = function() return lingate.respond(200, result) end}",
                                    options);
  }
  std::string problem(const std::string& name) {
    auto script = load("require('" + name + "')");
    return script->instance ? "none" : script->error.message;
  }

  std::filesystem::path folder_;
};

TEST_F(LuaRequire, FindsModulesBesideTheScriptOnce) {
  auto script = load(
      "result = {require('helper').twice(4), require('lib.deep').name, require('lib.deep') == require('lib.deep')}");
  ASSERT_TRUE(script->instance) << script->error.message;
  EXPECT_EQ(script->call().answer().body(), R"([8,"lib.deep",true])");
  EXPECT_EQ(script->instance->dependencies().size(), 2U);
}

TEST_F(LuaRequire, NeverLeavesTheFolder) {
  for (const char* name :
       {"../outside", "..outside", "/etc/passwd", "lib/../../outside", "", ".", "a//b", "helper.", "hel\\0per", "~/x"})
    EXPECT_THAT(problem(name), HasSubstr("no module's name")) << name;
  EXPECT_THAT(problem("link"), HasSubstr("leads out"));
  EXPECT_THAT(problem("nope"), HasSubstr("no file"));
  EXPECT_THAT(problem("ffi"), HasSubstr("no file"));
}

TEST_F(LuaRequire, FaultsInAModuleNameTheModule) {
  auto script = load("require('failing')");
  EXPECT_EQ(script->error.message, "in the module");
  EXPECT_THAT(script->error.file, HasSubstr("failing.lua"));
  EXPECT_EQ(script->error.line, 1U);
  EXPECT_THAT(problem("circle"), HasSubstr("requires itself"));
  EXPECT_THAT(problem("broken"), HasSubstr("expected"));
}

}  // namespace
}  // namespace lingate::runtimes::lua
