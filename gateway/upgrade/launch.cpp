#include "gateway/upgrade/launch.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

namespace lingate {
namespace {

// A name without a folder is looked for as a shell does.
std::string found_in_path(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace

Launch Launch::of(std::vector<std::string> arguments) {
  const std::string called = arguments.empty() ? std::string() : arguments.front();
  std::string program = called.find('/') == std::string::npos ? found_in_path(called) : called;
  std::error_code error;
  if (program.empty()) program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return {std::filesystem::absolute(program, error).lexically_normal().string(), std::move(arguments)};
}

}  // namespace lingate
