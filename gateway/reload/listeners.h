// Listeners: the addresses that the workers serve together, and how a new configuration changes them. What can fail,
// binding, is done by plan(), so that a configuration is applied whole or not at all. An address that stays keeps its
// sockets, and with port 0 its port; connections that are there go on whatever becomes of their listener.
//
// Thread: one at a time; plan() may wait for a moment. Lifetime: until the workers have run what was posted to them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/config/model.h"
#include "gateway/http/bound_socket.h"
#include "gateway/http/worker.h"

namespace lingate {

class Listeners {
 public:
  explicit Listeners(std::vector<http::Worker*> workers) : workers_(std::move(workers)) {}

  // One address, as it will be.
  struct Place {
    config::Address written;  // with the port 0 where the configuration says so
    http::ListenerOptions options;
    std::string url;
    std::vector<http::BoundSocket> sockets;  // one a worker; none: it is there already
  };
  using Plan = std::vector<Place>;  // in the order of the configuration

  // Fails with kCannotListen; then nothing has changed.
  Result<Plan> plan(const std::vector<config::Listener>& wanted);
  void apply(Plan plan);

  std::vector<std::string> urls() const;

 private:
  const Place* kept_for(const Place& place, const std::vector<const Place*>& taken) const;
  Result<void> bind(Place& place);
  Error explained(Error error, const Place& place) const;
  void remove(std::uint32_t id);
  void wait_for_removals();

  const std::vector<http::Worker*> workers_;
  Plan current_;
  std::uint32_t next_id_ = 1;

  std::mutex mutex_;
  std::condition_variable removed_;
  std::size_t to_remove_ = 0;  // sockets that workers have been told to close, and have not yet
};

}  // namespace lingate
