#include "runtimes/python/python.h"

#include "runtimes/python/instance.h"
#include "runtimes/python/interpreter.h"

namespace lingate::runtimes::python {
namespace {

class PythonRuntime final : public Runtime {
 public:
  explicit PythonRuntime(Watchdog& watchdog) : watchdog_(watchdog) {}

  std::string_view name() const noexcept override { return "python"; }
  std::string version() const override { return std::string("CPython ") + PY_VERSION; }
  std::vector<std::string_view> extensions() const override { return {".py"}; }
  bool independent() const noexcept override { return false; }  // one interpreter, one lock

  Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host) override {
    start_interpreter();
    auto instance = std::make_unique<ModuleInstance>(watchdog_, script, host);
    if (auto loaded = instance->load(script); !loaded) return fail(std::move(loaded.error()));
    return instance;
  }

 private:
  Watchdog& watchdog_;
};

}  // namespace

std::unique_ptr<Runtime> make_python(Watchdog& watchdog) {
  return std::make_unique<PythonRuntime>(watchdog);
}

}  // namespace lingate::runtimes::python
