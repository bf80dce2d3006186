// Server: a tiny origin for the load generator's tests: it counts requests and answers each with the bytes that the
// test wants. One thread for all connections, so whatever an answer takes, all of them wait for it.
//
// Thread: its own; `answer` is called on it. Lifetime: serves from construction to destruction.
#pragma once

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace lingate::bench {

// What the server does with a request: bytes to send, and whether the connection ends after them.
struct Reply {
  std::string bytes;
  bool close = false;
  bool silent = false;  // nothing is sent, now or later
};

inline Reply length_reply(const std::string& body = "hello") {
  return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

class Server {
 public:
  using Answer = std::function<Reply(unsigned number)>;  // of the request, from 1

  explicit Server(Answer answer, const std::string& host = "127.0.0.1")
      : answer_(std::move(answer)), acceptor_(context_, {boost::asio::ip::make_address(host), 0}) {
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Server() {
    context_.stop();
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  unsigned short port() const { return port_; }
  std::string url(const std::string& target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port()) + target;
  }
  unsigned requests() const { return requests_; }
  unsigned connections() const { return connections_; }
  std::string last_request() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  using tcp = boost::asio::ip::tcp;
  using Failed = boost::system::error_code;

  struct Peer {
    explicit Peer(tcp::socket its_socket) : socket(std::move(its_socket)) {}
    tcp::socket socket;
    std::string in;
    std::string out;
    char room[4096];
  };

  void accept() {
    acceptor_.async_accept([this](Failed failed, tcp::socket socket) {
      if (failed) return;
      socket.set_option(tcp::no_delay(true));
      ++connections_;
      read(std::make_shared<Peer>(std::move(socket)));
      accept();
    });
  }

  void read(const std::shared_ptr<Peer>& peer) {
    peer->socket.async_read_some(boost::asio::buffer(peer->room), [this, peer](Failed failed, std::size_t size) {
      if (failed) return;
      peer->in.append(peer->room, size);
      if (whole(peer->in))
        reply(peer);
      else
        read(peer);
    });
  }

  static bool whole(const std::string& in) {
    const std::size_t end = in.find("\r\n\r\n");
    if (end == in.npos) return false;
    const std::size_t length = in.find("Content-Length: ");
    return length == in.npos || in.size() >= end + 4 + std::stoul(in.substr(length + 16, 10));
  }

  void reply(const std::shared_ptr<Peer>& peer) {
    {
      const std::lock_guard lock(mutex_);
      last_ = std::exchange(peer->in, {});
    }
    const Reply made = answer_(++requests_);
    if (made.silent) return read(peer);
    peer->out = made.bytes;
    boost::asio::async_write(peer->socket, boost::asio::buffer(peer->out),
                             [this, peer, close = made.close](Failed failed, std::size_t) {
                               if (!failed && !close) read(peer);
                             });
  }

  Answer answer_;
  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::atomic<unsigned> requests_ = 0;
  std::atomic<unsigned> connections_ = 0;
  mutable std::mutex mutex_;
  std::string last_;
  unsigned short port_ = 0;
  std::thread thread_;
};

}  // namespace lingate::bench
