#include "gateway/http/http2_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/codes.h"
#include "gateway/http/connection.h"
#include "gateway/http/http2_stream.h"
#include "gateway/http/snapshot.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

constexpr Duration kLinger = std::chrono::milliseconds(500);
constexpr Duration kAnnounced = std::chrono::seconds(1);  // for a ping to come back
constexpr std::uint32_t kMaxDiscarded = 1024 * 1024;
constexpr std::size_t kRead = 64 * 1024;  // at a time
constexpr int kRounds = 4;                // reads in one turn before others have theirs

http2::ServerLimits limits_of(const Limits& limits) noexcept {
  return {.streams = limits.streams, .head = limits.head};
}

}  // namespace

void Http2Session::start(WorkerState& worker, Stream& stream, const Beginning& beginning) {
  auto* const session = new Http2Session(worker, beginning);
  session->stream_.take(stream);
  if (TlsChannel* const tls = session->stream_.tls())
    tls->serve(*session);
  else
    session->stream_.watch().hand_to(*session);
  worker.add(*session);
  session->conversation_.feed(beginning.bytes, worker.now());
  if (worker.draining()) session->announce_end();  // whoever was told to end was told before this began
  session->stream_.watch().await_read();
  session->stream_.watch().read_again();
  session->flush();
  session->wake_when_needed();
}

Http2Session::Http2Session(WorkerState& worker, const Beginning& beginning)
    : worker_(worker),
      conversation_(*this, limits_of(worker.generations.current().snapshot->limits)),
      peer_(beginning.peer),
      listener_(beginning.listener),
      since_(worker.now()),
      counted_(beginning.counted) {
  worker.parts.metrics.http2_connections.add();
}

Http2Session::~Http2Session() {
  if (counted_) worker_.parts.addresses->leave(peer_);
}

const Limits& Http2Session::limits() const noexcept {
  return worker_.generations.current().snapshot->limits;
}

Clock::time_point Http2Session::now() const noexcept {
  return worker_.now();
}

Block Http2Session::take_small() noexcept {
  return worker_.parts.small.take();
}

BlockPool& Http2Session::large_blocks() noexcept {
  return worker_.parts.large;
}

ClientSide Http2Session::side(const Peer& peer) noexcept {
  TlsChannel* const tls = stream_.tls();
  return {.peer = peer,
          .scheme = tls ? Scheme::https : Scheme::http,
          .tls = tls ? tls->facts() : std::string_view(),
          .http2 = true};
}

// ---- streams ----

http2::StreamUser* Http2Session::request(std::int32_t id, const http2::RequestText& head, std::string text) noexcept {
  Http2Stream* const stream = std::make_unique<Http2Stream>(*this, id, head, std::move(text)).release();
  stream->next = streams_;
  if (streams_) streams_->previous = stream;
  streams_ = stream;
  ++active_;
  served_ = true;
  worker_.parts.metrics.http2_streams.add();
  Connection::start(worker_, peer_, *stream);
  return stream;
}

void Http2Session::malformed() noexcept {
  worker_.parts.metrics.malformed.add();
}

// The Connection of a stream that was answered ends by itself; what was reset is ended by reap(), which runs no
// request.
void Http2Session::stream_closed(Http2Stream& stream) noexcept {
  if (!stream.connection()) return drop(stream);
  if (!stream.is_cut()) return;
  ++to_reap_;
  if (stream_) stream_.watch().read_again();
}

void Http2Session::drop(Http2Stream& stream) noexcept {
  (stream.previous ? stream.previous->next : streams_) = stream.next;
  if (stream.next) stream.next->previous = stream.previous;
  if (--active_ == 0) since_ = worker_.now();
  delete &stream;
}

void Http2Session::reap() noexcept {
  if (std::exchange(to_reap_, 0) == 0) return;
  for (Http2Stream* each = streams_; each;) {
    Http2Stream* const following = each->next;
    if (each->is_cut()) each->connection()->shut_down();
    each = following;
  }
}

void Http2Session::drop_streams() noexcept {
  while (streams_) {
    if (streams_->connection())
      streams_->connection()->shut_down();
    else
      drop(*streams_);
  }
}

