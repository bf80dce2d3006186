// Connection: one client of the admin address. It waits for its place (pace.h), reads a head, asks the gate, reads the
// body only of what was admitted, has it answered, and goes on to the next request. A refused request with a body ends
// the connection; what still comes of the body is thrown away for a moment, so that the client gets to read why.
//
// Thread: the server's I/O thread, but for run() of an operation. Lifetime: keeps itself by the handler that is
// pending.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "gateway/admin/gate.h"
#include "gateway/admin/pace.h"
#include "middleware/ids.h"

namespace lingate::admin {

class Connection;

// What all connections of a server share.
struct Shared {
  Subject subject;
  Gate gate;
  middleware::IdSource ids;
  Pace pace{};
  std::size_t open = 0;
  std::list<Connection*> silent{};  // have not sent a request yet, nor shown a token before; the oldest first
  std::size_t answering = 0;        // requests that have been read, until their answers are written
  std::function<void()> quiet{};    // the server ends: called once that is 0
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Shared& shared, boost::asio::thread_pool& patient);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void take_place();  // and then reads the next request
  void drop();        // to make room for another: nothing of it is being answered

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  enum class After : std::uint8_t { next, end };  // what follows the answer

  class Answering {
   public:
    explicit Answering(Shared& shared) : shared_(shared) { ++shared_.answering; }
    ~Answering() {
      if (--shared_.answering == 0 && shared_.quiet) shared_.quiet();
    }
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;

   private:
    Shared& shared_;
  };

  void leave_silent();
  void read_head();
  void head_read(boost::beast::error_code error);
  void unreadable(boost::beast::error_code error);
  bool knows_token() const noexcept;  // whoever sent this request
  bool changes() const noexcept;      // what the request asks for
  void go_on();
  void read_body();
  void body_read(boost::beast::error_code error);
  Outcome answer();
  void run();
  void finish(Outcome made);
  void write(Answer answer, After after);
  void refuse(const Refusal& refusal, After after);
  void drain(std::size_t left);

  Shared& shared_;
  boost::asio::thread_pool& patient_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer place_;  // runs out when the next request may be read
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Response> response_;
  std::optional<boost::beast::http::response<boost::beast::http::empty_body>> interim_;  // 100 Continue
  Admitted admitted_;
  std::optional<Answering> answering_;
  std::string request_id_;
  std::optional<std::list<Connection*>::iterator> silent_;  // its place among those
};

}  // namespace lingate::admin
