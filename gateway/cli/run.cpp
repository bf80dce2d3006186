#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/config/loader.h"

namespace lingate::cli {

std::optional<config::Model> load(const std::string& path, Console& console) {
  config::Loaded loaded = config::load_file(path);
  for (const config::Diagnostic& each : loaded.diagnostics)
    console.error << config::render(each, console.error_paint);
  return std::move(loaded.model);
}

int run(const RunOptions& options, Program& program, Console& console) {
  const auto model = load(options.config, console);
  return model ? program.run(*model) : kConfigurationInvalid;
}

}  // namespace lingate::cli
