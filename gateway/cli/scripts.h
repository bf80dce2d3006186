// Scripts that do not load, for `check` and `run`: each mistake once, shown like one of the configuration.
//
// Plain functions.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "gateway/cli/cli.h"

namespace lingate::cli {

struct BadScript {
  config::Diagnostic diagnostic;
  std::vector<std::string> stack;
};

std::vector<BadScript> find_bad_scripts(const config::Model& model, Program& program);
void print(const BadScript& script, std::ostream& out, config::Paint paint);

}  // namespace lingate::cli
