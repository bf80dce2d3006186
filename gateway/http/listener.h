// Listener: accepts connections in batches, on a socket of its own worker (SO_REUSEPORT: the kernel spreads the
// clients). Out of descriptors it stops accepting, says so once, and tries again every so often: no busy loop, and
// those already connected are served.
//
// Thread: the worker's; it may be made on another. Lifetime: the worker's.
#pragma once

#include <optional>

#include "base/loop.h"
#include "gateway/http/bound_socket.h"
#include "gateway/http/options.h"
#include "gateway/http/peer.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class WorkerState;

class Listener final : public Watcher, private Timer {
 public:
  Listener(WorkerState& worker, const ListenerOptions& options, BoundSocket socket);
  ~Listener();

  // False: the system gives the loop no room for it; it is closed.
  bool begin() noexcept;
  void close() noexcept;

  std::uint32_t id() const noexcept { return options_.id; }
  // From the next connection on; the address stays.
  void change(const ListenerOptions& options) noexcept { options_ = options; }

  // A copy of its socket; none: the system has no room for it.
  Descriptor copy() const noexcept;
  // Who removes the file of a `unix:` address in the end: this one, or with none another process.
  void set_file(std::optional<SocketFile> file) noexcept { file_ = std::move(file); }

  // Before the end: whom the kernel has let in already is served.
  void accept_all() noexcept;

  void readable() noexcept override;
  void writable() noexcept override {}

 private:
  void expired() noexcept override { readable(); }
  bool accept_batch() noexcept;
  void start(int fd, const Peer& peer) noexcept;
  void pause(int error) noexcept;

  WorkerState& worker_;
  ListenerOptions options_;
  BoundSocket socket_;  // until begin()
  Watch* watch_ = nullptr;
  std::optional<SocketFile> file_;
  bool starved_ = false;
};

}  // namespace lingate::http
