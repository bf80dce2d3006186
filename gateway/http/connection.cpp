#include "gateway/http/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/codes.h"
#include "gateway/http/http2_session.h"
#include "gateway/http/http2_stream.h"
#include "gateway/http/proxy_protocol.h"
#include "gateway/http/snapshot.h"
#include "gateway/http/transaction.h"
#include "gateway/http/worker_state.h"

namespace lingate::http {
namespace {

constexpr Duration kLinger = std::chrono::seconds(2);
constexpr Duration kLingerLate = std::chrono::milliseconds(500);  // for who is late already
constexpr Duration kLookAgain = std::chrono::seconds(1);
constexpr std::uint32_t kMaxDiscarded = 1024 * 1024;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 section 3.4
constexpr int kMaxInOneTurn = 32;  // pipelined requests before others have theirs

}  // namespace

void Connection::start(WorkerState& worker, const Arrival& arrival) {
  auto* connection = new Connection(worker, arrival.peer);
  const bool room = connection->has_room();
  if (!room) ::close(arrival.fd);
  Watch* const watch = room ? worker.parts.reactor.add(arrival.fd, *connection) : nullptr;
  if (!watch) {
    delete connection;
    return;
  }
  connection->stream_.open(*watch);
  worker.add(*connection);
  const Limits& limits = worker.generations.current().snapshot->limits;
  const bool proxied = arrival.begins == Arrival::Begins::proxy_header;
  connection->listener_ = arrival.listener;
  connection->http2_ = arrival.http2;
  connection->enter(proxied ? Phase::proxy_header : arrival.http2 ? Phase::preface : Phase::head, limits.head_timeout);
  if (arrival.tls) {
    connection->stream_.open(std::make_unique<TlsChannel>(TlsChannel::Role::server,
                                                          tls::Conversation::accept(*arrival.tls, arrival.fd), *watch,
                                                          *connection, worker.parts.small));
    if (!proxied) connection->stream_.tls()->begin(0);
  }
  watch->await_read();
}

void Connection::start(WorkerState& worker, const Peer& peer, Http2Stream& stream) noexcept {
  auto* connection = new Connection(worker, peer);
  Watch& watch = worker.parts.reactor.add_soft(*connection);
  connection->stream_.open(watch);
  connection->stream_.open(std::make_unique<Http2Channel>(stream));
  connection->of_stream_ = true;
  worker.add(*connection);
  stream.attach(*connection, watch);
  connection->enter(Phase::head, worker.generations.current().snapshot->limits.head_timeout);
  watch.tell_read();
  watch.await_read();
}

Connection::~Connection() {
  if (counted_) worker_.parts.addresses->leave(peer_);
}

// Proxies that are trusted stand for many clients; only they may say so by a PROXY header, so whoever is counted keeps
// its address.
bool Connection::has_room() noexcept {
  const Snapshot& snapshot = *worker_.generations.current().snapshot;
  const std::uint32_t most = snapshot.limits.connections_per_address;
  if (most == 0 || !worker_.parts.addresses || peer_.local || in_networks(peer_.address, snapshot.trusted)) return true;
  counted_ = worker_.parts.addresses->enter(peer_, most);
  if (!counted_) worker_.parts.metrics.over_address_limit.add();
  return counted_;
}

// Timers are lazy: a phase notes when it began and how long it may last; the armed timer is moved only if it would come
// too late. What fires early is armed again for the rest.
void Connection::enter(Phase phase, Duration limit) noexcept {
  phase_ = phase;
  since_ = worker_.now();
  limit_ = std::chrono::ceil<Limit>(std::min<Duration>(limit, Limit::max()));
  wake_within(limit);
}

void Connection::wake_within(Duration after) noexcept {
  if (!armed() || due() > worker_.now() + after) worker_.parts.loop.arm(*this, after);
}

void Connection::expired() noexcept {
  if (phase_ == Phase::busy) return transaction_->client_timeout();
  if (got_ahead_ != kNothingAhead)
    return worker_.parts.loop.arm(*this, Loop::kTick);  // the rest of this turn will show
  const Duration left = since_ + limit_ - worker_.now();
  if (left > Duration::zero()) {
    worker_.parts.loop.arm(*this, left);
    if (phase_ == Phase::idle && in_.empty() && fill()) serve();  // what is there already has its turn posted
    return;
  }
  if (phase_ != Phase::head || !partial_) return close();
  note_late();
  refuse({code::kRequestTimeout, "the request head did not arrive in time"});
}

// Answers what never became a request.
void Connection::refuse(const Refusal& refusal) noexcept {
  transaction_ = &worker_.take_transaction();
  phase_ = Phase::busy;
  transaction_->refuse(*this, refusal);
}

std::ptrdiff_t Connection::read(Block& into, std::size_t most) noexcept {
  const auto [got, more] = stream_.read(into.space(), std::min(into.room(), most));
  more_input_ = more;
  if (got > 0) into.end += static_cast<std::uint32_t>(got);
  if (got == kClosed) read_closed_ = true;
  return got;
}

void Connection::readable() noexcept {
  switch (phase_) {
    case Phase::busy: more_input_ = true; return transaction_->client_readable();
    case Phase::lingering: return discard_input();
    default: break;
  }
  const bool read = got_ahead_ != kNothingAhead;
  if (!read && in_ && !in_.empty() && !partial_ && phase_ > Phase::preface) return serve();
  if (fill()) serve();
}

void Connection::writable() noexcept {
  if (phase_ == Phase::busy) transaction_->client_writable();
}

Ahead Connection::read_ahead() noexcept {
  if (phase_ == Phase::busy || phase_ == Phase::over || phase_ == Phase::lingering) return Ahead::nothing;
  if (in_ && !in_.empty() && !partial_) return Ahead::nothing;  // there is something to serve first
  got_ahead_ = static_cast<std::int32_t>(read_head());
  return Ahead::request;
}

std::ptrdiff_t Connection::read_head() noexcept {
  if (!in_) in_ = worker_.parts.small.take();
  if (in_.room() == 0) grow();
  return read(in_, SIZE_MAX);
}

bool Connection::fill() noexcept {
  const std::int32_t ahead = std::exchange(got_ahead_, kNothingAhead);
  const std::ptrdiff_t got = ahead == kNothingAhead ? read_head() : ahead;
  if (got > 0) return true;
  if (got == 0) {
    if (in_.empty()) in_.release();
    watch().await_read();
    return false;
  }
  close();
  return false;
}

// A head that outgrows its block moves to one that holds the largest head allowed; longer ones are refused by the scan.
void Connection::grow() noexcept {
  in_.compact();
  if (in_.room() > 0) return;
  const std::size_t limit = worker_.generations.current().snapshot->limits.head;
  const std::size_t size = std::max(in_.capacity() * 2, limit + kSmallBlock);
  Block larger = BlockPool::odd(static_cast<std::uint32_t>(size));
  std::copy_n(in_.memory(), in_.end, larger.memory());
  larger.end = in_.end;
  in_ = std::move(larger);
}

void Connection::serve() noexcept {
  for (int turns = 0; turns < kMaxInOneTurn; ++turns) {
    if (phase_ <= Phase::preface && !take_beginning()) return;
    if (in_.empty()) {
      if (!more_input_) return phase_ == Phase::idle ? go_idle() : await_first();
      break;
    }
    if (!next_head()) return;
  }
  watch().read_again();
}

// A PROXY header came alone: the first request is awaited as it would have been without it.
void Connection::await_first() noexcept {
  in_.release();
  if (read_closed_) return close();
  watch().await_read();
}

// True: what follows is HTTP/1.1.
bool Connection::take_beginning() noexcept {
  if (phase_ == Phase::proxy_header && !take_proxy_header()) return false;
  return phase_ != Phase::preface || in_.empty() || take_preface();
}

// Both versions in clear on one port: HTTP/2 begins with what no request of HTTP/1.1 begins with.
bool Connection::take_preface() noexcept {
  const std::string_view there = in_.bytes().substr(0, kPreface.size());
  if (there != kPreface.substr(0, there.size())) {
    phase_ = Phase::head;
    return true;
  }
  if (there.size() == kPreface.size()) {
    become_http2();
  } else if (read_closed_) {
    close();
  } else if (more_input_) {
    watch().read_again();
  } else {
    watch().await_read();
  }
  return false;
}

// The connection goes on as an Http2Session, and this ends.
void Connection::become_http2() noexcept {
  Http2Session::start(
      worker_, stream_,
      {.peer = peer_, .listener = listener_, .counted = std::exchange(counted_, false), .bytes = in_.bytes()});
  end();
}

ClientSide Connection::side_of_channel() noexcept {
  if (Http2Stream* const stream = stream_.http2()) return stream->session().side(peer_);
  return {.peer = peer_, .scheme = Scheme::https, .tls = stream_.tls()->facts()};
}

void Connection::secured() noexcept {
  if (stream_.tls()->protocol() == "h2") return become_http2();
  readable();
}

bool Connection::take_proxy_header() noexcept {
  const Snapshot& snapshot = *worker_.generations.current().snapshot;
  phase_ = http2_ ? Phase::preface : Phase::head;
  if (!in_networks(peer_.address, snapshot.trusted)) return begin_tls(0);  // then these bytes must be the client's own
  const ProxyHeader header = read_proxy_header(in_.bytes());
  if (header.outcome == ProxyHeader::Outcome::refused ||
      (header.outcome == ProxyHeader::Outcome::more && read_closed_)) {
    if (!stream_.plain()) stream_.make_plain(*this);
    refuse({code::kBadProxyProtocol, "the connection does not begin with a header of the PROXY protocol"});
    return false;
  }
  if (header.outcome == ProxyHeader::Outcome::more) {
    phase_ = Phase::proxy_header;
    if (!stream_.plain()) in_.clear();  // it will be looked at again
    watch().await_read();
    return false;
  }
  if (header.replaces) peer_ = header.client;
  if (!begin_tls(header.size)) return false;
  in_.begin += static_cast<std::uint32_t>(header.size);
  if (in_.empty()) in_.clear();
  return true;
}

// Behind a PROXY header, which was only looked at. True: nothing of the kind, the connection is plain.
bool Connection::begin_tls(std::size_t skip) noexcept {
  TlsChannel* const tls = stream_.tls();
  if (!tls) return true;
  in_.release();
  tls->begin(skip);
  watch().read_again();
  return false;
}

// Who speaks HTTP where TLS is spoken is told so in HTTP. Anybody else has heard what TLS had to say.
void Connection::not_secured(Obstacle obstacle, std::string_view why) noexcept {
  if (obstacle == Obstacle::plain_http) {
    stream_.make_plain(*this);
    return refuse({code::kPlainHttp, "a plain HTTP request came to a port that speaks HTTPS; ask for https://"});
  }
  if (worker_.parts.log.wants(middleware::LogLevel::debug)) {
    const std::string message = "TLS handshake failed: " + std::string(why);
    worker_.parts.log.write({.level = middleware::LogLevel::debug, .message = message, .code = code::kTlsHandshake});
  }
  linger();
}

// Scans the head at the front of the buffer and starts its request. True: that request is over already.
bool Connection::next_head() noexcept {
  if (partial_) {
    std::size_t searched = searched_;
    const bool complete = may_be_complete(in_.bytes(), searched);
    searched_ = static_cast<std::uint32_t>(searched);
    const Limits& limits = worker_.generations.current().snapshot->limits;
    if (!complete && in_.bytes().size() <= limits.head) return await_head(), false;
  }
  transaction_ = &worker_.take_transaction();
  Refusal refusal;
  const Scan outcome = transaction_->scan(*this, refusal);
  if (outcome == Scan::more) {
    worker_.give_back(*transaction_);
    transaction_ = nullptr;
    await_head();
    return false;
  }
  partial_ = false;
  searched_ = 0;
  phase_ = Phase::busy;
  serving_ = true;
  if (outcome == Scan::refused)
    transaction_->refuse(*this, refusal);
  else
    transaction_->start(*this);
  serving_ = false;
  if (phase_ != Phase::over) return phase_ == Phase::idle;
  conclude(after_);
  return false;
}

void Connection::await_head() noexcept {
  if (read_closed_) return close();
  if (!partial_) {
    partial_ = true;
    searched_ = static_cast<std::uint32_t>(in_.bytes().size());
    if (phase_ != Phase::head) enter(Phase::head, worker_.generations.current().snapshot->limits.head_timeout);
  }
  if (in_.room() == 0) grow();
  if (more_input_)
    watch().read_again();
  else
    watch().await_read();
}

// The edge that announced a request may have announced the client's FIN as well. The first time round we look, later,
// when nothing else has come for a while.
void Connection::go_idle() noexcept {
  in_.release();
  if (read_closed_) return close();
  enter(Phase::idle, worker_.generations.current().snapshot->limits.idle_timeout);
  if (!steady_) {
    steady_ = true;
    if (fill()) serve();
    return;
  }
  wake_within(kLookAgain);
  watch().await_read();
}

void Connection::finished(After after) noexcept {
  worker_.give_back(*transaction_);
  transaction_ = nullptr;
  if (after == After::keep && !(worker_.draining() && in_.empty())) {
    if (in_.empty())
      in_.clear();
    else
      in_.compact();
    phase_ = Phase::idle;
    if (serving_) return;
    if (in_.empty() && !more_input_) return go_idle();
    enter(Phase::idle, worker_.generations.current().snapshot->limits.idle_timeout);
    return watch().read_again();  // never from inside the request that just ended
  }
  phase_ = Phase::over;
  after_ = after == After::keep ? After::close : after;
  if (!serving_) conclude(after_);
}

// The connection ends. Not while its own serve() is on the stack: that calls this when it is back.
void Connection::conclude(After after) noexcept {
  if (after == After::close) return linger();
  if (after == After::reset && !stream_.http2()) {
    const ::linger hard{1, 0};
    ::setsockopt(stream_.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  end();
}

// Closing with unread input would make the kernel send a reset, which can destroy the response on its way: so the
// sending side is closed first, and what still comes is read and dropped for a while (RFC 9112 section 9.6).
void Connection::linger() noexcept {
  in_.release();
  if (read_closed_ || stream_.http2()) return close();
  stream_.end_sending();
  enter(Phase::lingering, late_ ? kLingerLate : kLinger);
  discard_input();
}

void Connection::discard_input() noexcept {
  auto& scratch = *worker_.parts.scratch;
  for (;;) {
    const ssize_t got = ::recv(stream_.fd(), scratch.data(), scratch.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return watch().await_read();
    if (got <= 0) return close();
    discarded_ += static_cast<std::uint32_t>(got);
    if (discarded_ > kMaxDiscarded) return close();
  }
}

void Connection::drain(Idle idle) noexcept {
  if (phase_ == Phase::busy || phase_ == Phase::lingering || partial_ || !in_.empty()) return;
  if (stream_.tls() && stream_.tls()->under_way()) return;  // who has begun is served, within the time for a head
  // A request that is here already, unread, is still served. What was read ahead was nothing.
  got_ahead_ = kNothingAhead;
  const std::ptrdiff_t got = read_head();
  if (got > 0) return serve();
  if (got < 0 || idle == Idle::close) return close();
  in_.release();
  watch().await_read();
}

void Connection::shut_down() noexcept {
  if (transaction_) transaction_->drop();
  if (transaction_) worker_.give_back(*transaction_);
  transaction_ = nullptr;
  end();
}

void Connection::close() noexcept {
  if (stream_) stream_.say_end();
  end();
}

void Connection::end() noexcept {
  worker_.parts.loop.disarm(*this);
  if (stream_) stream_.close();
  worker_.remove(*this);
  delete this;
}

}  // namespace lingate::http
