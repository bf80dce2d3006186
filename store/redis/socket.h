// Socket: one connection to a Redis server, by TCP or a Unix socket, with TLS where it is asked for. Connecting waits,
// with a deadline; from then on reads and writes never do.
//
// Thread: one. Lifetime: the TLS context outlives it.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/loop.h"
#include "base/result.h"
#include "store/redis/options.h"

namespace lingate::store::redis {

struct TlsFree {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsFree>;

// Verifies the server by the given or the system's authorities.
Result<TlsContext> make_tls_context(const RedisTls& options);

// Waits for `events` of poll(2) on `fd` until the deadline; false: that has passed, or `wake` became readable.
bool wait_for(int fd, short events, int wake, Clock::time_point deadline);

class Socket {
 public:
  enum class State : std::uint8_t { done, blocked, closed };
  struct Moved {
    State state;
    std::size_t bytes = 0;
  };

  // `wake` becomes readable where whoever waits has to give up.
  static Result<Socket> connect(const RedisServer& server, const RedisTls& options, SSL_CTX* context, int wake,
                                Clock::time_point deadline);

  int fd() const noexcept { return fd_.get(); }
  Moved read(char* into, std::size_t most) noexcept;
  Moved write(const char* from, std::size_t size) noexcept;
  bool pending() const noexcept { return ssl_ && SSL_pending(ssl_.get()) > 0; }

 private:
  explicit Socket(Descriptor fd) : fd_(std::move(fd)) {}
  Result<void> secure(const RedisServer& server, const RedisTls& options, SSL_CTX* context, int wake,
                      Clock::time_point deadline);
  Moved moved(int result) noexcept;

  Descriptor fd_;
  std::unique_ptr<SSL, TlsFree> ssl_;  // before fd_ goes
};

}  // namespace lingate::store::redis
