// Exchange: one request in flight, from its parsed head to its log line. It holds views into the connection's buffers,
// the edits that steps made, and where the chain stands. Steps read and write it; the connection (ExchangeHost) owns
// it, moves the bytes, and reuses it for the next request.
//
// Thread: the worker's. Lifetime: begin() to end(); texts made for it live in `arena`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/loop.h"
#include "base/result.h"
#include "middleware/app_log.h"
#include "middleware/body_filter.h"
#include "middleware/headers.h"
#include "middleware/ids.h"
#include "middleware/sessions/saver.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware {

class Chain;
class Exchange;
enum class Flow : std::uint8_t;  // middleware.h

struct Param {
  std::string_view name;   // "*" for the wildcard's rest
  std::string_view value;  // decoded once
  std::string_view raw{};  // as in the normalised path, still encoded; empty: not known
};

// Where the content of a message comes from. `stream` passes by in fixed buffers and is never held.
struct Body {
  enum class Kind : std::uint8_t { none, stream, bytes };
  Kind kind = Kind::none;
  std::string_view bytes;  // kind bytes: buffered from the peer, or put there by a step
  bool replaced = false;   // a step put it there: length recomputed, ETag and digests dropped
};

enum class Version : std::uint8_t { http10, http11, http2 };

constexpr std::string_view text_of(Version version) noexcept {
  return version == Version::http11 ? "1.1" : version == Version::http2 ? "2" : "1.0";
}

struct Request {
  explicit Request(Arena& arena) : headers(arena) {}

  std::string_view method;
  std::string_view target;            // as received
  std::string_view path;              // normalised (contract section 3)
  std::string_view query;             // raw, without '?'
  bool has_query = false;             // "/x?" keeps its '?'
  bool target_edited = false;         // then the request target is path[?query], else `target` may go out as it came
  std::string_view host;              // lower-case, without port
  std::string_view scheme;            // "http"
  Version version = Version::http11;  // in which it came
  std::string_view client_ip;         // of the client, behind trusted proxies too
  std::uint16_t client_port = 0;
  std::string_view client_tls;  // encoded Members, as proto/plugin.proto has them; empty: plain
  bool peer_trusted = false;    // the connection's peer is in `trusted`
  std::vector<Param> params;
  Headers headers;
  Body body;
  bool only_head = false;  // the client asked by HEAD and takes no content, whatever steps make of the method

  void clear() noexcept;  // keeps capacity
};

struct Response {
  explicit Response(Arena& arena) : headers(arena) {}

  // Who made it: decides what the log says and whether body hooks see an upstream's content.
  enum class Source : std::uint8_t { none, upstream, step, gateway };
  Source source = Source::none;
  std::uint16_t status = 0;
  Headers headers;
  Body body;
  BodyFilter* filter = nullptr;   // what the content passes on its way to the client; the head says what that means
  std::string_view filtered_tag;  // the ETag that whoever set the filter made of the one there was; empty: none

  void drop_filter() noexcept;  // and what the head says of it
  void clear() noexcept;
};

// A fault on the way of one request: LG code (base/codes.h) and what happened, for the log. The client gets the code's
// title only. The members after `detail` are a script's place; views are borrowed for the call.
struct Fault {
  int code = 0;
  std::string detail;
  std::string_view step{};  // label of the step at fault
  std::string_view file{};
  std::uint32_t line = 0;
  std::span<const std::string_view> stack{};
};

// What the connection knows about an exchange and only the log tells. begin() fills `started`; the connection adds the
// rest before ChainRun::log().
struct Facts {
  Clock::time_point started{};                 // the loop's time when the head was complete
  std::uint64_t request_bytes = 0;             // body bytes from the client
  std::uint64_t response_bytes = 0;            // body bytes to the client
  std::string_view upstream_name{};            // of the configuration
  std::string_view upstream_address{};         // "127.0.0.1:9001" of the last attempt
  std::chrono::nanoseconds upstream_time{-1};  // request sent to response head, last attempt; negative: none
  std::uint32_t attempts = 0;
  int fault = 0;                // LG code of the last fault; set by fail()
  std::uint16_t status = 0;     // 0: response.status counts; 499: the client left before the response was complete
  std::string_view trace_id{};  // of traceparent; set by the step request-id
  std::string_view span_id{};
};

