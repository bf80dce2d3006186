// Stream: the bytes of one connection, plain or through TLS: the one place where the data path reads and writes, and
// the only one that knows which of the two it is. Plain is one predictable branch and the system call itself; TLS is a
// TlsChannel between the Watch and its owner. A stream of an HTTP/2 connection is a Channel as well: it has no socket
// of its own, and its watch is a soft one (readiness.h).
//
// Edges, as readiness.h has them, and the same for both: who was told `more` has to come again by itself
// (Watch::read_again); who was not, or got nothing, may wait for the next edge.
//
// Thread: the worker's. Lifetime: its connection's; it owns the watch, and with it the descriptor, until close().
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "gateway/http/channel.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class Stream {
 public:
  static constexpr std::ptrdiff_t kFailed = -1;

  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  explicit operator bool() const noexcept { return watch_ != nullptr; }
  Watch& watch() noexcept { return *watch_; }
  int fd() const noexcept { return watch_->fd(); }
  bool plain() const noexcept { return channel_ == nullptr; }
  TlsChannel* tls() noexcept { return channel_ ? channel_->tls() : nullptr; }
  Http2Upstream* http2_upstream() noexcept { return channel_ ? channel_->http2_upstream() : nullptr; }
  Http2Stream* http2() noexcept { return channel_ ? channel_->http2() : nullptr; }

  void open(Watch& watch) noexcept { watch_ = &watch; }
  // From here on everything goes through `channel`, and who is told of edges is the channel's owner.
  void open(std::unique_ptr<Channel> channel) noexcept { channel_ = std::move(channel); }
  // Takes over what `other` has; its watch and its channel tell their edges to whom they did.
  void take(Stream& other) noexcept;
  // Back to plain bytes, for `watcher`; what the channel holds is lost.
  void make_plain(Watcher& watcher) noexcept;

  Received read(char* space, std::size_t room) noexcept {
    if (channel_) [[unlikely]]
      return channel_->read(space, room);
    ssize_t got = 0;
    do {
      got = ::recv(watch_->fd(), space, room, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) return {got, static_cast<std::size_t>(got) == room};
    if (got == 0) return {Received::kClosed, false};
    return {errno == EAGAIN || errno == EWOULDBLOCK ? 0 : Received::kFailed, false};
  }

  // Takes what it can of the pieces, in order, and says how many bytes that were. Less than all: the rest has to be
  // offered again, first, once the watch tells that it may be written to.
  std::ptrdiff_t write(std::span<const iovec> pieces) noexcept {
    if (channel_) [[unlikely]]
      return channel_->write(pieces);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    ssize_t sent = 0;
    do {
      sent = ::sendmsg(watch_->fd(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return sent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : kFailed;
  }

  // The connection is known to be broken, whether or not anybody reads.
  bool has_failed() noexcept;
  // The same for one whose bytes nobody waits for: looks behind what an edge has told.
  bool is_reset() noexcept;
  // True if the peer has sent something or closed: a system call.
  bool has_input() noexcept;
  // Says that no more will be sent: close_notify, FIN.
  void end_sending() noexcept;
  // Before a close that cuts nothing off: close_notify. Nothing where it is plain.
  void say_end() noexcept;
  void close() noexcept;

 private:
  Watch* watch_ = nullptr;
  std::unique_ptr<Channel> channel_;
};

}  // namespace lingate::http
