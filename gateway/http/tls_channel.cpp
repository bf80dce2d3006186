#include "gateway/http/tls_channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "gateway/http/tls_facts.h"

namespace lingate::http {
namespace {

constexpr std::size_t kRecord = 16 * 1024;           // the most that one record carries
constexpr std::size_t kOverhead = 1024;              // of a few records
constexpr std::size_t kMostInHandshake = 64 * 1024;  // at a time

}  // namespace

void TlsChannel::begin(std::size_t skip) noexcept {
  std::array<char, 512> dropped;
  while (skip > 0) {
    const ssize_t got = ::recv(watch_.fd(), dropped.data(), std::min(skip, dropped.size()), 0);
    if (got <= 0) break;
    skip -= static_cast<std::size_t>(got);
  }
  stage_ = role_ == Role::server ? Stage::greeting : Stage::shaking;
  watch_.hand_to(*this);
}

// A request in plain text begins with a method, TLS with a byte that no method has. False: waits, or it is over.
bool TlsChannel::greets() noexcept {
  char first = 0;
  const ssize_t got = ::recv(watch_.fd(), &first, 1, MSG_PEEK);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return watch_.await_read(), false;
  if (got > 0 && first >= 'A' && first <= 'Z') return owner_->not_secured(TlsOwner::Obstacle::plain_http, {}), false;
  stage_ = Stage::shaking;
  return true;
}

bool TlsChannel::under_way() const noexcept {
  char first = 0;
  return stage_ == Stage::shaking ||
         (stage_ == Stage::greeting && ::recv(watch_.fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

void TlsChannel::shake() noexcept {
  if (stage_ == Stage::greeting && !greets()) return;
  conversation_.allow(kMostInHandshake);
  switch (conversation_.handshake()) {
    case tls::Step::done: stage_ = Stage::open; return owner_->secured();
    case tls::Step::wants_read: return watch_.await_read();
    case tls::Step::wants_write: return watch_.await_write();
    case tls::Step::again: return watch_.read_again();
    case tls::Step::closed:
    case tls::Step::failed: break;
  }
  why_ = conversation_.reason();
  owner_->not_secured(TlsOwner::Obstacle::failed, why_);
}

std::string_view TlsChannel::facts() {
  if (facts_.empty() && stage_ == Stage::open) facts_ = encode_facts(conversation_.facts());
  return facts_;
}

Received TlsChannel::look(char* space, std::size_t room) noexcept {
  const ssize_t got = ::recv(watch_.fd(), space, room, MSG_PEEK);
  if (got > 0) return {got, false};
  if (got == 0) return {Received::kClosed, false};
  return {errno == EAGAIN || errno == EWOULDBLOCK ? 0 : Received::kFailed, false};
}

// Record by record until the room is full or nothing is left, so that an edge is all that is waited for.
Received TlsChannel::read(char* space, std::size_t room) noexcept {
  if (stage_ == Stage::waiting) return look(space, room);
  if (stage_ != Stage::open) return {};
  conversation_.allow(std::max(room, kRecord) + kOverhead);
  std::size_t sum = 0;
  while (sum < room) {
    std::size_t got = 0;
    const tls::Step step = conversation_.read(space + sum, room - sum, got);
    const auto had = static_cast<std::ptrdiff_t>(sum);
    switch (step) {
      case tls::Step::done: sum += got; break;
      case tls::Step::wants_write:
        read_wants_write_ = true;
        watch_.await_write();
        [[fallthrough]];
      case tls::Step::wants_read: return {had, false};
      case tls::Step::again:
        if (sum == 0) watch_.read_again();
        return {had, sum > 0};
      case tls::Step::closed: return sum > 0 ? Received{had, true} : Received{Received::kClosed, false};
      case tls::Step::failed: return sum > 0 ? Received{had, true} : Received{Received::kFailed, false};
    }
  }
  return {static_cast<std::ptrdiff_t>(sum), true};
}

// 0: not now.
std::ptrdiff_t TlsChannel::write_record(const char* bytes, std::size_t size) noexcept {
  std::size_t taken = 0;
  conversation_.allow(kRecord + kOverhead);
  switch (conversation_.write(bytes, size, taken)) {
    case tls::Step::done: return static_cast<std::ptrdiff_t>(taken);
    case tls::Step::wants_read:
      write_wants_read_ = true;
      watch_.await_read();
      return 0;
    case tls::Step::again:
      write_wants_read_ = true;
      watch_.read_again();
      return 0;
    case tls::Step::wants_write: return 0;
    case tls::Step::closed:
    case tls::Step::failed: break;
  }
  return Stream::kFailed;
}

// Small pieces (a head, chunk framing, the beginning of a body) share a record; a piece that fills one goes as it is.
// What is offered again after a short write is cut the same way, at least as far as it was: OpenSSL has sealed the
// record already and only counts.
std::ptrdiff_t TlsChannel::write(std::span<const iovec> pieces) noexcept {
  if (stage_ != Stage::open) return Stream::kFailed;
  std::ptrdiff_t sum = 0;
  std::size_t skipped = 0;  // of the first piece
  Block block;
  while (!pieces.empty()) {
    const char* bytes = static_cast<const char*>(pieces[0].iov_base) + skipped;
    std::size_t size = std::min(pieces[0].iov_len - skipped, kRecord);
    if (size < kRecord && pieces.size() > 1) {
      if (!block) block = blocks_.take();
      block.clear();
      std::size_t from = skipped;
      for (const iovec& piece : pieces) {
        const std::size_t part = std::min({piece.iov_len - from, kRecord - block.end, block.room()});
        std::copy_n(static_cast<const char*>(piece.iov_base) + from, part, block.space());
        block.end += static_cast<std::uint32_t>(part);
        from = 0;
        if (block.end == kRecord || block.room() == 0) break;
      }
      bytes = block.memory();
      size = block.end;
    }
    const std::ptrdiff_t taken = write_record(bytes, size);
    if (taken < 0) return taken;
    sum += taken;
    skipped += static_cast<std::size_t>(taken);
    while (!pieces.empty() && skipped >= pieces[0].iov_len) {
      skipped -= pieces[0].iov_len;
      pieces = pieces.subspan(1);
    }
    if (taken == 0) break;
  }
  return sum;
}

bool TlsChannel::has_input() noexcept {
  conversation_.allow(kRecord + kOverhead);
  return stage_ != Stage::open || conversation_.peek() != tls::Step::wants_read;
}

void TlsChannel::say_end() noexcept {
  if (stage_ == Stage::open) conversation_.say_end();
}

Ahead TlsChannel::read_ahead() noexcept {
  return stage_ == Stage::open && !write_wants_read_ ? owner_->read_ahead() : Ahead::nothing;
}

void TlsChannel::readable() noexcept {
  if (stage_ != Stage::open) return shake();
  if (std::exchange(write_wants_read_, false)) {
    watch_.read_again();
    return owner_->writable();
  }
  owner_->readable();
}

void TlsChannel::writable() noexcept {
  if (stage_ != Stage::open) return shake();
  if (std::exchange(read_wants_write_, false)) watch_.read_again();
  owner_->writable();
}

}  // namespace lingate::http
