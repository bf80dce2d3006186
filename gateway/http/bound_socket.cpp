#include "gateway/http/bound_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/codes.h"
#include "gateway/http/names.h"
#include "gateway/http/peer.h"

namespace lingate::http {
namespace {

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

Result<int> bound(const ListenerOptions& options) {
  Endpoint endpoint;
  const Address& address = options.address;
  if (!fixed_endpoint(address, endpoint)) {
    errno = EINVAL;
    return fail(cannot(address, "this is no IP address"));
  }
  const bool tcp = address.kind == Address::Kind::tcp;
  if (!tcp) remove_stale_socket(endpoint, address.path);
  if (tcp && !options.join && !is_free(endpoint)) return fail(cannot(address, "bind"));
  const int fd = socket_of(endpoint);
  if (fd < 0) return fail(cannot(address, "socket"));
  const int on = 1;
  if (tcp) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!bind_to(fd, endpoint) || ::listen(fd, options.backlog) != 0) {
    Error error = cannot(address, "bind");
    ::close(fd);
    return fail(std::move(error));
  }
  return fd;
}

}  // namespace

BoundSocket::BoundSocket(BoundSocket&& other) noexcept
    : fd_(other.release()), address_(std::move(other.address_)), file_(other.release_file()) {}

BoundSocket::~BoundSocket() {
  if (fd_ >= 0) ::close(fd_);
  if (file_) file_->remove();
}

BoundSocket adopt_socket(Descriptor socket, Address address) {
  if (address.kind == Address::Kind::tcp) address.port = port_of(socket.get());
  return {socket.release(), std::move(address), std::nullopt};
}

Result<BoundSocket> bind_socket(const ListenerOptions& options) {
  Address address = options.address;
  if (options.joined_path >= 0) {
    const int fd = ::fcntl(options.joined_path, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return fail(cannot(address, "dup"));
    return BoundSocket(fd, std::move(address), std::nullopt);
  }
  const auto fd = bound(options);
  if (!fd) return fail(fd.error());
  std::optional<SocketFile> file;
  if (address.kind == Address::Kind::tcp)
    address.port = port_of(*fd);
  else
    file = SocketFile::of(address.path);
  return BoundSocket(*fd, std::move(address), std::move(file));
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

}  // namespace lingate::http
