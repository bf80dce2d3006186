// Readiness: tells the owner of a descriptor when it became readable or writable, and nothing else; the owner calls
// recv and sendmsg itself. It rides on Asio's epoll reactor, edge-triggered: a wait costs no system call, no allocation
// and no speculative read that ends in EAGAIN.
//
// What edges demand of the owner: an edge is told once. Having read less than it asked for, an owner may wait for the
// next edge when it needs no end of file; whoever must not miss a FIN that came along with the data reads until EAGAIN
// or 0.
//
// Under load the events of one turn of the loop are served in steps: all read; all responses go on with what was read,
// then all requests; the scripts that these came to are called; all send. A request's way through parser, chain and
// script is more code than the processor's first cache holds, and so is the kernel's way through its network stack;
// taking turns at every request, each evicts the other. While there is one event at a time nothing is put off.
//
// A soft watch has no descriptor: its edges are made by whoever passes bytes on inside the process (the streams of an
// HTTP/2 connection). To its owner it is like any other.
//
// Thread: the worker's. Lifetime: a Watch lives until close(); its memory is kept by the Reactor, which outlives all
// watches. After close() the watcher hears nothing more.
#pragma once

#include <cstdint>
#include <memory>

#include "base/loop.h"

namespace lingate::http {

// What was read ahead. Each kind is gone on with by itself, responses first.
enum class Ahead : std::uint8_t { nothing, response, request };

class Watcher {
 public:
  // Reads from the descriptor and does nothing else. Unless nothing was read, readable() follows later in this turn.
  virtual Ahead read_ahead() noexcept { return Ahead::nothing; }
  virtual void readable() noexcept = 0;
  virtual void writable() noexcept = 0;

 protected:
  ~Watcher() = default;
};

// One descriptor under watch. Only the Reactor makes these.
class Watch {
 public:
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int fd() const noexcept { return fd_; }
  void hand_to(Watcher& watcher) noexcept { watcher_ = &watcher; }
  bool awaits_read() const noexcept { return reading_; }
  bool awaits_write() const noexcept { return writing_; }

  // One call of readable() or writable() at the next edge, or at once if one came since the last. Asking twice is one.
  void await_read() noexcept;
  void await_write() noexcept;
  void await_connect() noexcept;  // writable() when the kernel says so, whatever was told before
  // One call of readable() soon, after others had their turn: for an owner that stopped before the data did.
  void read_again() noexcept;
  // Edges of a soft watch: as many as come before somebody waits are one.
  void tell_read() noexcept;
  void tell_write() noexcept;
  // Closes the descriptor and gives the watch back.
  void close() noexcept;
  // The same where another process may hold the socket too: then the kernel would go on telling of it.
  void close_shared() noexcept;

 protected:
  Watch() = default;
  ~Watch() = default;

  // Of a soft watch.
  struct SoftEdge {
    bool told : 1 = false;    // and nobody waited for it yet
    bool posted : 1 = false;  // the operation is on its way
  };

  int fd_ = -1;
  // In bits: an idle connection keeps a watch.
  bool reading_ : 1 = false;
  bool posted_ : 1 = false;
  bool ahead_ : 1 = false;  // has read ahead
  bool writing_ : 1 = false;
  bool soft_ : 1 = false;
  SoftEdge read_edge_;
  SoftEdge write_edge_;
  Watcher* watcher_ = nullptr;
};

// One worker's watches. `Context` is Asio's; only readiness.cpp and worker.cpp see it.
class Reactor {
 public:
  class Context;

  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Takes the descriptor over, which must be non-blocking. nullptr: the kernel refused; the descriptor is then closed.
  Watch* add(int fd, Watcher& watcher) noexcept;
  Watch& add_soft(Watcher& watcher) noexcept;
  std::uint32_t watches() const noexcept;
  // Whether the turns serve several events each, so that what need not be done now may be put off to their end.
  bool puts_off() const noexcept;
  void at_turn_end(TurnEnd& listener) noexcept;  // asking twice before it is told is one
  void forget(TurnEnd& listener) noexcept;

  Context& context() noexcept { return *context_; }
  // Called before each watcher is: keeps a clock of one reading per event, which it returns.
  void on_event(Clock::time_point (*hook)(void*), void* argument) noexcept;

 private:
  std::unique_ptr<Context> context_;
};

}  // namespace lingate::http
