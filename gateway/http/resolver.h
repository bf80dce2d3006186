// Resolver: looks names up on a thread of its own, so that no worker ever waits for DNS. A lookup is handed in with
// the loop that it belongs to, and comes back to that loop as a task.
//
// Thread: resolve() from any; results arrive on the loop's thread. Lifetime: outlives all loops that use it.
#pragma once

#include <sys/socket.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/loop.h"

namespace lingate::http {

// A socket address of any family that the gateway connects to.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  bool operator==(const Endpoint& other) const noexcept;
};

// One lookup. The resolver fills it in and posts it to `loop`; run() is its maker's to define, and frees it.
class Lookup : public Task {
 public:
  Lookup(Loop& loop, std::string name, std::uint16_t port) : loop_(loop), name_(std::move(name)), port_(port) {}

  virtual ~Lookup() = default;

 protected:
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }  // empty: the lookup failed
  const std::string& error() const noexcept { return error_; }

 private:
  friend class Resolver;
  Loop& loop_;
  std::string name_;
  std::uint16_t port_;
  std::vector<Endpoint> endpoints_;
  std::string error_;
};

class Resolver {
 public:
  Resolver();
  ~Resolver();  // drops what is queued; waits for the lookup that is being made
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Takes `lookup` over until its run() is called, or abandon() is.
  void resolve(std::unique_ptr<Lookup> lookup);
  // The loop goes away: if the lookup is not on its way back yet, it never will be, and is freed here. False: its run()
  // is about to be called.
  bool abandon(Lookup& lookup);

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Lookup>> queue_;
  Lookup* current_ = nullptr;
  bool abandoned_ = false;  // the current one
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lingate::http
