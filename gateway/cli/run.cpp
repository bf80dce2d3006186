#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/cli/scripts.h"
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
  if (!model) return kConfigurationInvalid;
  const int result = program.run(*model, options.watch ? Program::Watch::yes : Program::Watch::no);
  if (result != kScriptFailed) return result;
  const auto bad = find_bad_scripts(*model, program);  // the first one has stopped it; there may be more
  for (const BadScript& each : bad)
    print(each, console.error, console.error_paint);
  if (bad.empty()) console.error << "lingate: a script could not be loaded, and can be now: start again\n";
  return result;
}

}  // namespace lingate::cli
