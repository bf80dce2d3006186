// ServerConversation: the server's side of HTTP/2 (RFC 9113) on one connection: frames in, frames out, over nghttp2. It
// knows no socket and no loop: bytes are fed to it and taken from it, and what they mean is told to a ServerUser. It is
// also where a client's abuse is noticed: whatever is cheap to send and dear to serve is paid for out of an allowance.
//
// Thread: one at a time. Lifetime: users outlive it or their streams. From within a call to a user, and only then, it
// may not be fed or emptied; everything else may be asked of it at any time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http2/allowance.h"
#include "gateway/http2/frame_tracker.h"
#include "gateway/http2/request_text.h"
#include "gateway/http2/response_fields.h"

struct nghttp2_session;

namespace lingate::http2 {

// Error codes of RFC 9113 section 7.
enum class Code : std::uint32_t { no_error = 0, protocol = 1, internal = 2, cancel = 8, enhance_your_calm = 11 };

// Why a connection was given up.
enum class Complaint : std::uint8_t {
  none,
  protocol,        // frames that are none, or where none may be
  resets,          // streams opened and reset (CVE-2023-44487)
  control_frames,  // pings, settings, window updates without end
  empty_frames,    // DATA without content
  header_list,     // far above the limit for a head
  continuations,   // CONTINUATION without end
  slow_head        // a head that does not come to its end
};
std::string_view describe(Complaint complaint) noexcept;

// One stream, as who serves it sees it.
class StreamUser {
 public:
  struct Portion {
    std::size_t size = 0;  // 0 and no end: nothing for now, see ServerConversation::resume()
    bool end = false;
    const std::vector<OutField>* trailers = nullptr;  // that follow the end; for the call
  };

  virtual void content(std::string_view bytes) noexcept = 0;  // of the request
  virtual void content_over() noexcept = 0;
  virtual Portion take_content(char* space, std::size_t room) noexcept = 0;  // of the response
  virtual void response_sent() noexcept = 0;                                 // its last frame was taken
  virtual void closed() noexcept = 0;  // nothing comes or goes any more, for whatever reason; the last call

 protected:
  ~StreamUser() = default;
};

class ServerUser {
 public:
  // A whole head has come; `head` is not malformed. nullptr: the stream is refused. `text` is RequestText::take()'s.
  virtual StreamUser* request(std::int32_t stream, const RequestText& head, std::string text) noexcept = 0;
  virtual void malformed() noexcept = 0;  // a request that is none; its stream is reset
  virtual void ping_answered() noexcept = 0;

 protected:
  ~ServerUser() = default;
};

struct ServerLimits {
  std::uint32_t streams = 128;   // at once
  std::size_t head = 32 * 1024;  // of a header list
};

class ServerConversation {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::uint32_t kStreamWindow = 65'535;           // of a request's content on its way in
  static constexpr std::uint32_t kConnectionWindow = 1024 * 1024;  // of all of them together

  ServerConversation(ServerUser& user, const ServerLimits& limits);
  ~ServerConversation();
  ServerConversation(const ServerConversation&) = delete;
  ServerConversation& operator=(const ServerConversation&) = delete;

  // False: the conversation is over; what output() still gives is to be sent, and no more is read.
  bool feed(std::string_view bytes, Clock::time_point now) noexcept;
  // The next bytes to send, valid until it is called again; empty: nothing for now.
  std::string_view output() noexcept;
  bool over() const noexcept;

  // A head, interim or final. `content`: StreamUser::take_content() follows.
  enum class Content : std::uint8_t { none, follows };
  bool respond(std::int32_t stream, const ResponseFields& head, Content content) noexcept;

  void resume(std::int32_t stream) noexcept;
  // So much of the request's content was used: the client may send as much again.
  void consume(std::int32_t stream, std::size_t size) noexcept;
  void forget(std::int32_t stream) noexcept;  // the user hears nothing more
  void reset(std::int32_t stream, Code code) noexcept;

  void announce_end() noexcept;  // GOAWAY that refuses nothing yet, and a ping whose answer says that it has arrived
  void end() noexcept;           // GOAWAY: what came is served, nothing more is taken
  void give_up(Complaint complaint) noexcept;  // GOAWAY, and nothing is served any more

  Complaint complaint() const noexcept { return complaint_; }
  // Since when a head is on its way that has not come to its end; the epoch: none is.
  Clock::time_point head_since() const noexcept { return head_since_; }

 private:
  struct Callbacks;
  friend struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const noexcept;
  };

  static constexpr std::size_t kPreface = 24;

  void spend(Allowance& allowance, Complaint complaint) noexcept;
  void note_heads(std::string_view bytes) noexcept;

  ServerUser& user_;
  ServerLimits limits_;
  RequestText head_;
  bool head_malformed_ = false;
  Complaint complaint_ = Complaint::none;
  bool dead_ = false;
  Clock::time_point now_{};
  Clock::time_point head_since_{};
  FrameTracker frames_{kPreface};
  Allowance resets_;
  Allowance control_;
  Allowance updates_;
  Allowance empty_;
  std::unique_ptr<nghttp2_session, Free> session_;
};

}  // namespace lingate::http2
