#include "tests/http/gateway_fixture.h"

namespace lingate::http::test {

void Recorder::write(const middleware::AppEvent& event) noexcept {
  const std::lock_guard lock(mutex_);
  text_.append(event.message).append("\n");
}

std::string Recorder::text() {
  const std::lock_guard lock(mutex_);
  return text_;
}

middleware::Flow Answer::on_request(middleware::Exchange& exchange, middleware::StepRecord&) const {
  exchange.respond(403, "no\n");
  return middleware::Flow::respond;
}

void Watcher::on_log(middleware::Exchange& exchange, const middleware::StepRecord&) const {
  const std::lock_guard lock(mutex_);
  statuses_.push_back(exchange.facts.status != 0 ? exchange.facts.status : exchange.response.status);
}

std::vector<int> Watcher::statuses() const {
  const std::lock_guard lock(mutex_);
  return statuses_;
}

GatewayTest::~GatewayTest() {
  stop();
}

void GatewayTest::add_target(std::uint16_t port) {
  TargetOptions target;
  target.address.host = "127.0.0.1";
  target.address.port = port;
  target.authority = "127.0.0.1:" + std::to_string(port);
  upstream_.targets.push_back(target);
}

Snapshot GatewayTest::make_snapshot() {
  routing::Match everything;
  routing::Match local;
  local.path = "/local";
  const routing::Match matches[] = {everything, local};
  Snapshot snapshot{routing::Router(matches)};
  Route forward;
  forward.name = "all";
  forward.chain = middleware::Chain({&watcher_});
  forward.upstreams = {{0, 1}};
  forward.timeout = route_timeout_;
  Route answered;
  answered.name = "local";
  answered.chain = middleware::Chain({&watcher_, &answer_});
  snapshot.routes = {std::move(forward), std::move(answered)};
  snapshot.unrouted = middleware::Chain({&watcher_});
  snapshot.upstreams = {upstream_};
  snapshot.limits = limits_;
  if (trust_loopback_) snapshot.trusted.push_back({{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}, 128});
  return snapshot;
}

std::shared_ptr<const Snapshot> GatewayTest::share(Snapshot snapshot) {
  return std::make_shared<Snapshot>(std::move(snapshot));
}

void GatewayTest::start() {
  upstream_.name = "origin";
  if (upstream_.targets.empty()) add_target(origin_.port());
  worker_ =
      std::make_unique<Worker>(WorkerOptions{.index = 0, .resolver = resolver_, .log = log_}, share(make_snapshot()));
  ListenerOptions listener;
  listener.address.host = "127.0.0.1";
  listener.proxy_protocol = proxy_protocol_;
  auto socket = bind_socket(listener);
  ASSERT_TRUE(socket) << socket.error().message;
  port_ = socket->address().port;
  worker_->add_listener(listener, std::move(*socket));
  thread_ = std::thread([this] { worker_->run(); });
}

void GatewayTest::stop() {
  if (!thread_.joinable()) return;
  worker_->stop();
  thread_.join();
  worker_.reset();
}

}  // namespace lingate::http::test
