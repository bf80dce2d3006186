// The command line: `lingate VERB …`. Each verb is one file here; what only a running gateway or a script engine can do
// is asked of a Program, which the composition root implements. Verbs print to a Console, so that tests can read it.
//
// Thread: the main thread. Lifetime: one call of run_command_line is one invocation of lingate.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/config/diagnostic.h"
#include "gateway/config/model.h"
#include "store/store.h"

namespace lingate::cli {

// Contract, section 2.
enum ExitCode : int {
  kOk = 0,
  kInternalError = 1,
  kUsage = 2,
  kConfigurationInvalid = 3,
  kWouldChange = 4,
  kAdminUnreachable = 5,
  kCannotStart = 6,
  kScriptFailed = 7,
  kTestsFailed = 8,
  kRegression = 9,
  kInterrupted = 130,
};

// A script that does not load.
struct ScriptProblem {
  config::Place step;  // of the step that names it
  int code = 0;        // base/codes.h: kScriptLoad, kScriptMemory …
  std::string message;
  std::string file;        // of the mistake; empty: unknown
  std::uint32_t line = 0;  // 0: unknown
  std::vector<std::string> stack;
};

// A part of this build, for `version`: {"LuaJIT", "2.1.0-beta3"}.
struct Component {
  std::string name;
  std::string version;
};

class Program {
 public:
  // Serves until it is told to end, and reloads when the configuration's files change, if it shall watch them. Says on
  // the console why it cannot; returns kOk, kCannotStart or kScriptFailed.
  enum class Watch : std::uint8_t { no, yes };
  virtual int run(const config::Model& model, Watch watch) = 0;

  // Compiles every script of the model and runs its top level and `init` in a throw-away instance.
  virtual std::vector<ScriptProblem> check_scripts(const config::Model& model) = 0;

  virtual std::vector<Component> components() const = 0;

  // The store that the model names, for who looks into it without a gateway.
  virtual Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) = 0;

 protected:
  ~Program() = default;
};

struct Console {
  std::ostream& out;
  std::ostream& error;
  config::Paint out_paint = config::Paint::none;
  config::Paint error_paint = config::Paint::none;
};

// Colour where the stream is a terminal and NO_COLOR is not set.
Console standard_console();

// `arguments` as main() got them, the program's name first. Returns the exit code.
int run_command_line(const std::vector<std::string>& arguments, Program& program, Console& console);

}  // namespace lingate::cli
