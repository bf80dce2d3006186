// Http2Stream: one stream of a client's HTTP/2 connection. To the gateway it is a connection of its own that carries
// one request in HTTP/1.1's text, so routing, chains, limits and logs are those of any request; this is where the two
// meet: it gives the head and frames the content for who reads, and takes the response apart for HTTP/2. The client's
// content waits here up to the stream's window, the response's up to one block; beyond that either side waits.
//
// Http2Channel is the end that the Connection holds.
//
// Thread: the worker's. Lifetime: until HTTP/2 has closed the stream and the Connection has gone, whichever is last;
// the session ends both where it ends first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/blocks.h"
#include "gateway/http/channel.h"
#include "gateway/http/framed_content.h"
#include "gateway/http/head_scan.h"
#include "gateway/http/readiness.h"
#include "gateway/http2/server.h"

namespace lingate::http {

class Connection;
class Http2Session;

class Http2Stream final : public http2::StreamUser {
 public:
  Http2Stream(Http2Session& session, std::int32_t id, const http2::RequestText& head, std::string text);
  ~Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  Http2Session& session() noexcept { return session_; }
  // The Connection reads and writes from now on, and hears of edges by `watch`.
  void attach(Connection& connection, Watch& watch) noexcept;
  // What HTTP/1.1's text cannot say of the request: how its content is framed, and that the head was too large.
  Scan settle(RequestHead& head, Scan outcome, Refusal& refusal) noexcept;

  // Lines of fields that follow the content, and an empty one; before its end.
  void add_trailers(std::string text) noexcept;

  // ---- for the session ----
  std::int32_t id() const noexcept { return id_; }
  Connection* connection() noexcept { return connection_; }
  // The client has given it up, and whoever serves it does not know yet.
  bool is_cut() const noexcept { return connection_ && closed_ && !sent_; }
  // Nobody but the client holds up what is left of the response, since then.
  bool waits_for_client() const noexcept { return !connection_ && !closed_; }
  Clock::time_point progress() const noexcept { return progress_; }

  void content(std::string_view bytes) noexcept override;
  void content_over() noexcept override;
  Portion take_content(char* space, std::size_t room) noexcept override;
  void response_sent() noexcept override;
  void closed() noexcept override;

  Http2Stream* next = nullptr;  // the session's list
  Http2Stream* previous = nullptr;

 private:
  friend class Http2Channel;

  Received read(char* space, std::size_t room) noexcept;
  std::ptrdiff_t write(std::span<const iovec> pieces) noexcept;
  bool has_input() const noexcept;
  void say_end() noexcept;
  void detach() noexcept;

  bool take_head(std::string_view piece, std::size_t& used) noexcept;
  bool respond() noexcept;
  std::size_t add_content(std::string_view bytes) noexcept;
  void end_response() noexcept;
  void let_go_of_content() noexcept;

  Http2Session& session_;
  const std::int32_t id_;
  Connection* connection_ = nullptr;
  Watch* watch_ = nullptr;

  std::string head_;  // the request's
  std::string trailers_text_;
  http2::ResponseFields trailers_;
  std::string reply_;  // a head of the response that came in parts
  std::uint32_t head_given_ = 0;
  FramedContent in_;  // of the request

  Block out_;                          // of the response's content
  std::optional<std::uint64_t> left_;  // of a response that gave its length
  Clock::time_point progress_{};       // of the response

  bool has_length_ = false;
  bool too_large_ = false;
  bool is_head_ = false;
  bool responding_ = false;  // the final head was passed on
  bool ended_ = false;       // the response is whole
  bool sent_ = false;        // and has left
  bool deferred_ = false;    // HTTP/2 waits for content
  bool fell_short_ = false;  // the Connection waits for room
  bool closed_ = false;
};

class Http2Channel final : public Channel {
 public:
  explicit Http2Channel(Http2Stream& stream) noexcept : stream_(stream) {}
  ~Http2Channel() override { stream_.detach(); }

  Received read(char* space, std::size_t room) noexcept override { return stream_.read(space, room); }
  std::ptrdiff_t write(std::span<const iovec> pieces) noexcept override { return stream_.write(pieces); }
  bool has_input() noexcept override { return stream_.has_input(); }
  void say_end() noexcept override { stream_.say_end(); }
  Http2Stream* http2() noexcept override { return &stream_; }

 private:
  Http2Stream& stream_;
};

}  // namespace lingate::http
