// Channel: what stands between a connection and its socket where the bytes are not the socket's own: TLS, one stream
// of a client's HTTP/2 connection, an upstream that speaks HTTP/2. A Stream reads and writes through it.
//
// Thread: the worker's. Lifetime: its Stream's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace lingate::http {

class Http2Stream;
class Http2Upstream;
class TlsChannel;

struct Received {
  static constexpr std::ptrdiff_t kClosed = -1;  // no more will come
  static constexpr std::ptrdiff_t kFailed = -2;  // the connection is broken

  std::ptrdiff_t got = 0;  // 0: nothing yet
  bool more = false;       // there may be more that no edge will tell of
};

class Channel {
 public:
  virtual ~Channel() = default;

  // As Stream's.
  virtual Received read(char* space, std::size_t room) noexcept = 0;
  virtual std::ptrdiff_t write(std::span<const iovec> pieces) noexcept = 0;
  virtual bool has_input() noexcept = 0;
  virtual void say_end() noexcept = 0;

  virtual TlsChannel* tls() noexcept { return nullptr; }
  virtual Http2Stream* http2() noexcept { return nullptr; }
  virtual Http2Upstream* http2_upstream() noexcept { return nullptr; }
};

}  // namespace lingate::http
