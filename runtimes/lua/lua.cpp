#include "runtimes/lua/lua.h"

#include "runtimes/lua/engine.h"
#include "runtimes/lua/instance.h"

namespace lingate::runtimes::lua {
namespace {

class LuaRuntime final : public Runtime {
 public:
  explicit LuaRuntime(Watchdog& watchdog) : watchdog_(watchdog) {}

  std::string_view name() const noexcept override { return "lua"; }
  std::string version() const override { return LUAJIT_VERSION; }
  std::vector<std::string_view> extensions() const override { return {".lua"}; }
  Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host) override {
    return LuaInstance::load(script, host, watchdog_);
  }

 private:
  Watchdog& watchdog_;
};

}  // namespace

std::unique_ptr<Runtime> make_lua(Watchdog& watchdog) {
  return std::make_unique<LuaRuntime>(watchdog);
}

}  // namespace lingate::runtimes::lua
