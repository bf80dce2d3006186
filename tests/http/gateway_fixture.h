// GatewayTest: a worker of its own on a thread, with one forwarding route to one or more origins that the test plays,
// and one route that a step answers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/http/resolver.h"
#include "gateway/http/worker.h"
#include "tests/http/sockets.h"

namespace lingate::http::test {

class Recorder final : public middleware::AppLog {
 public:
  bool wants(middleware::LogLevel) const noexcept override { return true; }
  void write(const middleware::AppEvent& event) noexcept override;
  std::string text();

 private:
  std::mutex mutex_;
  std::string text_;
};

// Answers /local, and notes what the log side sees.
class Answer final : public middleware::Middleware {
 public:
  std::string_view kind() const noexcept override { return "answer"; }
  std::string_view label() const noexcept override { return "answer"; }
  middleware::StepNeeds needs() const noexcept override { return {.request = true}; }
  middleware::Flow on_request(middleware::Exchange& exchange, middleware::StepRecord&) const override;
};

class Watcher final : public middleware::Middleware {
 public:
  std::string_view kind() const noexcept override { return "watcher"; }
  std::string_view label() const noexcept override { return "watcher"; }
  middleware::StepNeeds needs() const noexcept override { return {.request = true, .log = true}; }
  middleware::Flow on_request(middleware::Exchange&, middleware::StepRecord&) const override {
    return middleware::Flow::next;
  }
  void on_log(middleware::Exchange& exchange, const middleware::StepRecord&) const override;
  std::vector<int> statuses() const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<int> statuses_;
};

class GatewayTest : public testing::Test {
 protected:
  ~GatewayTest() override;

  // Change before start().
  UpstreamOptions upstream_;
  Limits limits_;
  std::optional<Duration> route_timeout_;
  bool trust_loopback_ = false;
  bool proxy_protocol_ = false;

  void add_target(std::uint16_t port);
  void start();  // with a target for origin_ if none was added
  void stop();
  Socket client() { return Socket::connect(port_); }
  Snapshot make_snapshot();
  virtual std::shared_ptr<const Snapshot> share(Snapshot snapshot);

  Origin origin_;
  Recorder log_;
  Answer answer_;
  Watcher watcher_;
  Resolver resolver_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace lingate::http::test
