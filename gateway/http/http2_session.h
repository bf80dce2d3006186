// Http2Session: one client connection that speaks HTTP/2 (RFC 9113): it moves bytes between the socket and the
// conversation, gives each stream a Connection of its own, and ends what is idle, stalled or abusive. It takes over
// from the Connection that accepted the client, once ALPN or the client's preface has said what is spoken.
//
// What is written to streams in one turn of the loop leaves together. Nothing here runs a request: its streams are told
// of edges, and go on by themselves.
//
// Thread: the worker's. Lifetime: until the connection is closed; it deletes itself, and its streams' Connections
// before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/blocks.h"
#include "gateway/http/options.h"
#include "gateway/http/peer.h"
#include "gateway/http/stream.h"
#include "gateway/http/tls_channel.h"
#include "gateway/http2/server.h"

namespace lingate::http {

class Http2Stream;
class WorkerState;

class Http2Session final : public TlsOwner, private Timer, private TurnEnd, private http2::ServerUser {
 public:
  struct Beginning {
    Peer peer;
    std::uint32_t listener = 0;
    bool counted = false;      // among the connections of its address: the session leaves it
    std::string_view bytes{};  // that were read already
  };

  // Takes over what `stream` has; it may be over when this returns.
  static void start(WorkerState& worker, Stream& stream, const Beginning& beginning);

  // ---- for its streams ----
  http2::ServerConversation& conversation() noexcept { return conversation_; }
  Clock::time_point now() const noexcept;
  Block take_small() noexcept;
  BlockPool& large_blocks() noexcept;
  ClientSide side(const Peer& peer) noexcept;
  void want_flush() noexcept;
  void stream_closed(Http2Stream& stream) noexcept;
  void drop(Http2Stream& stream) noexcept;

  // ---- for the worker ----
  std::uint32_t listener() const noexcept { return listener_; }
  void drain() noexcept;      // what came is served, nothing more is taken
  void shut_down() noexcept;  // closes whatever is in flight; it is gone

  void readable() noexcept override;
  void writable() noexcept override;
  void secured() noexcept override {}
  void not_secured(Obstacle, std::string_view) noexcept override {}

  Http2Session* next = nullptr;  // the worker's list
  Http2Session* previous = nullptr;

 private:
  enum class Phase : std::uint8_t { serving, announced, ending, lingering };
  enum class Pushed : std::uint8_t { all, blocked, failed };

  Http2Session(WorkerState& worker, const Beginning& beginning);
  ~Http2Session();

  http2::StreamUser* request(std::int32_t stream, const http2::RequestText& head, std::string text) noexcept override;
  void malformed() noexcept override;
  void ping_answered() noexcept override;
  void turn_ends() noexcept override;
  void expired() noexcept override;

  const Limits& limits() const noexcept;
  void announce_end() noexcept;
  bool read() noexcept;  // false: it is gone
  void collect() noexcept;
  Pushed push() noexcept;
  void flush() noexcept;
  bool settle() noexcept;  // after anything that came from outside; false: it is gone
  void reap() noexcept;
  void complain() noexcept;
  void end_stalled() noexcept;
  void wake_for(Clock::time_point since, Duration limit) noexcept;
  void wake_when_needed() noexcept;
  void drop_streams() noexcept;
  void linger() noexcept;
  void discard() noexcept;
  void end() noexcept;

  WorkerState& worker_;
  Stream stream_;
  http2::ServerConversation conversation_;
  Peer peer_;
  Http2Stream* streams_ = nullptr;
  std::uint32_t active_ = 0;  // streams
  std::uint32_t to_reap_ = 0;
  std::uint32_t listener_;
  std::uint32_t discarded_ = 0;
  Block out_;                     // frames on their way out, and one behind them that did not fit:
  std::string_view behind_;       // the conversation's, until it is asked for more
  Clock::time_point since_;       // began, or had its last stream, or its phase
  Clock::time_point progress_{};  // of writing, while it is blocked
  Phase phase_ = Phase::serving;
  bool counted_;
  bool served_ = false;  // a stream was there
  bool blocked_ = false;
  bool broken_ = false;
  bool flush_due_ = false;
  bool complained_ = false;
};

}  // namespace lingate::http
