// Launch: how this program was started, so that it can be started again, as it is on disk by then: the path by which it
// was called, and not the file behind, which an installation replaces.
//
// Plain data; made before anything changes the folder or the environment.
#pragma once

#include <string>
#include <vector>

namespace lingate {

struct Launch {
  std::string program;  // absolute
  std::vector<std::string> arguments;

  static Launch of(std::vector<std::string> arguments);
};

}  // namespace lingate
