// Http2Upstream: a connection to an upstream that speaks HTTP/2. To whoever uses the connection it is one of HTTP/1.1:
// requests are written to it in that text, one after the other, and responses read from it; so pools, retries,
// time-outs and health checks are what they are. A connection has one request at a time. Trailers of a response have no
// place in what is read, and are asked for.
//
// Thread: the worker's. Lifetime: its Stream's; the watch outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/http/blocks.h"
#include "gateway/http/channel.h"
#include "gateway/http/chunked.h"
#include "gateway/http/framed_content.h"
#include "gateway/http/stream.h"
#include "gateway/http2/client.h"

namespace lingate::http {

struct WorkerParts;

class Http2Upstream final : public Channel, private http2::ClientUser {
 public:
  // Takes over what `stream` has.
  Http2Upstream(Stream& stream, WorkerParts& parts, std::size_t head);

  // The socket can be read or written: what HTTP/2 itself has to say passes, whether or not anybody asks.
  void pump() noexcept;
  bool has_news() const noexcept {  // for who reads
    return heads_read_ < heads_.size() || !in_.empty() || in_.over() || failed_ || closed_;
  }
  // Of the request, its content included; else what is left would go out with the next one.
  bool has_sent_all() const noexcept { return sent_all_ && !closed_; }
  // The response broke HTTP/2, where a read failed.
  bool malformed() const noexcept { return malformed_; }
  // Once, when a write that fell short would do better now.
  bool take_room() noexcept;
  std::string take_trailers() noexcept { return std::exchange(trailers_, {}); }

  Received read(char* space, std::size_t room) noexcept override;
  std::ptrdiff_t write(std::span<const iovec> pieces) noexcept override;
  bool has_input() noexcept override;
  void say_end() noexcept override { inner_.say_end(); }
  TlsChannel* tls() noexcept override { return inner_.tls(); }
  Http2Upstream* http2_upstream() noexcept override { return this; }

 private:
  bool head(std::string text, std::uint16_t status, Content content) noexcept override;
  void content(std::string_view bytes) noexcept override;
  void trailers(std::string fields) noexcept override;
  void over() noexcept override;
  void failed(Fault fault) noexcept override;
  Portion take_content(char* space, std::size_t room) noexcept override;

  bool flush() noexcept;
  void close() noexcept;  // nothing comes or goes any more
  bool take_request_head(std::string_view piece, std::size_t& used) noexcept;
  bool begin_request() noexcept;
  std::size_t add_content(std::string_view bytes) noexcept;

  Stream inner_;
  WorkerParts& parts_;
  const std::size_t most_head_;
  http2::ClientConversation conversation_;
  std::string_view pending_;  // the conversation's, on its way out
  std::string request_;       // a head that came in parts
  Block out_;                 // of the request's content
  ChunkDecoder decoder_;
  std::optional<std::uint64_t> left_;  // of a request that gave its length; otherwise it is chunked
  std::string heads_;                  // of the response, not read yet
  std::size_t heads_read_ = 0;
  FramedContent in_;
  std::string trailers_;
  bool requesting_ = false;  // a request's head was passed on, its content is not over
  bool awaiting_ = false;    // its response is not whole
  bool sent_all_ = true;
  bool malformed_ = false;
  bool failed_ = false;
  bool closed_ = false;  // the connection
  bool deferred_ = false;
  bool fell_short_ = false;
  bool room_ = false;
};

}  // namespace lingate::http
