#include "gateway/http/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/codes.h"
#include "gateway/http/connection.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

constexpr int kBatch = 64;  // connections in one turn
constexpr int kBatchesAtTheEnd = 64;
constexpr std::chrono::milliseconds kRetry{100};

}  // namespace

Listener::Listener(WorkerState& worker, const ListenerOptions& options, BoundSocket socket)
    : worker_(worker), options_(options), socket_(std::move(socket)), file_(socket_.release_file()) {}

Listener::~Listener() {
  close();
}

bool Listener::begin() noexcept {
  watch_ = worker_.parts.reactor.add(socket_.release(), *this);
  if (watch_) watch_->await_read();
  return watch_ != nullptr;
}

void Listener::close() noexcept {
  worker_.parts.loop.disarm(*this);
  if (watch_) watch_->close_shared();
  watch_ = nullptr;
  if (file_) file_->remove();
  file_.reset();
}

Descriptor Listener::copy() const noexcept {
  return Descriptor(watch_ ? ::fcntl(watch_->fd(), F_DUPFD_CLOEXEC, 0) : -1);
}

void Listener::readable() noexcept {
  if (watch_ && accept_batch()) watch_->read_again();
}

void Listener::accept_all() noexcept {
  for (int batch = 0; watch_ && batch < kBatchesAtTheEnd && accept_batch(); ++batch)
    continue;
}

// True: there may be more.
bool Listener::accept_batch() noexcept {
  for (int k = 0; k < kBatch; ++k) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int fd = ::accept4(watch_->fd(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      starved_ = false;
      worker_.parts.metrics.accepted.add();
      const bool tcp = storage.ss_family != AF_UNIX;
      const int on = 1;
      if (tcp) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      start(fd, Peer::from(storage));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return watch_->await_read(), false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause(errno), false;
    // ECONNABORTED and the like concern one client only.
  }
  return true;
}

void Listener::start(int fd, const Peer& peer) noexcept {
  const bool secure = !options_.tls.empty();
  const tls::Context* tls = secure ? worker_.generations.current().snapshot->find_tls(options_.tls) : nullptr;
  if (secure && !tls) {  // a reload has taken it away, and nobody may speak plain text in its place
    ::close(fd);
    return;
  }
  using Begins = Arrival::Begins;
  Connection::start(worker_, {.fd = fd,
                              .peer = peer,
                              .begins = options_.proxy_protocol ? Begins::proxy_header : Begins::http,
                              .tls = tls,
                              .listener = options_.id,
                              .http2 = options_.http2 && !secure});
}

void Listener::pause(int error) noexcept {
  worker_.parts.metrics.accept_failures.add();
  worker_.parts.loop.arm(*this, kRetry);
  if (starved_) return;
  starved_ = true;
  const std::string message = std::string("cannot accept connections: ") + std::strerror(error) +
                              "; those already connected are served; raise the limit of open files (ulimit -n)";
  worker_.parts.log.write({.level = middleware::LogLevel::error, .message = message});
}

}  // namespace lingate::http
