// Gateway: one running lingate. It owns the threads (one a worker), the listeners, the resolver, the logs, the runtimes
// and the current snapshot, and turns signals into draining and ending.
//
// Thread: made, run and destroyed on one thread, which waits for signals while the workers serve.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/config/model.h"

namespace lingate {

class Gateway {
 public:
  // Loads every script, opens every listener, and starts to serve. A script that fails to load is kScriptLoad, an
  // address that cannot be had kCannotListen. Blocks the signals that run() waits for, in all threads made here. The
  // model outlives the gateway.
  static Result<std::unique_ptr<Gateway>> start(const config::Model& model);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // "http://127.0.0.1:8080" for each listener, in the order configured, with the ports that were found.
  const std::vector<std::string>& listening() const noexcept;
  std::string admin() const;  // the operators' listener, as a URL; empty: none

  // Serves until SIGTERM or SIGINT. The first one drains: no new connections, what is in flight is finished within
  // `limits.drain`; the second one ends it at once. Returns the first one.
  int run();

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lingate
