// Admin server: a small HTTP server on an address of its own for those who operate a gateway: metrics and health. It
// shares nothing with the data path but what its pages read, so that a scrape never delays a request.
//
// Thread: its own; pages are called on it, one at a time. Lifetime: serves from start() until it is destroyed; what the
// pages read must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lingate::admin {

struct Answer {
  int status = 200;
  std::string body;
};

// GET `path` answers with what `content` returns.
struct Page {
  std::string_view path;
  std::string_view content_type;
  std::function<Answer()> content;
};

class Server {
 public:
  // `host` is an IP address; port 0: any. Fails with kCannotListen.
  static Result<std::unique_ptr<Server>> start(const std::string& host, std::uint16_t port, std::vector<Page> pages);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string address() const;  // "127.0.0.1:9901"

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lingate::admin
