// What the command line asks of the whole program: to serve a configuration, to try its scripts, to say what is in it.
//
// Thread: the main thread's.
#pragma once

#include <vector>

#include "gateway/cli/cli.h"

namespace lingate {

class WholeProgram final : public cli::Program {
 public:
  int run(const config::Model& model, Watch watch) override;
  std::vector<cli::ScriptProblem> check_scripts(const config::Model& model) override;
  std::vector<cli::Component> components() const override;
  Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) override;
};

}  // namespace lingate
