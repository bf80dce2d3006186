// Configurations: which configuration runs, which ran before, and how another takes its place. What the operations on
// the configuration are made of; the composition root implements it.
//
// Thread: any. replace() and its like wait until it is done: for as long as the scripts of the new one take to load.
// Lifetime: outlives the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config/diagnostic.h"
#include "gateway/config/model.h"
#include "gateway/http/snapshot.h"
#include "middleware/script_pools.h"

namespace lingate::admin {

// Where a configuration came from: its file at the start or later, the admin API, or the history.
enum class Origin : std::uint8_t { start, file, api, rollback };

// Says which configuration it is, for people and for If-Match.
struct Version {
  std::uint64_t generation = 1;  // counts from the start of the gateway
  Origin origin = Origin::start;
  std::chrono::system_clock::time_point since;
  std::string etag;  // of its text, in quotes
  std::string text;
  std::vector<config::WrittenFile> included;
};

// A configuration as it runs. Whoever holds it can look at what it points to; the script pools live as long as it.
struct Running {
  Version version;
  config::Model model;
  std::shared_ptr<const http::Snapshot> snapshot;
  const middleware::ScriptPools* scripts = nullptr;  // the snapshot's
};

struct Replaced {
  std::uint64_t generation = 0;
  std::string etag;
  std::vector<config::Diagnostic> warnings;
  std::vector<std::string> notes;  // what of it takes a new start
};

// Why another configuration does not run.
struct NotReplaced {
  int code = 0;  // base/codes.h
  std::string detail;
  std::vector<config::Diagnostic> diagnostics{};
};

// The detail of kEnding while it is not known yet which process goes on.
inline constexpr std::string_view kBeingReplaced =
    "another process is taking this one's place; the log says when it has, or has failed to";

enum class Save : std::uint8_t { yes, no };

// If-Match: nothing where it is not needed.
struct NewText {
  std::string text;
  std::optional<std::string> match{};
  Save save = Save::yes;  // to the file that the configuration is loaded from
};

class Configurations {
 public:
  using Outcome = Result<Replaced, NotReplaced>;

  virtual std::shared_ptr<const Running> running() const = 0;
  virtual std::vector<Version> history() const = 0;  // oldest first; the last one runs

  virtual Outcome reload() = 0;  // from its file
  virtual Outcome replace(NewText text) = 0;
  virtual Outcome roll_back(std::uint64_t generation, Save save) = 0;

 protected:
  ~Configurations() = default;
};

std::string_view name_of(Origin origin) noexcept;

}  // namespace lingate::admin
