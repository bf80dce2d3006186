#include "gateway/tls/socket_bio.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace lingate::tls {
namespace {

Socket& socket_of(BIO* bio) {
  return *static_cast<Socket*>(BIO_get_data(bio));
}

bool is_blocked(ssize_t result) {
  return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int read_some(BIO* bio, char* space, int room) {
  Socket& socket = socket_of(bio);
  BIO_clear_retry_flags(bio);
  const std::size_t most = std::min(socket.allowance, static_cast<std::size_t>(room));
  if (most == 0) return BIO_set_retry_read(bio), -1;
  ssize_t got = 0;
  do {
    got = ::recv(socket.fd, space, most, 0);
  } while (got < 0 && errno == EINTR);
  if (is_blocked(got)) BIO_set_retry_read(bio);
  if (got > 0) socket.allowance -= static_cast<std::size_t>(got);
  socket.ended = got == 0;
  return static_cast<int>(got);
}

int write_some(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent = 0;
  do {
    sent = ::send(socket_of(bio).fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (is_blocked(sent)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return socket_of(bio).ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lingate socket");
  BIO_meth_set_read(method, read_some);
  BIO_meth_set_write(method, write_some);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* make_bio(Socket& socket) {
  static const BIO_METHOD* const kMethod = make_method();
  BIO* const bio = BIO_new(kMethod);
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace lingate::tls
