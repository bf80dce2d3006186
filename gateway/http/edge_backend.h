// What Asio waits for readiness with, as the Reactor uses it: the epoll reactor, which tells of edges, or io_uring in a
// build with -DLINGATE_IO_URING=ON, where a wait is a poll request that goes to the kernel together with those of the
// whole turn. A poll tells of a state rather than of an edge: who still has something to read is told again.
//
// Both are details of Boost: what is used here was read in 1.81, which Debian 12 pins. Internal to readiness.cpp.
// Thread: the worker's.
#pragma once

#include <boost/asio/io_context.hpp>  // first: the details below do not stand alone
//
#include <boost/version.hpp>
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#include <poll.h>

#include <boost/asio/detail/io_uring_operation.hpp>
#include <boost/asio/detail/io_uring_service.hpp>
#else
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#endif

static_assert(BOOST_VERSION == 108100, "read detail/epoll_reactor and io_uring_service again before another Boost");

namespace lingate::http {

namespace asio_detail = boost::asio::detail;

enum class Edge { readable, writable };
// Whether what was told of the descriptor before holds.
enum class Readiness { known, to_come };
// Who has the descriptor's socket open: this process alone, or others as well.
enum class Holders { one, several };

#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)

using EdgeService = asio_detail::io_uring_service;

struct EdgeOp : asio_detail::io_uring_operation {
  explicit EdgeOp(func_type on_done)
      : io_uring_operation(boost::system::error_code(), &EdgeOp::do_prepare, &EdgeOp::do_perform, on_done) {}

  static void do_prepare(io_uring_operation* base, ::io_uring_sqe* request) {
    const auto& self = *static_cast<EdgeOp*>(base);
    ::io_uring_prep_poll_add(request, self.fd, static_cast<unsigned>(self.events));
  }
  static bool do_perform(io_uring_operation*, bool after_completion) { return after_completion; }

  int fd = -1;
  int events = 0;
};

// A descriptor as the service knows it.
class Registration {
 public:
  bool open(EdgeService& service, int) noexcept {
    service.register_io_object(data_);
    return true;
  }
  void start(EdgeService& service, int fd, Edge edge, EdgeOp& op, Readiness) noexcept {
    const bool reads = edge == Edge::readable;
    op.fd = fd;
    op.events = reads ? POLLIN : POLLOUT;
    service.start_op(reads ? EdgeService::read_op : EdgeService::write_op, data_, &op, true);
  }
  // What waits comes back, later. Before the descriptor is closed.
  void close(EdgeService& service, int, Holders) noexcept {
    service.deregister_io_object(data_);
    service.cleanup_io_object(data_);
  }

 private:
  EdgeService::per_io_object_data data_ = nullptr;
};

#elif defined(BOOST_ASIO_HAS_EPOLL)

using EdgeService = asio_detail::reactor;

// Does no I/O of its own: it is over as soon as the reactor performs it, and says that the readiness is used up, so
// that the next one waits for a new edge.
struct EdgeOp : asio_detail::reactor_op {
  explicit EdgeOp(func_type on_done) : reactor_op(boost::system::error_code(), &EdgeOp::do_perform, on_done) {}

  static status do_perform(reactor_op*) { return done_and_exhausted; }
};

// A descriptor as the service knows it.
class Registration {
 public:
  bool open(EdgeService& service, int fd) noexcept {
    if (service.register_descriptor(fd, data_) == 0) return true;
    if (data_) service.deregister_descriptor(fd, data_, false);
    service.cleanup_descriptor_data(data_);
    return false;
  }
  void start(EdgeService& service, int fd, Edge edge, EdgeOp& op, Readiness readiness) noexcept {
    const int type = edge == Edge::readable ? EdgeService::read_op : EdgeService::write_op;
    service.start_op(type, fd, data_, &op, true, readiness == Readiness::known);
  }
  // What waits comes back, later. Before the descriptor is closed.
  void close(EdgeService& service, int fd, Holders holders) noexcept {
    service.deregister_descriptor(fd, data_, holders == Holders::one);
    service.cleanup_descriptor_data(data_);
  }

 private:
  EdgeService::per_descriptor_data data_ = nullptr;
};

#else
#error "the Reactor needs Asio's epoll reactor or io_uring"
#endif

}  // namespace lingate::http
