#include "gateway/http/stream.h"

namespace lingate::http {

Stream::Stream() = default;
Stream::~Stream() = default;

void Stream::take(Stream& other) noexcept {
  watch_ = std::exchange(other.watch_, nullptr);
  channel_ = std::move(other.channel_);
}

void Stream::make_plain(Watcher& watcher) noexcept {
  channel_.reset();
  watch_->hand_to(watcher);
}

// A stream of HTTP/2 that is reset ends its connection itself.
bool Stream::has_failed() noexcept {
  if (http2()) return false;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(watch_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error != 0;
}

bool Stream::is_reset() noexcept {
  if (http2()) return false;
  char byte = 0;
  const ssize_t got = ::recv(watch_->fd(), &byte, 1, MSG_PEEK);
  return got < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
}

bool Stream::has_input() noexcept {
  if (channel_) return channel_->has_input();
  char byte = 0;
  const ssize_t got = ::recv(watch_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void Stream::end_sending() noexcept {
  say_end();
  if (!http2()) ::shutdown(watch_->fd(), SHUT_WR);
}

void Stream::say_end() noexcept {
  if (channel_) channel_->say_end();
}

void Stream::close() noexcept {
  channel_.reset();
  std::exchange(watch_, nullptr)->close();
}

}  // namespace lingate::http
