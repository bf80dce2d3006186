// What middleware tests stand on: a loop of real time, a host that hands out bodies as told, and an application log
// that is kept.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "middleware/app_log.h"
#include "middleware/exchange.h"
#include "middleware/middleware.h"
#include "tests/runtimes/test_loop.h"

namespace lingate::middleware {

class MemoryLog final : public AppLog {
 public:
  struct Entry {
    LogLevel level;
    std::string message, request_id, route, step, file, fields;
    int code;
    std::uint32_t line;
    std::size_t frames;
  };

  bool wants(LogLevel) const noexcept override { return true; }
  void write(const AppEvent& event) noexcept override {
    const std::lock_guard lock(mutex_);
    entries_.push_back({event.level, std::string(event.message), std::string(event.request_id),
                        std::string(event.route), std::string(event.step), std::string(event.file),
                        std::string(event.fields), event.code, event.line, event.stack.size()});
  }
  std::vector<Entry> entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

class FakeHost final : public ExchangeHost {
 public:
  Loop& loop() noexcept override { return fake_loop; }
  AppLog& log() noexcept override { return memory_log; }
  IdSource& ids() noexcept override { return id_source; }
  Buffering buffer_request_body(std::size_t limit) override { return buffer(exchange->request.body, limit); }
  Buffering buffer_response_body(std::size_t limit) override { return buffer(exchange->response.body, limit); }
  void request_side_over() noexcept override { ++request_overs; }
  void response_side_over() noexcept override { ++response_overs; }

  Buffering buffer(Body& body, std::size_t limit) {
    limits.push_back(limit);
    if (buffering == Buffering::ready && content.size() > limit) return Buffering::too_large;
    if (buffering == Buffering::ready) arrive(body);
    return buffering;
  }
  void arrive(Body& body) { body = {.kind = Body::Kind::bytes, .bytes = content}; }

  test::TestLoop fake_loop;
  MemoryLog memory_log;
  IdSource id_source;
  Exchange* exchange = nullptr;
  Buffering buffering = Buffering::ready;  // what the next request for a body is answered with
  std::string content;                     // of a body that arrives
  std::vector<std::size_t> limits;         // asked for
  int request_overs = 0;
  int response_overs = 0;
};

// An exchange on a fake host, with a plain GET in it.
struct Stage {
  explicit Stage(std::vector<const Middleware*> steps = {}) : chain(std::move(steps)) {
    host.exchange = &exchange;
    begin();
  }
  ~Stage() { exchange.end(); }

  void begin() {
    exchange.begin(chain, "users");
    Request& request = exchange.request;
    request.method = "GET";
    request.target = "/users/7?x=1";
    request.path = "/users/7";
    request.query = "x=1";
    request.has_query = true;
    request.host = "api.example.com";
    request.scheme = "http";
    request.client_ip = "192.0.2.1";
    request.client_port = 4711;
  }

  void receive(std::string_view name, std::string_view value) { receive(exchange.request.headers, name, value); }
  static void receive(Headers& headers, std::string_view name, std::string_view value) {
    headers.receive(make_field(name, value, name));
  }

  // As if the upstream had answered.
  void upstream(std::uint16_t status = 200, Body body = {}) {
    exchange.response.source = Response::Source::upstream;
    exchange.response.status = status;
    exchange.response.body = body;
  }

  // Both sides of a chain that never waits; the upstream answers 200 if nobody else does.
  std::uint16_t run() {
    EXPECT_EQ(exchange.run.request(), ChainRun::Answer::over);
    if (exchange.response.source == Response::Source::none) upstream();
    EXPECT_EQ(exchange.run.response(), ChainRun::Answer::over);
    return exchange.response.status;
  }

  FakeHost host;
  Chain chain;
  Exchange exchange{host};
};

inline Body streaming() {
  Body body;
  body.kind = Body::Kind::stream;
  return body;
}

inline std::string text_of(const Headers& headers) {
  std::string text;
  for (const Field& field : headers.all())
    if (!field.removed) text.append(field.name).append(": ").append(field.value).append("\n");
  return text;
}

}  // namespace lingate::middleware
