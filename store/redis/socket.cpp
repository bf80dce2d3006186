#include "store/redis/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/codes.h"

namespace lingate::store::redis {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

tl::unexpected<Error> fault(std::string what) {
  return fail(code::kStoreUnavailable, std::move(what));
}

std::string last_of_openssl() {
  const unsigned long number = ERR_peek_last_error();
  ERR_clear_error();
  if (number == 0) return "it hung up";
  const char* const reason = ERR_reason_error_string(number);
  return reason ? reason : "error " + std::to_string(number);
}

Result<Descriptor> connect_to(const sockaddr* address, socklen_t size, int wake, Clock::time_point deadline) {
  Descriptor fd(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fault(std::strerror(errno));
  int error = ::connect(fd.get(), address, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    if (!wait_for(fd.get(), POLLOUT, wake, deadline)) return fault("it does not answer");
    socklen_t length = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  }
  if (error != 0) return fault(std::strerror(error));
  return fd;
}

Result<Descriptor> connect_to_path(const std::string& path, int wake, Clock::time_point deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fault("the path is too long for a Unix socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, wake, deadline);
}

Result<Descriptor> connect_to_host(const RedisServer& server, int wake, Clock::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int wrong = ::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (wrong != 0) return fault("the name is not found: " + std::string(::gai_strerror(wrong)));
  const Addresses all(found);
  Result<Descriptor> made = fault("it has no address");
  for (const addrinfo* each = found; each; each = each->ai_next) {
    auto next = connect_to(each->ai_addr, each->ai_addrlen, wake, deadline);
    if (!next) {
      made = fail(std::move(next.error()));
      continue;
    }
    const int on = 1;
    ::setsockopt(next->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return next;
  }
  return made;
}

bool is_address(const std::string& name) {
  char room[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, name.c_str(), room) == 1 || ::inet_pton(AF_INET6, name.c_str(), room) == 1;
}

// The name that the server may choose its certificate by; what the macro does, without its cast.
bool ask_for(SSL* ssl, std::string name) {
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

}  // namespace

Result<TlsContext> make_tls_context(const RedisTls& options) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fault("TLS: " + last_of_openssl());
  SSL_CTX* const made = context.get();
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
  const bool authorities = options.ca.empty() ? SSL_CTX_set_default_verify_paths(made) == 1
                                              : SSL_CTX_load_verify_locations(made, options.ca.c_str(), nullptr) == 1;
  if (!authorities) return fault("`store.tls.ca` " + options.ca + " holds no certificates: " + last_of_openssl());
  if (options.cert.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(made, options.cert.c_str()) != 1)
    return fault("`store.tls.cert` " + options.cert + ": " + last_of_openssl());
  if (SSL_CTX_use_PrivateKey_file(made, options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return fault("`store.tls.key` " + options.key + " does not go with the certificate: " + last_of_openssl());
  return context;
}

bool wait_for(int fd, short events, int wake, Clock::time_point deadline) {
  pollfd watched[] = {{fd, events, 0}, {wake, POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    const int ready = ::poll(watched, 2, static_cast<int>(std::min<long>(left, std::numeric_limits<int>::max())));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0) return watched[1].revents == 0;
  }
}

Result<Socket> Socket::connect(const RedisServer& server, const RedisTls& options, SSL_CTX* context, int wake,
                               Clock::time_point deadline) {
  auto fd = server.is_path() ? connect_to_path(server.host, wake, deadline) : connect_to_host(server, wake, deadline);
  if (!fd) return fail(std::move(fd.error()));
  Socket made(std::move(*fd));
  if (server.tls)
    if (auto safe = made.secure(server, options, context, wake, deadline); !safe) return fail(std::move(safe.error()));
  return made;
}

Result<void> Socket::secure(const RedisServer& server, const RedisTls& options, SSL_CTX* context, int wake,
                            Clock::time_point deadline) {
  ssl_.reset(SSL_new(context));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd()) != 1) return fault("TLS: " + last_of_openssl());
  const std::string& name = options.server_name.empty() ? server.host : options.server_name;
  const bool named = is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1
                                      : SSL_set1_host(ssl_.get(), name.c_str()) == 1 && ask_for(ssl_.get(), name);
  if (!named) return fault("TLS: '" + name + "' is no name that a certificate could have");
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    const int wants = SSL_get_error(ssl_.get(), result);
    if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) {
      if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
        ERR_clear_error();
        return fault("its certificate is not accepted: " + std::string(X509_verify_cert_error_string(verdict)));
      }
      return fault("TLS: " + last_of_openssl());
    }
    if (!wait_for(fd(), wants == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, wake, deadline))
      return fault("it does not answer to TLS");
  }
}

Socket::Moved Socket::moved(int result) noexcept {
  if (result > 0) return {State::done, static_cast<std::size_t>(result)};
  const int wants = SSL_get_error(ssl_.get(), result);
  const bool later = wants == SSL_ERROR_WANT_READ || wants == SSL_ERROR_WANT_WRITE;
  return {later ? State::blocked : State::closed};
}

Socket::Moved Socket::read(char* into, std::size_t most) noexcept {
  if (ssl_) {
    ERR_clear_error();
    return moved(SSL_read(ssl_.get(), into, static_cast<int>(most)));
  }
  for (;;) {
    const ssize_t got = ::recv(fd(), into, most, 0);
    if (got > 0) return {State::done, static_cast<std::size_t>(got)};
    if (got < 0 && errno == EINTR) continue;
    return {got < 0 && errno == EAGAIN ? State::blocked : State::closed};
  }
}

Socket::Moved Socket::write(const char* from, std::size_t size) noexcept {
  if (ssl_) {
    ERR_clear_error();
    constexpr std::size_t kMost = std::size_t{1} << 20U;
    return moved(SSL_write(ssl_.get(), from, static_cast<int>(std::min(size, kMost))));
  }
  for (;;) {
    const ssize_t put = ::send(fd(), from, size, MSG_NOSIGNAL);
    if (put >= 0) return {State::done, static_cast<std::size_t>(put)};
    if (errno == EINTR) continue;
    return {errno == EAGAIN ? State::blocked : State::closed};
  }
}

}  // namespace lingate::store::redis
