#include "gateway/http/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/codes.h"
#include "gateway/http/connection.h"
#include "gateway/http/names.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

constexpr int kBatch = 64;  // connections in one turn
constexpr int kBatchesAtTheEnd = 64;
constexpr std::chrono::milliseconds kRetry{100};

Error cannot(const Address& address, std::string_view what) {
  const std::string where = address.kind == Address::Kind::unix_socket
                                ? "unix:" + address.path
                                : address.host + ":" + std::to_string(address.port);
  return {code::kCannotListen, "cannot listen on " + where + ": " + std::string(what) + ": " + std::strerror(errno) +
                                   "; free the address, or choose another one (port 0 takes any free port)"};
}

// A socket file that nobody listens on is left over from a process that was killed.
void remove_stale_socket(const Endpoint& endpoint, const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool dead = ::connect(probe, reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.size) != 0 &&
                    errno == ECONNREFUSED;
  ::close(probe);
  if (dead) ::unlink(path.c_str());
}

int socket_of(const Endpoint& endpoint) {
  const int fd = ::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

bool bind_to(int fd, const Endpoint& endpoint) {
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.size) == 0;
}

// Sockets of one port share it among workers, and would share it with another gateway as well: this one does not.
bool is_free(const Endpoint& endpoint) {
  const int fd = socket_of(endpoint);
  const bool free = fd >= 0 && bind_to(fd, endpoint);
  const int error = errno;
  ::close(fd);
  errno = error;
  return free;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Peer::from(storage).port;
}

}  // namespace

Listener::~Listener() {
  close();
}

Result<Listening> Listener::open() {
  Address address = options_.address;
  const auto fd =
      options_.joined_path >= 0 ? Result<int>(::fcntl(options_.joined_path, F_DUPFD_CLOEXEC, 0)) : bound(address);
  if (!fd) return fail(fd.error());
  watch_ = *fd >= 0 ? worker_.parts.reactor.add(*fd, *this) : nullptr;
  if (!watch_) return fail(cannot(address, "epoll"));
  watch_->await_read();
  return Listening{std::move(address), watch_->fd()};
}

Result<int> Listener::bound(Address& address) {
  Endpoint endpoint;
  if (!fixed_endpoint(address, endpoint)) {
    errno = EINVAL;
    return fail(cannot(address, "this is no IP address"));
  }
  const bool tcp = address.kind == Address::Kind::tcp;
  if (!tcp) remove_stale_socket(endpoint, address.path);
  if (tcp && !options_.join && !is_free(endpoint)) return fail(cannot(address, "bind"));
  const int fd = socket_of(endpoint);
  if (fd < 0) return fail(cannot(address, "socket"));
  const int on = 1;
  if (tcp) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!bind_to(fd, endpoint) || ::listen(fd, options_.backlog) != 0) {
    Error error = cannot(address, "bind");
    ::close(fd);
    return fail(std::move(error));
  }
  if (tcp)
    address.port = port_of(fd);
  else
    file_ = SocketFile::of(address.path);
  return fd;
}

void Listener::close() noexcept {
  worker_.parts.loop.disarm(*this);
  if (watch_) watch_->close();
  watch_ = nullptr;
  if (file_) file_->remove();
  file_.reset();
}

SocketFile SocketFile::of(const std::string& path) {
  struct stat info {};
  ::stat(path.c_str(), &info);
  return {path, info.st_dev, info.st_ino};
}

void SocketFile::remove() const noexcept {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && info.st_dev == device && info.st_ino == inode) ::unlink(path.c_str());
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
      Connection::start(worker_, fd, Peer::from(storage),
                        options_.proxy_protocol ? Connection::Begins::proxy_header : Connection::Begins::http);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return watch_->await_read(), false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause(errno), false;
    // ECONNABORTED and the like concern one client only.
  }
  return true;
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
