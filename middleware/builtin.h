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
namespace auth {
class JwksFetcher;
class PasswordCrew;
}  // namespace auth
namespace limits {
class Limits;
}

// What steps need beside their settings.
struct StepSurroundings {
  std::uint32_t workers = 1;  // loops that will run the step
  LogFiles* logs = nullptr;
  ScriptPools* scripts = nullptr;
  SessionDirectory* sessions = nullptr;
  limits::Limits* limits = nullptr;
  auth::PasswordCrew* passwords = nullptr;
  auth::JwksFetcher* fetcher = nullptr;
  // What the step is called among all of a configuration, the same after a reload and a restart: where it is written,
  // its kind, and which of that kind it is there: "route users/rate-limit/1", "chain base/quota/1".
  std::string_view name{};
};

using MadeStep = Result<std::unique_ptr<const Middleware>>;

enum class Keeps : std::uint8_t { nothing, in_the_store };

struct StepKind {
  std::string_view kind;
  MadeStep (*make)(const Settings&, const StepSurroundings&);
  Keeps keeps = Keeps::nothing;
};

std::span<const StepKind> builtin_steps() noexcept;
const StepKind* find_step(std::string_view kind) noexcept;  // nullptr: there is none

}  // namespace lingate::middleware
