// Client: one keep-alive connection that sends the target's request and reads the answer, one at a time. A connection
// that the server has closed after an answer is made anew with the next request, and that request's latency holds the
// time it took. A server may close an idle connection at any moment (RFC 9112, section 9.5), so a request that meets
// such an end without a byte of an answer is sent once more on a new connection; it keeps the time at which it began.
//
// Thread: the loop's. Lifetime: the loop's; the target outlives it, and no handler runs after it is gone, as its
// context is not run any more.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <optional>

#include "gateway/bench/load/answer.h"
#include "gateway/bench/load/tally.h"
#include "gateway/bench/load/target.h"

namespace lingate::bench {

class Client {
 public:
  using Time = LoadClock::time_point;

  // Told as the last thing that a handler does: the client may be used again at once.
  class Owner {
   public:
    virtual void connected(Client& client) = 0;
    virtual void answered(Client& client, Time began, Time now) = 0;
    virtual void failed(Client& client, const Fault& fault) = 0;

   protected:
    ~Owner() = default;
  };

  Client(boost::asio::io_context& context, const Target& target, Owner& owner)
      : target_(target), owner_(owner), socket_(context) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void connect();         // ahead of a request
  void send(Time began);  // idle clients only
  void check(Time now);   // every now and then: has it timed out?

  bool idle() const noexcept { return state_ == State::idle; }
  Time idle_since() const noexcept { return since_; }
  std::uint64_t reconnects() const noexcept { return reconnects_; }

 private:
  using Failed = boost::system::error_code;
  enum class State { idle, connecting, busy };

  void open();
  void opened(Failed failed);
  void write();
  void read();
  void took(Failed failed, std::size_t size);
  void parse();
  bool complete();
  void finish();
  void lost(Failed failed);
  void give_up(FaultKind kind, std::string text);
  void rest() noexcept;
  void close() noexcept;

  const Target& target_;
  Owner& owner_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_{2 * Answer::kMostHead};
  std::optional<Answer> answer_;
  State state_ = State::idle;
  Time began_{};
  Time since_{};             // idle, or at work on this request
  std::uint64_t epoch_ = 0;  // of the socket: handlers of an earlier one are stale
  std::uint64_t reconnects_ = 0;
  bool open_ = false;
  bool reused_ = false;   // it was open before this request
  bool heard_ = false;    // a byte of the answer is here
  bool writing_ = false;  // the request is not out yet
};

}  // namespace lingate::bench
