// Listeners: the addresses that the workers serve together, and how a new configuration changes them. What can fail,
// binding, is done by plan(), so that a configuration is applied whole or not at all. An address that stays keeps its
// sockets, and with port 0 its port; connections that are there go on whatever becomes of their listener.
//
// Thread: one at a time; plan() may wait for a moment. Lifetime: until the workers have run what was posted to them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
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
    std::vector<http::BoundSocket> sockets;  // one a worker, or more; none: it is there already
  };
  using Plan = std::vector<Place>;  // in the order of the configuration

  // An address and all sockets that listen on it, as one process hands it to the next.
  struct Shared {
    config::Address written;
    bool proxy_protocol = false;
    bool secure = false;
    std::vector<Descriptor> sockets;
  };
  // Copies of all that is there. Nothing: a worker is too busy to answer, or there is no descriptor left.
  std::optional<std::vector<Shared>> share();
  // Before the first plan(): what need not be bound. More sockets than workers are served all the same, since each has
  // clients waiting.
  void inherit(std::vector<Shared> shared) { inherited_ = std::move(shared); }
  // The files of `unix:` addresses: once the other process serves they are its, to remove in the end.
  void settle();
  void give_files_away();

  // Fails with kCannotListen; then nothing has changed.
  Result<Plan> plan(const std::vector<config::Listener>& wanted);
  void apply(Plan plan);

  std::vector<std::string> urls() const;

 private:
  const Place* kept_for(const Place& place, const std::vector<const Place*>& taken) const;
  Result<void> bind(Place& place);
  Result<void> join(Place& place);
  void take_inherited(Place& place);
  Error explained(Error error, const Place& place) const;
  void remove(std::uint32_t id);
  void wait_for_removals();

  const std::vector<http::Worker*> workers_;
  Plan current_;
  std::vector<Shared> inherited_;  // and not taken
  std::uint32_t next_id_ = 1;

  std::mutex mutex_;
  std::condition_variable removed_;
  std::size_t to_remove_ = 0;  // sockets that workers have been told to close, and have not yet
};

}  // namespace lingate
