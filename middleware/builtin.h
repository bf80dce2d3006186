// The one list of built-in steps: the name that a configuration uses, and how to make a step of that kind from its
// validated settings. A step is one file in steps/ (the script step, the bridge to the runtimes, is script.cpp) and one
// line here; `use` is no step, the loader puts the named chain in its place.
//
// Thread: make() on the thread that builds a snapshot. Lifetime: steps belong to the snapshot; what StepSurroundings
// points to outlives them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"
#include "middleware/middleware.h"

namespace lingate::middleware {

class LogFiles;
class ScriptPools;
class SessionDirectory;

// What steps need beside their settings.
struct StepSurroundings {
  std::uint32_t workers = 1;  // loops that will run the step
  LogFiles* logs = nullptr;
  ScriptPools* scripts = nullptr;
  SessionDirectory* sessions = nullptr;
};

using MadeStep = Result<std::unique_ptr<const Middleware>>;

struct StepKind {
  std::string_view kind;
  MadeStep (*make)(const Settings&, const StepSurroundings&);
};

std::span<const StepKind> builtin_steps() noexcept;
const StepKind* find_step(std::string_view kind) noexcept;  // nullptr: there is none

}  // namespace lingate::middleware