// ---- bytes ----

void Http2Session::readable() noexcept {
  if (phase_ == Phase::lingering) return discard();
  reap();
  if (broken_ || !read()) return shut_down();
  settle();
}

// Until there is nothing left: the edge that told of bytes may have told of the client's end as well.
bool Http2Session::read() noexcept {
  char* const space = worker_.parts.scratch->data();
  for (int round = 0; round < kRounds; ++round) {
    const std::ptrdiff_t got = stream_.read(space, kRead).got;
    if (got < 0) return false;
    if (got == 0) return stream_.watch().await_read(), true;
    if (!conversation_.feed({space, static_cast<std::size_t>(got)}, worker_.now())) return true;
  }
  stream_.watch().read_again();
  return true;
}

void Http2Session::want_flush() noexcept {
  if (flush_due_ || blocked_ || broken_) return;
  if (worker_.put_off(*this))
    flush_due_ = true;
  else
    flush();
}

void Http2Session::turn_ends() noexcept {
  flush_due_ = false;
  flush();
}

// From within a stream's own calls as well: what this finds out is acted upon later.
void Http2Session::flush() noexcept {
  if (broken_ || phase_ == Phase::lingering) return;
  switch (push()) {
    case Pushed::all:
      if (conversation_.over()) stream_.watch().read_again();
      break;
    case Pushed::blocked: wake_for(progress_, limits().write_timeout); break;
    case Pushed::failed:
      broken_ = true;
      stream_.watch().read_again();
      break;
  }
}

// Small frames share a block; one that does not fit goes out behind it from where it is.
void Http2Session::collect() noexcept {
  while (behind_.empty()) {
    const std::string_view frame = conversation_.output();
    if (frame.empty()) return;
    if (!out_) out_ = take_small();
    if (frame.size() > out_.room()) return void(behind_ = frame);
    std::memcpy(out_.space(), frame.data(), frame.size());
    out_.end += static_cast<std::uint32_t>(frame.size());
  }
}

Http2Session::Pushed Http2Session::push() noexcept {
  for (;;) {
    collect();
    const std::string_view first = out_ ? out_.bytes() : std::string_view();
    const std::size_t size = first.size() + behind_.size();
    if (size == 0) {
      out_.release();
      blocked_ = false;
      return Pushed::all;
    }
    std::array<iovec, 2> pieces;
    std::size_t count = 0;
    for (const std::string_view each : {first, behind_})
      if (!each.empty()) pieces[count++] = {const_cast<char*>(each.data()), each.size()};
    const std::ptrdiff_t sent = stream_.write({pieces.data(), count});
    if (sent < 0) return Pushed::failed;
    const auto taken = static_cast<std::size_t>(sent);
    const std::size_t of_first = std::min(first.size(), taken);
    out_.begin += static_cast<std::uint32_t>(of_first);
    behind_.remove_prefix(taken - of_first);
    if (out_ && out_.empty()) out_.clear();
    if (taken > 0 || !blocked_) progress_ = worker_.now();
    if (taken == size) continue;
    blocked_ = true;
    stream_.watch().await_write();
    return Pushed::blocked;
  }
}

void Http2Session::writable() noexcept {
  if (phase_ == Phase::lingering) return;
  flush();
  if (broken_) return shut_down();
  settle();
}

// ---- its end ----

bool Http2Session::settle() noexcept {
  flush();
  if (broken_) return shut_down(), false;
  complain();
  if (conversation_.over() && !blocked_) return linger(), false;
  wake_when_needed();
  return true;
}

void Http2Session::complain() noexcept {
  using http2::Complaint;
  const Complaint complaint = conversation_.complaint();
  if (complaint == Complaint::none || std::exchange(complained_, true)) return;
  const bool abuse = complaint != Complaint::protocol;
  Metrics& metrics = worker_.parts.metrics;
  (abuse ? metrics.http2_abuses : metrics.http2_breaches).add();
  const middleware::LogLevel level = abuse ? middleware::LogLevel::warn : middleware::LogLevel::debug;
  if (!worker_.parts.log.wants(level)) return;
  std::array<char, kIpSpace> space;
  std::string message = "an HTTP/2 connection from ";
  message.append(write_ip(peer_.address, space)).append(" was closed: ").append(describe(complaint));
  worker_.parts.log.write({.level = level, .message = message, .code = code::kHttp2Closed});
}