// What one step did in one exchange, for the access log and metrics.
struct StepRecord {
  bool entered = false;                  // its request side succeeded, or it has none
  bool began = false;                    // its request or response side was started
  std::chrono::nanoseconds request{-1};  // negative: did not run
  std::chrono::nanoseconds response{-1};
  Clock::time_point request_began{};  // of a side that ran
  Clock::time_point response_began{};
  int fault = 0;          // LG code of its last failure
  void* state = nullptr;  // the step's own, allocated from the exchange's arena or a free list of the step
};

enum class Buffering : std::uint8_t { ready, wait, too_large, failed };

// What the connection does for an exchange.
class ExchangeHost {
 public:
  virtual Loop& loop() noexcept = 0;
  virtual AppLog& log() noexcept = 0;    // the application log, for faults
  virtual IdSource& ids() noexcept = 0;  // the worker's
  // Collects the whole body into one piece (`request.body` / `response.body` become bytes). On `wait`, the host later
  // calls ChainRun::buffered(). `too_large`: the body stays a stream, what was collected goes out first; it may be
  // asked for again with a larger limit. `failed`: the peer broke off or was too slow. If the host has called
  // exchange.fail() with the cause, that response passes the entered steps; else the run stops there (a side that was
  // waiting ends without a call to the host, any other answers `over`) and the host ends the exchange.
  virtual Buffering buffer_request_body(std::size_t limit) = 0;
  virtual Buffering buffer_response_body(std::size_t limit) = 0;
  // The chain's side is over; called only when it had answered `wait`.
  virtual void request_side_over() noexcept = 0;
  virtual void response_side_over() noexcept = 0;

 protected:
  ~ExchangeHost() = default;
};

// Where the chain stands in one exchange: an onion without coroutines. Driven by the connection; resumed by steps.
class ChainRun {
 public:
  enum class Side : std::uint8_t { idle, request, response };
  enum class Answer : std::uint8_t { over, wait };

  // Runs request sides, first to last. Over: either exchange.response is set (a step answered or failed; then the
  // response sides still have to run), or the request may go upstream.
  Answer request();
  // Runs response sides of the entered steps, last to first, on exchange.response (the upstream's, a step's or the
  // gateway's own). A step that waits still is abandoned first; after abandon() on this side it goes on with the steps
  // outside the one that waited.
  Answer response();
  // Runs log sides in chain order. They read the exchange during this call only and delay nothing.
  void log();

  // A step that answered Flow::wait is done; continues the side and calls the host when that is over.
  void resume(Flow outcome) noexcept;
  // The host has collected a body, or could not.
  void buffered(Buffering outcome) noexcept;
  // The client is gone or the route's time-out has passed: the step that waits is told to drop its call. The side is
  // over without a call to the host, which may fail() the exchange and run response(). Harmless when nothing waits.
  void abandon() noexcept;

  bool waiting() const noexcept { return waiting_ != Waiting::no; }
  // Some entered step wants the response's body: the upstream is asked for `identity`.
  bool wants_response_body() const noexcept;

 private:
  friend class Exchange;
  explicit ChainRun(Exchange& exchange) : exchange_(exchange) {}
  void start() noexcept;
  void finish() noexcept;
  Answer run_request();
  Answer run_response();
  Buffering ask_for_body(std::size_t k);
  void settle_request(Flow outcome);
  void settle_response(Flow outcome);
  void settle_body(Buffering outcome);
  void begin_step(StepRecord& record);
  void time_step(std::chrono::nanoseconds& took, Clock::time_point& began);
  void go_on() noexcept;

  enum class Waiting : std::uint8_t { no, step, body };

