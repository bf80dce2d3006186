#include "gateway/http/upstream_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/codes.h"
#include "gateway/http/http2_upstream.h"
#include "gateway/http/target.h"
#include "gateway/http/upstream.h"
#include "gateway/http/worker_parts.h"

namespace lingate::http {

bool UpstreamConnection::open(Reactor& reactor, UpstreamUser& user, int& error) noexcept {
  user_ = &user;
  reactor_ = &reactor;
  endpoints_left_ = target_.endpoints.size();
  endpoint_ = target_.next_endpoint++;
  error = EHOSTUNREACH;
  return try_endpoints(reactor, error);
}

void UpstreamConnection::await_name(Reactor& reactor, UpstreamUser& user) noexcept {
  user_ = &user;
  reactor_ = &reactor;
  state_ = State::connecting;
  target_.waiting.push_back(this);
}

void UpstreamConnection::name_known() noexcept {
  int error = EHOSTUNREACH;
  if (!open(*reactor_, *user_, error)) return user_->upstream_unreachable({code::kConnectFailed, std::strerror(error)});
  if (state_ == State::in_use) user_->upstream_connected();
}

bool UpstreamConnection::try_endpoints(Reactor& reactor, int& error) noexcept {
  while (endpoints_left_ > 0) {
    --endpoints_left_;
    if (try_endpoint(reactor, error)) return true;
    ++endpoint_;
  }
  return false;
}

bool UpstreamConnection::try_endpoint(Reactor& reactor, int& error) noexcept {
  const Endpoint& endpoint = target_.endpoints[endpoint_ % target_.endpoints.size()];
  const int fd = ::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return error = errno, false;
  if (endpoint.storage.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int made = ::connect(fd, reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.size);
  if (made != 0 && errno != EINPROGRESS) {
    error = errno;
    ::close(fd);
    return false;
  }
  const bool pending = made != 0 || target_.options->secure;
  Watch* const watch = reactor.add(fd, *this);
  if (!watch) return error = EMFILE, false;
  stream_.open(*watch);
  state_ = pending ? State::connecting : State::in_use;
  if (pending)
    watch->await_connect();
  else if (target_.options->http2)
    begin_http2();
  return true;
}

void UpstreamConnection::use(UpstreamUser& user) noexcept {
  user_ = &user;
  state_ = State::in_use;
  reused_ = true;
}

void UpstreamConnection::rest(Clock::time_point now) noexcept {
  user_ = nullptr;
  state_ = State::idle;
  idle_since_ = now;
  in.release();
  watch().await_read();
}

void UpstreamConnection::close() noexcept {
  if (stream_) {
    stream_.say_end();
    stream_.close();
  } else {
    std::erase(target_.waiting, this);
  }
  user_ = nullptr;
  in.release();
}

void UpstreamConnection::begin_tls() noexcept {
  const UpstreamTls& tls = upstream_.options().tls;
  const std::string& name = tls.server_name.empty() ? target_.options->address.host : tls.server_name;
  stream_.open(std::make_unique<TlsChannel>(TlsChannel::Role::client,
                                            tls::Conversation::connect(tls.context, stream_.fd(), name, target_.ticket),
                                            watch(), *this, upstream_.parts().small));
  stream_.tls()->begin(0);
  stream_.tls()->shake();
}

// Without a word of the upstream's where its URL says so.
void UpstreamConnection::begin_http2() noexcept {
  constexpr std::size_t kMostHead = 256 * 1024;  // what it may be is the scan's to say
  Watch& watch = stream_.watch();
  auto channel = std::make_unique<Http2Upstream>(stream_, upstream_.parts(), kMostHead);
  stream_.open(watch);
  stream_.open(std::move(channel));
}

void UpstreamConnection::secured() noexcept {
  if (stream_.tls()->protocol() == "h2") begin_http2();
  state_ = State::in_use;
  user_->upstream_connected();
}

void UpstreamConnection::not_secured(Obstacle, std::string_view why) noexcept {
  user_->upstream_unreachable({code::kUpstreamTls, why});
}

Ahead UpstreamConnection::read_ahead() noexcept {
  const bool in_use = state_ == State::in_use && user_ && !stream_.http2_upstream();
  return in_use && user_->upstream_read_ahead() ? Ahead::response : Ahead::nothing;
}

void UpstreamConnection::readable() noexcept {
  if (state_ == State::idle) {
    // The edge may be that of a response which was read before it was told.
    if (!has_gone_stale()) return watch().await_read();
    return upstream_.drop_idle(*this);
  }
  if (state_ != State::in_use || !user_) return;
  if (Http2Upstream* const http2 = stream_.http2_upstream()) [[unlikely]] {
    http2->pump();
    watch().await_read();
    if (http2->take_room()) {
      watch().read_again();
      return user_->upstream_writable();
    }
    if (!http2->has_news()) return;
  }
  user_->upstream_readable();
}

void UpstreamConnection::writable() noexcept {
  if (state_ == State::in_use && user_) {
    if (Http2Upstream* const http2 = stream_.http2_upstream()) http2->pump();
    return user_->upstream_writable();
  }
  if (state_ != State::connecting) return;
  pollfd probe{stream_.fd(), POLLOUT, 0};
  if (::poll(&probe, 1, 0) <= 0) return watch().await_connect();  // a wake-up that was not meant for this socket
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    if (target_.options->secure) return begin_tls();
    if (target_.options->http2) begin_http2();
    state_ = State::in_use;
    return user_->upstream_connected();
  }
  stream_.close();
  ++endpoint_;
  if (!try_endpoints(*reactor_, error))
    return user_->upstream_unreachable({code::kConnectFailed, std::strerror(error)});
  if (state_ == State::in_use) user_->upstream_connected();
}

}  // namespace lingate::http
