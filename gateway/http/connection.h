// Connection: one client connection: it reads heads, hands each request to a Transaction, and takes the next when that
// is over; so pipelined requests are served in order and only one is ever in flight. While it waits for a request it
// holds no buffer and no Transaction. A TLS handshake is its stream's business, and part of the time for a head.
//
// Thread: the worker's. Lifetime: from accept to close; it deletes itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/blocks.h"
#include "gateway/http/head_scan.h"
#include "gateway/http/peer.h"
#include "gateway/http/readiness.h"
#include "gateway/http/stream.h"
#include "gateway/http/tls_channel.h"

namespace lingate::http {

class Http2Stream;
class Transaction;
class WorkerState;
struct Generation;
enum class Idle : std::uint8_t;

// What becomes of a connection after a request.
enum class After : std::uint8_t {
  keep,   // the next request may come
  close,  // everything was said: close when the client has read it
  cut,    // close at once: the client must see that something is missing
  reset   // the same where only a reset shows it
};

// What a listener has accepted.
struct Arrival {
  enum class Begins : std::uint8_t { http, proxy_header };  // what the client's first bytes are, before any TLS

  int fd = -1;
  Peer peer;
  Begins begins = Begins::http;
  const tls::Context* tls = nullptr;  // nullptr: plain; borrowed until the call returns
  std::uint32_t listener = 0;
  bool http2 = false;  // in plain text, for clients that begin with its preface
};

class Connection final : public TlsOwner, private Timer {
 public:
  static void start(WorkerState& worker, const Arrival& arrival);  // takes the descriptor over
  // One stream of an HTTP/2 connection: carries one request.
  static void start(WorkerState& worker, const Peer& peer, Http2Stream& stream) noexcept;

  // ---- for the Transaction ----
  Block& in() noexcept { return in_; }
  Stream& stream() noexcept { return stream_; }
  Watch& watch() noexcept { return stream_.watch(); }
  const Peer& peer() const noexcept { return peer_; }
  ClientSide side() noexcept { return stream_.plain() ? ClientSide{.peer = peer_} : side_of_channel(); }
  // Reads what there is into `into`. 0: nothing yet; kClosed: no more will come; kFailed: the connection is broken.
  static constexpr std::ptrdiff_t kClosed = Received::kClosed;
  static constexpr std::ptrdiff_t kFailed = Received::kFailed;
  std::ptrdiff_t read(Block& into, std::size_t most) noexcept;
  bool read_closed() const noexcept { return read_closed_; }
  // Asks for a call of Transaction::client_timeout() no later than `after` from now.
  void wake_within(Duration after) noexcept;
  // It let a time-out pass: once that was answered, it is not waited for much longer.
  void note_late() noexcept { late_ = true; }
  void finished(After after) noexcept;

  // ---- for the worker ----
  bool has_socket() const noexcept { return !of_stream_; }  // it is no stream of another connection
  void drain(Idle idle) noexcept;                           // has at most one more request
  void shut_down() noexcept;                                // closes whatever is in flight; the connection is gone

  Ahead read_ahead() noexcept override;
  void readable() noexcept override;
  void writable() noexcept override;
  void secured() noexcept override;
  void not_secured(Obstacle obstacle, std::string_view why) noexcept override;

  Connection* next = nullptr;  // the worker's list
  Connection* previous = nullptr;

 private:
  static constexpr std::int32_t kNothingAhead = INT32_MIN;
  using Limit = std::chrono::duration<std::uint32_t, std::milli>;  // idle connections are many: small
  enum class Phase : std::uint8_t { proxy_header, preface, idle, head, busy, over, lingering };

  Connection(WorkerState& worker, const Peer& peer) noexcept : worker_(worker), peer_(peer) {}
  ~Connection();

  bool has_room() noexcept;
  void expired() noexcept override;
  void serve() noexcept;  // requests, as long as the buffer holds whole ones
  bool fill() noexcept;   // false: wait, or the connection is gone
  std::ptrdiff_t read_head() noexcept;
  ClientSide side_of_channel() noexcept;
  void await_first() noexcept;
  bool take_beginning() noexcept;
  bool take_proxy_header() noexcept;
  bool take_preface() noexcept;
  void become_http2() noexcept;
  bool begin_tls(std::size_t skip) noexcept;
  bool next_head() noexcept;
  void refuse(const Refusal& refusal) noexcept;
  void await_head() noexcept;
  void go_idle() noexcept;
  void grow() noexcept;
  void conclude(After after) noexcept;
  void linger() noexcept;
  void discard_input() noexcept;
  void close() noexcept;  // with an orderly end of TLS
  void end() noexcept;    // as it is
  void enter(Phase phase, Duration limit) noexcept;

  WorkerState& worker_;
  Stream stream_;
  Transaction* transaction_ = nullptr;
  Block in_;
  Clock::time_point since_{};  // when the phase began
  Limit limit_{};              // how long it may last
  Peer peer_;
  std::uint32_t searched_ = 0;  // of an incomplete head, see may_be_complete()
  std::uint32_t discarded_ = 0;
  std::int32_t got_ahead_ = kNothingAhead;
  std::uint32_t listener_ = 0;
  Phase phase_ = Phase::idle;
  After after_ = After::keep;  // phase over
  bool serving_ = false;       // next_head() is on the stack
  bool partial_ = false;       // the head at the front of the buffer was incomplete when last scanned
  bool more_input_ = true;     // the socket may hold bytes that no edge will tell of
  bool read_closed_ = false;   // the client has sent FIN
  bool late_ = false;          // see note_late()
  bool of_stream_ = false;     // of an HTTP/2 connection
  bool http2_ = false;         // it may begin with HTTP/2's preface
  bool counted_ = false;       // among the connections of its address
  bool steady_ = false;        // a second request came: no need to look for a FIN behind each one
};

}  // namespace lingate::http
