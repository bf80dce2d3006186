// What the command line asks of the whole program: to serve a configuration, to try its scripts, to say what is in it.
//
// Thread: the main thread's.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "gateway/cli/cli.h"
#include "gateway/upgrade/inheritance.h"
#include "gateway/upgrade/launch.h"

namespace lingate {

class WholeProgram final : public cli::Program {
 public:
  explicit WholeProgram(Launch launch) : launch_(std::move(launch)) {}

  int run(const config::Model& model, Watch watch) override;
  std::vector<cli::ScriptProblem> check_scripts(const config::Model& model) override;
  std::vector<cli::Component> components() const override;
  Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) override;

 private:
  const Launch launch_;
  std::optional<Inheritance> inheritance_;  // by the end of its channel the process before this one sees that this ends
};

}  // namespace lingate
