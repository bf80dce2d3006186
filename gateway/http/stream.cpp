#include "gateway/http/stream.h"

#include "gateway/http/tls_channel.h"

namespace lingate::http {

Stream::Stream() = default;
Stream::~Stream() = default;

void Stream::secure(std::unique_ptr<TlsChannel> channel) noexcept {
  tls_ = std::move(channel);
}

void Stream::make_plain(Watcher& watcher) noexcept {
  tls_.reset();
  watch_->hand_to(watcher);
}

Received Stream::read_tls(char* space, std::size_t room) noexcept {
  return tls_->read(space, room);
}

std::ptrdiff_t Stream::write_tls(std::span<const iovec> pieces) noexcept {
  return tls_->write(pieces);
}

bool Stream::has_input() noexcept {
  if (tls_) return tls_->has_input();
  char byte = 0;
  const ssize_t got = ::recv(watch_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void Stream::end_sending() noexcept {
  say_end();
  ::shutdown(watch_->fd(), SHUT_WR);
}

void Stream::say_end() noexcept {
  if (tls_) tls_->say_end();
}

void Stream::close() noexcept {
  tls_.reset();
  std::exchange(watch_, nullptr)->close();
}

}  // namespace lingate::http
