// Admin server: HTTP/1.1 on an address of its own for those who operate a gateway. It shares nothing with the data path
// but what its operations read, and its threads run at low priority, so that neither a scrape nor a flood of requests
// delays the requests of clients.
//
// Thread: two of its own: one reads and writes, answers what asks for no token and refuses what the gate refuses; the
// other runs the operations that may wait for the store, one at a time. Lifetime: serves from serve() until it is
// destroyed; what the subject points to must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "gateway/admin/api.h"

namespace lingate::admin {

struct ServerOptions {
  std::string host;        // an IP address
  std::uint16_t port = 0;  // 0: any
  std::string token;
  std::vector<std::string> hosts;  // names that Host may have, lower-case or "*.suffix"
  int inherited = -1;              // a socket that listens there already, to be taken over; -1: none
};

class Server {
 public:
  // Whoever comes waits. Fails with kCannotListen.
  static Result<std::unique_ptr<Server>> open(const ServerOptions& options, Subject subject);
  void serve();
  // Waits a moment for those who are being answered.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // A copy of the socket that it listens on, for another process.
  Descriptor copy_listener() const noexcept;
  // Accepts nobody from now on; who is connected is served.
  void stop_accepting();

  std::string address() const;  // "127.0.0.1:9901"

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lingate::admin
