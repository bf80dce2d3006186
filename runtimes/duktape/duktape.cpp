#include "runtimes/duktape/duktape.h"

#include <duktape.h>

#include "runtimes/duktape/instance.h"

namespace lingate::runtimes::duktape {
namespace {

class DuktapeRuntime final : public Runtime {
 public:
  explicit DuktapeRuntime(Watchdog& watchdog) : watchdog_(watchdog) {}

  std::string_view name() const noexcept override { return "js"; }

  std::string version() const override {
    constexpr long kVersion = DUK_VERSION;
    return "Duktape " + std::to_string(kVersion / 10000) + "." + std::to_string(kVersion / 100 % 100) + "." +
           std::to_string(kVersion % 100);
  }

  std::vector<std::string_view> extensions() const override { return {".js"}; }

  Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host) override {
    auto instance = std::make_unique<DuktapeInstance>(script, host);
    if (auto loaded = instance->load(watchdog_); !loaded) return lingate::fail(std::move(loaded.error()));
    return instance;
  }

 private:
  Watchdog& watchdog_;
};

}  // namespace

std::unique_ptr<Runtime> make_duktape(Watchdog& watchdog) {
  return std::make_unique<DuktapeRuntime>(watchdog);
}

}  // namespace lingate::runtimes::duktape