  Exchange& exchange_;
  Side side_ = Side::idle;
  Waiting waiting_ = Waiting::no;
  bool body_ready_ = false;         // the body of the step at hand needs no further asking
  bool stopped_ = false;            // a body broke off and nobody answers: the host ends the exchange
  std::uint32_t next_request_ = 0;  // the step whose request side runs next
  std::uint32_t left_ = 0;          // steps whose response sides may still run: [0, left_)
  Clock::time_point stamp_{};       // when the step at hand began; the epoch: no step of this run has begun
};

class Exchange {
 public:
  explicit Exchange(ExchangeHost& host) : request(arena), response(arena), run(*this), host_(host) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Starts on a request whose head has been scanned; `chain` and `route` belong to the snapshot.
  void begin(const Chain& chain, std::string_view route) noexcept;
  // Forgets everything, keeps capacity.
  void end() noexcept;

  ExchangeHost& host() const noexcept { return host_; }
  const Chain& chain() const noexcept { return *chain_; }
  std::string_view route() const noexcept { return route_; }

  // A UUIDv7 (RFC 9562) made when first asked for, or what the request-id step took over from a trusted peer.
  std::string_view id();
  void set_id(std::string_view id) { id_ = arena.copy(id); }

  const Session* session() const noexcept { return session_ ? &*session_ : nullptr; }
  void set_session(std::optional<Session> session);  // one that is stored nowhere
  // A session that a store keeps: what scripts edit of it is given to `saver` when the exchange ends.
  void set_stored_session(const Session& session, SessionSaver& saver);
  // What a script made of the session, by these edits. One that it assigned or took away is stored no more.
  void change_session(std::optional<Session> session, const runtimes::SessionEdits& edits);

  // ctx as encoded plugin.Members; empty: an empty map.
  std::string_view context() const noexcept { return context_; }
  void set_context(std::string_view members) { context_.assign(members); }

  // The edits that a step may make to the request beside its headers; texts are copied, the caller has checked them.
  // They never re-route.
  void edit_method(std::string_view method);
  void edit_path(std::string_view path);
  void edit_query(std::string_view query);  // empty: none
  // New content for a message: Content-Length follows, ETag and the digests of the old content are dropped.
  void replace_request_body(std::string_view bytes);
  void replace_response_body(std::string_view bytes);

  // Sets a response in place of whatever was there. Texts are copied; the content type is the caller's to add.
  void respond(std::uint16_t status, std::string_view body);
  // Sets the problem+json response of a fault (RFC 9457) and logs it: the one place where an error becomes a status.
  void fail(const Fault& fault);

  std::chrono::system_clock::time_point wall();  // when the request came, by the calendar; read when first asked for

  Arena arena{4096};
  Request request;
  Response response;
  std::vector<StepRecord> steps;  // one per step of the chain
  ChainRun run;

  Facts facts;

  // Bytes of request body that may pass, set by the step body-limit before anything is read. The connection counts a
  // streamed body: at one byte more it calls fail(code::kBodyOverLimit) if no response has begun, else it cuts.
  std::uint64_t body_limit = UINT64_MAX;

  // Changes with every edit of the request but those of its headers and its body: encoders compare it to reuse bytes.
  std::uint32_t texts_version() const noexcept { return version_; }
  // A piece of the request as plugin.Request fields, the version that it shows, and the room that it stands in
  // (script_encode.cpp).
  struct Encoded {
    std::string_view bytes;
    std::uint32_t version = 0;
    std::string room;
    void forget(std::size_t most) noexcept;
  };
  Encoded encoded_texts;  // up to the params
  Encoded encoded_lines;  // the headers

 private:
  void save_session() noexcept;

  ExchangeHost& host_;
  const Chain* chain_ = nullptr;
  std::string_view route_;
  std::string_view id_;
  std::optional<Session> session_;
  SessionSaver* saver_ = nullptr;  // of the session that is there; nullptr: it is stored nowhere
  struct Unsaved {
    SessionSaver* saver = nullptr;
    std::string id;
    std::vector<std::string> edits;  // encoded plugin.SessionEdits
  } unsaved_;
  std::string context_;
  std::uint32_t version_ = 1;
  std::chrono::system_clock::time_point wall_{};
};

}  // namespace lingate::middleware