void Http2Session::ping_answered() noexcept {
  if (phase_ != Phase::announced) return;
  phase_ = Phase::ending;
  conversation_.end();
}

void Http2Session::announce_end() noexcept {
  phase_ = Phase::announced;
  since_ = worker_.now();
  conversation_.announce_end();
}

// What the client had sent when it was told so is served; who has nothing under way is told in one step.
void Http2Session::drain() noexcept {
  if (phase_ != Phase::serving) return;
  reap();
  if (broken_ || !read()) return shut_down();
  if (active_ > 0) {
    announce_end();
  } else {
    phase_ = Phase::ending;
    conversation_.end();
  }
  settle();
}

void Http2Session::wake_for(Clock::time_point since, Duration limit) noexcept {
  const Duration left = std::max<Duration>(since + limit - worker_.now(), Loop::kTick);
  if (!armed() || due() > worker_.now() + left) worker_.parts.loop.arm(*this, left);
}

void Http2Session::wake_when_needed() noexcept {
  if (phase_ == Phase::announced) wake_for(since_, kAnnounced);
  const bool goes_on = phase_ == Phase::serving && !conversation_.over();
  const Clock::time_point head = conversation_.head_since();
  if (goes_on && active_ == 0) wake_for(since_, served_ ? limits().idle_timeout : limits().head_timeout);
  if (goes_on && head != Clock::time_point{}) wake_for(head, limits().head_timeout);
  if (blocked_) wake_for(progress_, limits().write_timeout);
  if (active_ > 0) wake_for(worker_.now(), limits().write_timeout);
}

// The rest of a response that only the client holds up, by a window that it does not open. Looks again when the next is
// due.
void Http2Session::end_stalled() noexcept {
  const Duration limit = limits().write_timeout;
  for (Http2Stream* each = streams_; each; each = each->next) {
    if (!each->waits_for_client()) continue;
    if (worker_.now() - each->progress() >= limit)
      conversation_.reset(each->id(), http2::Code::cancel);
    else
      wake_for(each->progress(), limit);
  }
}

void Http2Session::expired() noexcept {
  const Clock::time_point now = worker_.now();
  if (phase_ == Phase::lingering) return end();
  if (broken_ || (blocked_ && now - progress_ >= limits().write_timeout)) return shut_down();
  if (phase_ == Phase::announced && now - since_ >= kAnnounced) ping_answered();
  const Clock::time_point head = conversation_.head_since();
  if (head != Clock::time_point{}) {
    const Clock::time_point from = served_ ? head : std::min(head, since_);
    if (now - from >= limits().head_timeout) conversation_.give_up(http2::Complaint::slow_head);
  } else if (active_ == 0 && phase_ == Phase::serving &&
             now - since_ >= (served_ ? limits().idle_timeout : limits().head_timeout)) {
    phase_ = Phase::ending;
    conversation_.end();
  }
  end_stalled();
  settle();
}

// As Connection's: what the client still sends must not destroy what it has not read yet.
void Http2Session::linger() noexcept {
  phase_ = Phase::lingering;
  drop_streams();
  out_.release();
  stream_.end_sending();
  worker_.parts.loop.arm(*this, kLinger);
  discard();
}

void Http2Session::discard() noexcept {
  auto& scratch = *worker_.parts.scratch;
  for (;;) {
    const ssize_t got = ::recv(stream_.fd(), scratch.data(), scratch.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return stream_.watch().await_read();
    if (got <= 0) return end();
    discarded_ += static_cast<std::uint32_t>(got);
    if (discarded_ > kMaxDiscarded) return end();
  }
}

void Http2Session::shut_down() noexcept {
  complain();
  broken_ = true;  // nothing is sent any more
  drop_streams();
  end();
}

void Http2Session::end() noexcept {
  worker_.parts.loop.disarm(*this);
  worker_.parts.loop.forget(*this);
  stream_.say_end();
  stream_.close();
  worker_.remove(*this);
  delete this;
}

}  // namespace lingate::http
