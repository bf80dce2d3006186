// The data path alone: one worker that forwards everything to one upstream and answers /admin itself with 403. For the
// raw cases of shared/http and for measurements without configuration, logs or scripts.
//
//   http_forwarder PORT UPSTREAM_PORT
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "gateway/http/resolver.h"
#include "gateway/http/worker.h"

namespace {

using namespace lingate;

class Quiet final : public middleware::AppLog {
 public:
  bool wants(middleware::LogLevel level) const noexcept override { return level >= middleware::LogLevel::warn; }
  void write(const middleware::AppEvent& event) noexcept override {
    if (wants(event.level))
      std::fprintf(stderr, "LG%d %.*s\n", event.code, static_cast<int>(event.message.size()), event.message.data());
  }
};

class Forbid final : public middleware::Middleware {
 public:
  std::string_view kind() const noexcept override { return "forbid"; }
  std::string_view label() const noexcept override { return "forbid"; }
  middleware::StepNeeds needs() const noexcept override { return {.request = true}; }
  middleware::Flow on_request(middleware::Exchange& exchange, middleware::StepRecord&) const override {
    exchange.respond(403, "no\n");
    return middleware::Flow::respond;
  }
};

// What the comparison with other proxies asks for: nothing end-to-end is added.
class NoVia final : public middleware::Middleware {
 public:
  std::string_view kind() const noexcept override { return "no-via"; }
  std::string_view label() const noexcept override { return "no-via"; }
  middleware::StepNeeds needs() const noexcept override { return {.request = true}; }
  middleware::Flow on_request(middleware::Exchange& exchange, middleware::StepRecord&) const override {
    exchange.request.headers.remove(middleware::FieldId::via);
    return middleware::Flow::next;
  }
};

std::shared_ptr<const http::Snapshot> make_snapshot(std::uint16_t port) {
  static const Forbid forbid;
  static const NoVia no_via;
  routing::Match everything;
  routing::Match admin;
  admin.path = "/admin";
  const routing::Match matches[] = {everything, admin};
  auto snapshot = std::make_shared<http::Snapshot>(routing::Router(matches));
  http::Route forward;
  forward.name = "all";
  forward.upstreams = {{0, 1}};
  forward.chain = middleware::Chain({&no_via});
  http::Route denied;
  denied.name = "admin";
  denied.chain = middleware::Chain({&forbid});
  snapshot->routes = {std::move(forward), std::move(denied)};
  http::UpstreamOptions upstream;
  upstream.name = "origin";
  http::TargetOptions target;
  target.address.host = "127.0.0.1";
  target.address.port = port;
  target.authority = "127.0.0.1:" + std::to_string(port);
  upstream.targets.push_back(std::move(target));
  snapshot->upstreams.push_back(std::move(upstream));
  snapshot->limits.idle_timeout = std::chrono::hours(1);
  http::Network loopback;
  loopback.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  snapshot->trusted.push_back(loopback);
  return snapshot;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: http_forwarder PORT UPSTREAM_PORT\n", stderr);
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Quiet log;
  http::Resolver resolver;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  http::Worker worker({.index = 0, .resolver = resolver, .log = log},
                      make_snapshot(static_cast<std::uint16_t>(std::atoi(argv[2]))));
  http::ListenerOptions listener;
  listener.address.host = "127.0.0.1";
  listener.address.port = port;
  auto socket = http::bind_socket(listener);
  if (!socket) {
    std::fprintf(stderr, "%s\n", socket.error().message.c_str());
    return 6;
  }
  std::fprintf(stderr, "listening http://127.0.0.1:%u\n", socket->address().port);
  worker.add_listener(listener, std::move(*socket));
  std::thread signal_thread([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    worker.drain(std::chrono::seconds(5));
  });
  worker.run();
  signal_thread.detach();
  return 0;
}
