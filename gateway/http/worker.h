// Worker: one thread that serves HTTP: its loop, clock and timers, its listeners, the connections it accepted, its own
// upstream pools and its own counters. Workers share nothing but the snapshot; other threads reach one through post(),
// adopt(), drain() and stop() only.
//
// Thread: run() makes the calling thread the worker's. Lifetime: outlives run(); all that it accepted dies with run().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/descriptor.h"
#include "base/loop.h"
#include "base/result.h"
#include "gateway/http/bound_socket.h"
#include "gateway/http/metrics.h"
#include "gateway/http/options.h"
#include "gateway/http/snapshot.h"
#include "middleware/app_log.h"

namespace lingate::http {

class AddressCounts;
class Drains;
class Resolver;
class WorkerState;

struct WorkerOptions {
  std::uint32_t index = 0;  // 0 … workers-1
  Resolver& resolver;       // shared by the workers; it and the log outlive them
  middleware::AppLog& log;
  AddressCounts* addresses = nullptr;  // shared as well; none: no address is held to a limit
  Drains* drains = nullptr;            // shared too; none: no target is ever drained
};

// What becomes of connections without a request in a drain.
enum class Idle : std::uint8_t { close, wait };

struct ListenerCopy {
  std::uint32_t id = 0;
  Descriptor socket;
};

class Worker final : public Loop {
 public:
  Worker(const WorkerOptions& options, std::shared_ptr<const Snapshot> snapshot);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves until drain() or stop() has ended it.
  void run();

  // After run(): drops what it serves. Scripts that this cancels come home while the worker is still there.
  void drop_all() noexcept;

  // ---- any thread ----
  // Listeners: served from here on, with run() at the earliest; changed for connections to come; closed once those that
  // the kernel has let in are served.
  void add_listener(const ListenerOptions& options, BoundSocket socket);
  void change_listener(const ListenerOptions& options);
  void remove_listener(std::uint32_t id);
  // Copies of the sockets that it listens on, by listener: for another process. Asks its thread and waits; nothing: it
  // does not answer in time.
  std::optional<std::vector<ListenerCopy>> copy_listeners(Clock::duration patience);
  // Listener::set_file()
  void set_listener_file(std::uint32_t id, std::optional<SocketFile> file);
  // The next request of every connection is served by this snapshot; those in flight finish on theirs.
  void adopt(std::shared_ptr<const Snapshot> snapshot);
  // Closes idle connections to targets that are drained.
  void close_drained();
  // Runs it on the worker's thread.
  void call(std::function<void()> work);
  // Stops accepting, answers what is in flight with `Connection: close`, and ends run() when none is left or after
  // `patience`. Connections that wait for a request are closed, or stay until they had one more.
  void drain(Clock::duration patience, Idle idle = Idle::close);
  // Ends run() now; what is in flight is cut.
  void stop();
  const Metrics& metrics() const noexcept;

  // ---- Loop ----
  std::uint32_t index() const noexcept override;
  Clock::time_point now() const noexcept override;
  Clock::time_point refresh() noexcept override;
  std::chrono::system_clock::time_point wall() noexcept override;
  void arm(Timer& timer, Clock::duration after) noexcept override;
  void disarm(Timer& timer) noexcept override;
  void post(Task& task) noexcept override;
  bool put_off(TurnEnd& end) noexcept override;
  void forget(TurnEnd& end) noexcept override;
  bool listen(int fd, std::shared_ptr<Bell> bell) noexcept override;

 private:
  std::unique_ptr<WorkerState> state_;
};

}  // namespace lingate::http
