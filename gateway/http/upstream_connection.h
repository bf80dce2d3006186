// UpstreamConnection: one connection to one target: being made (the TLS handshake is part of that), in use by one
// exchange (or health check), or idle in its target's pool. It owns the socket and, while in use, the buffer that
// responses are read into; who uses it does the talking.
//
// Thread: the worker's. Lifetime: made by Upstream::acquire(), ended by Upstream::release() or discard().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/blocks.h"
#include "gateway/http/readiness.h"
#include "gateway/http/resolver.h"
#include "gateway/http/stream.h"
#include "gateway/http/tls_channel.h"

namespace lingate::http {

class Upstream;
struct Target;

// Why a connection did not come about: it is to be discarded.
struct Unreachable {
  int code = 0;           // LG
  std::string_view what;  // borrowed until the connection is discarded
};

// What the user of a connection is told.
class UpstreamUser {
 public:
  virtual void upstream_connected() noexcept = 0;
  virtual void upstream_unreachable(const Unreachable& why) noexcept = 0;
  virtual bool upstream_read_ahead() noexcept { return false; }  // true: as Watcher::read_ahead()
  virtual void upstream_readable() noexcept = 0;
  virtual void upstream_writable() noexcept = 0;

 protected:
  ~UpstreamUser() = default;
};

class UpstreamConnection final : public TlsOwner {
 public:
  enum class State : std::uint8_t { connecting, in_use, idle };

  UpstreamConnection(Upstream& upstream, Target& target) : upstream_(upstream), target_(target) {}
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Begins to connect to the target's next endpoint. True: under way or already done (then `connected`).
  bool open(Reactor& reactor, UpstreamUser& user, int& error) noexcept;
  void await_name(Reactor& reactor, UpstreamUser& user) noexcept;  // open() when the target's addresses are known
  void name_known() noexcept;
  void use(UpstreamUser& user) noexcept;
  void rest(Clock::time_point now) noexcept;  // goes idle: no buffer, and whatever becomes readable closes it
  void close() noexcept;

  Stream& stream() noexcept { return stream_; }
  Watch& watch() noexcept { return stream_.watch(); }
  Target& target() const noexcept { return target_; }
  State state() const noexcept { return state_; }
  bool reused() const noexcept { return reused_; }
  Clock::time_point idle_since() const noexcept { return idle_since_; }
  // True if the peer has sent something or closed: one system call, for requests that may not be sent twice.
  bool has_gone_stale() noexcept { return stream_.has_input(); }

  Ahead read_ahead() noexcept override;
  void readable() noexcept override;
  void writable() noexcept override;
  void secured() noexcept override;
  void not_secured(Obstacle obstacle, std::string_view why) noexcept override;

  Block in;
  UpstreamConnection* next_idle = nullptr;  // the pool's list, most recently used first
  UpstreamConnection* previous_idle = nullptr;

 private:
  bool try_endpoint(Reactor& reactor, int& error) noexcept;
  bool try_endpoints(Reactor& reactor, int& error) noexcept;
  void begin_tls() noexcept;
  void begin_http2() noexcept;

  Upstream& upstream_;
  Target& target_;
  Stream stream_;
  UpstreamUser* user_ = nullptr;
  Reactor* reactor_ = nullptr;
  Clock::time_point idle_since_{};
  std::size_t endpoint_ = 0;
  std::size_t endpoints_left_ = 0;
  State state_ = State::connecting;
  bool reused_ = false;
};

}  // namespace lingate::http
