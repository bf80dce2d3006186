// CheckProcess: checks a configuration's text in a process of its own, by `lingate check`: scripts are compiled and
// their `init` runs, which must neither hold up nor endanger the gateway that was asked.
//
// Thread: run() on any that may wait for seconds, one at a time; end() on any. Lifetime: end() before it goes, if a
// run() may be under way, and wait for that.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace lingate {

class CheckProcess {
 public:
  // {"ok", "diagnostics", "scripts"}. The text stands in the place of `file`. The error is for the log and the
  // caller.
  Result<nlohmann::ordered_json, std::string> run(const std::string& text, const std::string& file);

  // Kills the check that runs; none begins after it.
  void end() noexcept;

 private:
  std::mutex mutex_;
  pid_t child_ = -1;
  bool ended_ = false;
};

}  // namespace lingate
