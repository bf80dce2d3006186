// Gateway: one running lingate. It owns the threads (one a worker), the resolver, the logs, the runtimes and, by its
// Reloader, the configuration that runs, and turns signals into reloads, draining and ending.
//
// Thread: made, run and destroyed on one thread, which waits for signals while the workers serve.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/config/model.h"
#include "gateway/last_resort.h"
#include "gateway/upgrade/inheritance.h"
#include "gateway/upgrade/launch.h"

namespace lingate {

// Whether the gateway looks for changes of its configuration's file and scripts by itself.
enum class Follow : std::uint8_t { nothing, file };

class Gateway {
 public:
  struct Options {
    Follow follow = Follow::nothing;
    Launch launch{};                     // for the process that will take this one's place
    Inheritance* inheritance = nullptr;  // of the process whose place this one takes; emptied
  };

  // Loads every script, opens every listener, and starts to serve. A script that fails to load is kScriptLoad, an
  // address that cannot be had kCannotListen. Blocks the signals that run() waits for, in all threads made here.
  static Result<std::unique_ptr<Gateway>> start(const config::Model& model, Options options);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // "http://127.0.0.1:8080", "https://…" for each listener at the start, in the order configured, with the ports
  // that were found.
  const std::vector<std::string>& listening() const noexcept;
  std::string admin() const;  // the operators' listener, as a URL; empty: none

  // Serves until SIGTERM or SIGINT; SIGHUP reloads, SIGUSR1 opens log files anew. The first one drains: no new
  // connections, what is in flight is finished within `limits.timeout.drain`; the second one ends it at once. SIGUSR2
  // starts the program that is on disk in this one's place, and once that serves this one drains. Returns the exit
  // code, with which the process ends soon, whatever holds it (last_resort.h).
  int run();

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  LastResort last_resort_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lingate
