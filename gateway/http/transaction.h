// Transaction: one request in flight with everything that moves its bytes: the exchange and its chain, the attempt at
// an upstream, both bodies, both directions of a tunnel. A state machine driven by readiness: nothing in it waits, and
// each direction stops reading when the other side cannot take more.
//
// Thread: the worker's. Lifetime: taken from the worker's free list for one request and given back after; it keeps its
// capacity, so serving allocates nothing in the steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/blocks.h"
#include "gateway/http/body_reader.h"
#include "gateway/http/connection.h"
#include "gateway/http/generation.h"
#include "gateway/http/head_scan.h"
#include "gateway/http/outbox.h"
#include "gateway/http/send_queue.h"
#include "gateway/http/serialise.h"
#include "gateway/http/upstream.h"
#include "gateway/http/upstream_connection.h"
#include "middleware/exchange.h"
#include "middleware/tracing/request_trace.h"

namespace lingate::http {

class Transaction final : public middleware::ExchangeHost, private UpstreamUser, private Sender {
 public:
  explicit Transaction(WorkerState& worker);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // ---- for the Connection ----
  Scan scan(Connection& client, Refusal& refusal);  // the head at the front of its buffer
  void start(Connection& client) noexcept;          // after scan() was done
  void refuse(Connection& client, const Refusal& refusal) noexcept;
  void client_readable() noexcept;
  void client_writable() noexcept;
  void client_timeout() noexcept;
  void drop() noexcept;  // the connection is being closed by force

  // ---- ExchangeHost ----
  Loop& loop() noexcept override;
  middleware::AppLog& log() noexcept override;
  middleware::IdSource& ids() noexcept override;
  middleware::Buffering buffer_request_body(std::size_t limit) override;
  middleware::Buffering buffer_response_body(std::size_t limit) override;
  void request_side_over() noexcept override;
  void response_side_over() noexcept override;

 private:
  enum class Stage : std::uint8_t {
    idle,
    request_side,   // the chain
    connecting,     // to an upstream
    forwarding,     // the request goes out, the response head is awaited
    response_side,  // the chain
    responding,     // the response goes out
    draining,       // the rest of a request body that nobody wanted
    tunnel
  };
  enum class Failure : std::uint8_t { connect, own, reset, stale, timeout, response };
  enum class Got : std::uint8_t { some, nothing, closed, failed, not_asked };
  enum class Ending : std::uint8_t { complete, client_gone, cut };
  enum class Collecting : std::uint8_t { nothing, request, response };  // the body that a step waits for

  template <void (Transaction::*kMethod)() noexcept>
  class Alarm final : public Timer {
   public:
    explicit Alarm(Transaction& owner) : owner_(owner) {}

   private:
    void expired() noexcept override { (owner_.*kMethod)(); }
    Transaction& owner_;
  };

  // transaction.cpp: from the head to the log line
  void take_up(Connection& client) noexcept;
  void find_chain() noexcept;
  void run_request_side() noexcept;
  void redirect() noexcept;
  void answer(int code, std::string_view detail) noexcept;  // a fault of the gateway's own becomes the response
  void call_off() noexcept;                                 // what the chain and the upstream are at
  void deliver() noexcept;                                  // exchange_.response, through the response sides
  void finish(Ending ending) noexcept;
  void count(Ending ending) noexcept;
  void count_steps() noexcept;
  void clear() noexcept;
  void client_gone() noexcept;
  void body_is_late() noexcept;
  void route_timeout() noexcept;
  void end_late_client() noexcept;

  // forward.cpp: attempts at an upstream
  void forward() noexcept;
  std::uint64_t hash_key(const HashKey& key) noexcept;
  void attempt() noexcept;
  void send_request() noexcept;
  void attempt_failed(Failure failure, int code, std::string_view detail) noexcept;
  bool may_retry(Failure failure) const noexcept;
  bool may_send_again() const noexcept;
  void let_go(bool reusable) noexcept;  // of the upstream connection
  bool is_request_sent() const noexcept;
  bool is_leg_reusable() const noexcept;
  void target_succeeded() noexcept;
  void wake_upstream_within(Duration after) noexcept;
  void upstream_timeout() noexcept;
  void upstream_connected() noexcept override;
  void upstream_unreachable(const Unreachable& why) noexcept override;
  bool upstream_read_ahead() noexcept override;
  void upstream_readable() noexcept override;
  void upstream_writable() noexcept override;

  // request_relay.cpp: the request body
  void pump_request() noexcept;
  bool flush_upstream() noexcept;
  Got read_request_body() noexcept;
  void await_body(bool waited) noexcept;
  Block& body_block() noexcept;
  void bad_request_body() noexcept;
  void drain_request() noexcept;
  void send_continue() noexcept;
  bool drainable() noexcept;

  // request_relay.cpp and response_relay.cpp: what was put off to the end of the turn
  void send_listed() noexcept override;
  void go_on() noexcept override;

  // response_head.cpp: what the upstream answers
  void read_response_head() noexcept;
  void take_response_head() noexcept;
  void grow_response() noexcept;
  void pass_interim() noexcept;
  bool retry_for_status() noexcept;
  Got read_upstream() noexcept;

