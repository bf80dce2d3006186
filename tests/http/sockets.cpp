#include "tests/http/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace lingate::http::test {
namespace {

constexpr int kDeadline = 20000;  // ms; a failure, whatever the machine is busy with
constexpr int kMoment = 150;

bool ready(int fd, short events, int wait) {
  pollfd probe{fd, events, 0};
  return ::poll(&probe, 1, wait) > 0;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(reset_, other.reset_);
  return *this;
}

Socket Socket::connect(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return Socket(fd);
  ::close(fd);
  return Socket();
}

void Socket::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t Socket::send_some(std::string_view text) {
  if (!ready(fd_, POLLOUT, kMoment)) return 0;
  const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void Socket::shutdown_write() {
  ::shutdown(fd_, SHUT_WR);
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Socket::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

bool Socket::fill() {
  if (fd_ < 0 || !ready(fd_, POLLIN, kDeadline)) return false;
  char space[65536];
  const ssize_t got = ::recv(fd_, space, sizeof space, 0);
  if (got < 0) reset_ = errno == ECONNRESET;
  if (got <= 0) return false;
  buffer_.append(space, static_cast<std::size_t>(got));
  return true;
}

std::string Socket::read_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return std::exchange(buffer_, {});
  std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::string Socket::read_exactly(std::size_t size) {
  while (buffer_.size() < size && fill()) {
  }
  std::string text = buffer_.substr(0, size);
  buffer_.erase(0, text.size());
  return text;
}

std::string Socket::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

std::string Socket::read_chunked() {
  std::string content;
  for (;;) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos)
      if (!fill()) return content + "<cut>";
    const std::size_t size = std::strtoull(buffer_.c_str(), nullptr, 16);
    buffer_.erase(0, end + 2);
    const std::string data = read_exactly(size + 2);
    if (data.size() < size + 2) return content + data + "<cut>";
    if (size == 0) return content;
    content.append(data, 0, size);
  }
}

std::uint64_t Socket::skip(std::uint64_t size) {
  std::uint64_t got = std::min<std::uint64_t>(size, buffer_.size());
  buffer_.erase(0, got);
  while (got < size && fill()) {
    const std::uint64_t taken = std::min<std::uint64_t>(size - got, buffer_.size());
    got += taken;
    buffer_.erase(0, taken);
  }
  return got;
}

bool Socket::is_quiet() {
  return buffer_.empty() && !ready(fd_, POLLIN, kMoment);
}

Origin::Origin(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(fd_, 128);
  socklen_t size = sizeof address;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

Origin::~Origin() {
  close();
}

void Origin::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Socket Origin::accept() {
  return ready(fd_, POLLIN, kDeadline) ? Socket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) : Socket();
}

bool Origin::nobody_comes() {
  return !ready(fd_, POLLIN, kMoment);
}

std::string field_of(const std::string& head, const std::string& name) {
  std::size_t at = 0;
  while ((at = head.find("\r\n", at)) != std::string::npos) {
    at += 2;
    if (::strncasecmp(head.c_str() + at, name.c_str(), name.size()) != 0 || head[at + name.size()] != ':') continue;
    const std::size_t start = head.find_first_not_of(' ', at + name.size() + 1);
    return head.substr(start, head.find("\r\n", at) - start);
  }
  return {};
}

int status_of(const std::string& head) {
  return head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
}

}  // namespace lingate::http::test
