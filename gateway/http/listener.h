// Listener: accepts connections in batches, on a socket of its own worker (SO_REUSEPORT: the kernel spreads the
// clients). Out of descriptors it stops accepting, says so once, and tries again every so often: no busy loop, and
// those already connected are served.
//
// Thread: the worker's; open() before it runs. Lifetime: the worker's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/loop.h"
#include "base/result.h"
#include "gateway/http/options.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class WorkerState;

// A path that is this process's to remove, as long as nobody else has put another socket there.
struct SocketFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;

  static SocketFile of(const std::string& path);
  void remove() const noexcept;
};

class Listener final : public Watcher, private Timer {
 public:
  Listener(WorkerState& worker, const ListenerOptions& options) : worker_(worker), options_(options) {}
  ~Listener();

  Result<Listening> open();
  void close() noexcept;

  // Before the end: whom the kernel has let in already is served.
  void accept_all() noexcept;

  void readable() noexcept override;
  void writable() noexcept override {}

 private:
  Result<int> bound(Address& address);
  void expired() noexcept override { readable(); }
  bool accept_batch() noexcept;
  void pause(int error) noexcept;

  WorkerState& worker_;
  const ListenerOptions options_;
  Watch* watch_ = nullptr;
  std::optional<SocketFile> file_;
  bool starved_ = false;
};

}  // namespace lingate::http
