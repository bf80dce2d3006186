// After 101: bytes both ways, each direction at the pace of its slower end, until both have ended or one is broken.
#include <algorithm>

#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {

void Transaction::begin_tunnel() noexcept {
  stage_ = Stage::tunnel;
  parts_.loop.disarm(upstream_timer_);
  parts_.loop.disarm(route_timer_);
  const auto take_over = [this](Direction& direction, Block& from) {
    if (from.empty()) return;
    const auto size = static_cast<std::uint32_t>(from.bytes().size());  // a large head leaves more than one block holds
    direction.bytes = size <= kLargeBlock ? parts_.large.take() : BlockPool::odd(size);
    std::copy_n(from.bytes().data(), from.bytes().size(), direction.bytes.space());
    direction.bytes.end = size;
    from.begin = from.end;
  };
  take_over(up_, body_block());  // what came behind the request's head was kept until now
  take_over(down_, leg_->in);
  after_ = After::cut;
  client_progress_ = worker_.now();
  client_->wake_within(snapshot().limits.tunnel_timeout);
  run_tunnel();
}

void Transaction::run_tunnel() noexcept {
  client_progress_ = worker_.now();
  const bool whole = pump_direction(up_, client_->stream(), leg_->stream()) &&
                     pump_direction(down_, leg_->stream(), client_->stream());
  exchange_.facts.request_bytes = up_.passed;
  exchange_.facts.response_bytes = down_.passed;
  if (!whole || (up_.closed && down_.closed)) finish(Ending::complete);
}

// False: one end is broken.
bool Transaction::pump_direction(Direction& direction, Stream& from, Stream& to) noexcept {
  for (int round = 0; !direction.closed; ++round) {
    Block& bytes = direction.bytes;
    if (bytes && !bytes.empty()) {
      const iovec piece{bytes.memory() + bytes.begin, bytes.bytes().size()};
      const std::ptrdiff_t sent = to.write({&piece, 1});
      if (sent < 0) return false;
      bytes.begin += static_cast<std::uint32_t>(sent);
      direction.passed += static_cast<std::uint64_t>(sent);
      if (!bytes.empty()) return to.watch().await_write(), true;
    }
    if (direction.ended) {
      to.end_sending();
      direction.closed = true;
      bytes.release();
      break;
    }
    if (round == kTunnelRounds) return from.watch().read_again(), true;
    if (!bytes) bytes = parts_.large.take();
    bytes.clear();
    const std::ptrdiff_t got = from.read(bytes.space(), bytes.room()).got;
    if (got > 0) {
      bytes.end = static_cast<std::uint32_t>(got);
    } else if (got == Received::kClosed) {
      direction.ended = true;
    } else if (got == 0) {
      bytes.release();
      return from.watch().await_read(), true;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace lingate::http