  // response_relay.cpp: the response to the client
  void begin_response() noexcept;
  OutFraming response_framing() noexcept;
  Persist decide_persist(const OutFraming& framing) noexcept;
  void pump_response() noexcept;
  void take_back_response(std::string_view detail) noexcept;
  void add_content(const Slices& slices) noexcept;
  void list_content(const Slices& slices) noexcept;
  bool flush_client() noexcept;
  std::string take_trailers() noexcept;
  void pass_trailers(std::string trailers) noexcept;
  void response_sent() noexcept;
  void cut_response(std::string_view detail) noexcept;

  // response_filter.cpp: content on its way through a step's filter
  static constexpr const char* kNotFiltered = "the response could not be coded";
  bool begin_filtering() noexcept;
  bool filters_whole_body() noexcept;
  void pump_filtered() noexcept;
  void feed_filter(const Slices& slices) noexcept;
  bool list_filtered(middleware::BodyFilter::Until until) noexcept;

  // buffering.cpp: whole bodies for steps
  middleware::Buffering collect_request() noexcept;
  middleware::Buffering collect_response() noexcept;
  void go_on_collecting_request() noexcept;
  void go_on_collecting_response() noexcept;

  // tunnel.cpp: after 101
  struct Direction {
    Block bytes;
    bool ended = false;   // the reading side has seen the end
    bool closed = false;  // and the other was told
    std::uint64_t passed = 0;
  };
  void begin_tunnel() noexcept;
  void run_tunnel() noexcept;
  static constexpr int kTunnelRounds = 8;  // reads in one turn before others have theirs
  bool pump_direction(Direction& direction, Stream& from, Stream& to) noexcept;

  bool asks_for_websocket() const noexcept;
  bool is_head() const noexcept { return head_.method == "HEAD"; }
  const Snapshot& snapshot() const noexcept { return *generation_->snapshot; }

  WorkerState& worker_;
  WorkerParts& parts_;
  middleware::Exchange exchange_;
  middleware::tracing::RequestTrace trace_;
  Connection* client_ = nullptr;
  Generation* generation_ = nullptr;
  const Route* route_ = nullptr;  // nullptr: none matched
  RouteMetrics* route_metrics_ = nullptr;
  std::span<StepMetrics* const> step_metrics_;  // by step of the chain; empty: they are not timed

  RequestHead head_;
  BodyReader request_body_;
  Clock::time_point body_progress_{};  // when some of it came, or it was the client's turn to send
  Block upload_;                       // request body beyond the connection's own block
  std::string request_store_;          // request body collected for a step
  std::size_t collect_limit_ = 0;

  Upstream* upstream_ = nullptr;
  Target* target_ = nullptr;
  const Target* failed_target_ = nullptr;
  int last_failure_ = 0;  // of the attempt before; 0: none failed
  std::string last_detail_;
  UpstreamConnection* leg_ = nullptr;
  Outbox to_upstream_;
  std::uint64_t hash_key_ = 0;
  Clock::time_point sent_at_{};
  Clock::time_point upstream_progress_{};  // when it took or sent something, or it was its turn
  ResponseHead response_head_;
  BodyReader response_body_;
  std::uint32_t response_start_ = 0;  // where content begins in the leg's buffer, behind the head
  std::string response_store_;
  Block response_block_;  // the leg's, when it was let go: the response's fields are views into it

  std::string_view unfiltered_;  // what is left of a whole body on its way through a filter
  Outbox to_client_;
  Clock::time_point client_progress_{};  // of what it takes; of a tunnel, either way
  Direction up_;
  Direction down_;

  int pending_fault_ = 0;  // to be answered after the request sides of the chain for the unrouted
  std::string_view pending_detail_;
  std::string_view allow_;

  Stage stage_ = Stage::idle;
  After after_ = After::close;
  Collecting collecting_ = Collecting::nothing;
  Got got_ahead_ = Got::not_asked;  // of the response head
  bool counted_attempt_ = false;    // the upstream waits to hear how it went
  bool body_sent_ = false;          // some of the request body went to an upstream
  bool request_dead_ = false;       // the upstream takes no more of the request
  bool upstream_blocked_ = false;
  bool client_blocked_ = false;
  bool upstream_fresh_ = false;  // a head was listed, nothing of it is sent: that may be put off
  bool client_fresh_ = false;
  bool upstream_due_ = false;  // put off; counts as blocked
  bool client_due_ = false;
  bool wants_body_ = false;            // client_readable() means the request body
  bool continued_ = false;             // 100 was sent, or is not wanted
  bool request_store_unsent_ = false;  // what was collected goes out before the stream
  bool response_store_unsent_ = false;
  bool request_listed_ = false;   // all of the request is sent or in the outbox, whatever of its body it has
  bool response_listed_ = false;  // the same of a response body that comes in parts
  bool filter_holds_ = false;     // content that was fed since the filter was last emptied
  bool response_begun_ = false;   // bytes of the final head may have left
  bool chunked_out_ = false;
  bool closes_to_end_ = false;  // nothing but the connection's end says that the response is over
  bool retried_stale_ = false;
  bool fresh_only_ = false;
  bool looked_late_ = false;        // for an answer that this worker had not got round to
  bool leg_may_hold_more_ = false;  // the last read of the leg filled its room
  std::uint32_t drained_ = 0;
  std::uint32_t interim_responses_ = 0;  // of this attempt

  Alarm<&Transaction::upstream_timeout> upstream_timer_{*this};
  Alarm<&Transaction::route_timeout> route_timer_{*this};
};

}  // namespace lingate::http
