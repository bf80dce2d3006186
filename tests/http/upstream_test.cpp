// What happens when upstreams fail: retries, ejection, health, time-outs; and the worker's own end.
#include "tests/http/gateway_fixture.h"

namespace lingate::http::test {
namespace {

using std::chrono::milliseconds;

class Upstreams : public GatewayTest {
 protected:
  std::string ask(const std::string& request = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") {
    Socket client = this->client();
    client.send(request);
    return client.read_all();
  }
};

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(Upstreams, OneThatDiesBeforeItsHeadIsA502) {
  start();
  Socket client = this->client();
  client.send(kPost);
  Socket upstream = origin_.accept();
  upstream.read_head();
  upstream.reset();
  const std::string head = client.read_head();
  EXPECT_EQ(status_of(head), 502);
  EXPECT_EQ(field_of(head, "Content-Type"), "application/problem+json");
  EXPECT_TRUE(origin_.nobody_comes());  // never twice
}

TEST_F(Upstreams, ADeadIdleConnectionCostsNobodyAnything) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket first = origin_.accept();
  first.read_head();
  first.send(kOk);
  client.read_head();
  client.read_exactly(2);
  first.close();
  client.send(kPost);
  Socket second = origin_.accept();
  EXPECT_TRUE(second.read_head().starts_with("POST"));
  second.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

TEST_F(Upstreams, AnIdempotentRequestSurvivesAConnectionThatDiesUnderIt) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket first = origin_.accept();
  first.read_head();
  first.send(kOk);
  client.read_head();
  client.read_exactly(2);
  client.send(kGet);
  first.read_head();  // it arrives on the pooled connection,
  first.reset();      // which dies
  Socket second = origin_.accept();
  second.read_head();
  second.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

TEST_F(Upstreams, AConnectFailureGoesToAnotherTarget) {
  Origin dead;
  add_target(dead.port());
  add_target(origin_.port());
  dead.close();
  upstream_.retry.attempts = 2;
  upstream_.retry.on_connect_failure = true;
  start();
  for (int k = 0; k < 4; ++k) {
    Socket client = this->client();
    client.send(kPost);
    Socket upstream = origin_.accept();
    upstream.read_head();
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(status_of(client.read_head()), 200);
  }
}

TEST_F(Upstreams, AStatusOfTheListIsAskedForAgainUnlessTheMethodForbidsIt) {
  upstream_.retry.attempts = 2;
  upstream_.retry.on_status = {503};
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket first = origin_.accept();
  first.read_head();
  first.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  Socket second = origin_.accept();
  second.read_head();
  second.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
  client.read_exactly(2);
  client.send(kPost);
  second.read_head();
  second.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(status_of(client.read_head()), 503);
}

TEST_F(Upstreams, FailuresInARowEjectATargetAndASuccessTakesItBack) {
  Origin dead;
  const std::uint16_t port = dead.port();
  dead.close();
  add_target(port);
  upstream_.eject = EjectOptions{.failures = 3, .duration = milliseconds(200)};
  start();
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(status_of(ask()), 502);
  EXPECT_EQ(status_of(ask()), 503);
  Origin alive(port);
  std::string answer;
  std::thread client([&] {
    do
      answer = ask();
    while (status_of(answer) == 503);
  });
  Socket upstream = alive.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.join();
  EXPECT_EQ(status_of(answer), 200);
}

TEST_F(Upstreams, ATargetThatFailsItsChecksIsLeftOutUntilItPassesThem) {
  upstream_.health = HealthOptions{
      .path = "/healthz", .every = milliseconds(30), .timeout = milliseconds(5000), .healthy = 2, .unhealthy = 2};
  start();
  const auto check = [&](const std::string& answer) {
    Socket probe = origin_.accept();
    EXPECT_TRUE(probe.read_head().starts_with("GET /healthz "));
    probe.send("HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\n\r\n");
    probe.read_all();
  };
  check("500 Bad");
  check("500 Bad");
  Socket third = origin_.accept();  // the worker is past the second verdict when it begins the third check
  EXPECT_EQ(status_of(ask()), 503);
  third.read_head();
  third.send("HTTP/1.1 200 OK\r\n\r\n");
  third.read_all();
  check("200 OK");
  Socket fifth = origin_.accept();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  EXPECT_TRUE(upstream.read_head().starts_with("GET /x "));
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

TEST_F(Upstreams, SilenceIsA504AtTheTimeOut) {
  upstream_.response_timeout = milliseconds(200);
  start();
  Socket client = this->client();
  const auto began = Clock::now();
  client.send(kGet);
  Socket upstream = origin_.accept();
  EXPECT_EQ(status_of(client.read_head()), 504);
  EXPECT_GE(Clock::now() - began, milliseconds(200));
}

TEST_F(Upstreams, ARouteHasATimeOutOfItsOwn) {
  route_timeout_ = milliseconds(150);
  start();
  EXPECT_EQ(status_of(ask()), 504);
}

TEST_F(Upstreams, ANameIsResolvedWithoutBlockingAndTheFirstRequestWaitsForIt) {
  TargetOptions target;
  target.address.host = "localhost";
  target.address.port = origin_.port();
  target.authority = "localhost";
  upstream_.targets.push_back(target);
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

class Ends : public GatewayTest {};

TEST_F(Ends, AnIncompleteHeadIsAnswered408AtItsDeadline) {
  limits_.head_timeout = milliseconds(150);
  start();
  Socket client = this->client();
  client.send("GET /x HT");
  EXPECT_EQ(status_of(client.read_all()), 408);
  stop();
  EXPECT_EQ(watcher_.statuses(), std::vector<int>{408});
}

TEST_F(Ends, AnIdleConnectionIsClosed) {
  limits_.idle_timeout = milliseconds(150);
  start();
  Socket client = this->client();
  client.send("GET /local HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_head();
  EXPECT_EQ(client.read_all(), "no\n");
}

TEST_F(Ends, ABodyThatStopsComingIsA408) {
  limits_.body_timeout = milliseconds(150);
  start();
  Socket client = this->client();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  EXPECT_EQ(status_of(client.read_all()), 408);
}

TEST_F(Ends, DrainingAnswersWhatIsInFlightAndThenEnds) {
  start();
  Socket idle = client();
  idle.send("GET /local HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.read_head();
  idle.read_exactly(3);
  Socket busy = client();
  busy.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  worker_->drain(std::chrono::seconds(30));
  EXPECT_EQ(idle.read_all(), "");
  upstream.send(kOk);
  const std::string head = busy.read_head();
  EXPECT_EQ(status_of(head), 200);
  EXPECT_EQ(field_of(head, "Connection"), "close");
  EXPECT_EQ(busy.read_all(), "ok");
  busy.close();
  thread_.join();  // by itself
}

TEST_F(Ends, TheDrainHasADeadline) {
  start();
  Socket busy = client();
  busy.send(kGet);
  Socket upstream = origin_.accept();
  worker_->drain(milliseconds(100));
  thread_.join();
}

TEST_F(Ends, ARequestIsServedByTheSnapshotThatItBeganOn) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  Origin other;
  upstream_.targets.clear();
  add_target(other.port());
  worker_->adopt(share(make_snapshot()));
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
  client.read_exactly(2);
  client.send(kGet);
  Socket next = other.accept();
  EXPECT_TRUE(next.valid());
  next.read_head();
  next.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

TEST_F(Ends, AProxyHeaderFromATrustedPeerNamesTheClient) {
  trust_loopback_ = true;
  proxy_protocol_ = true;
  start();
  Socket client = this->client();
  client.send("PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n" + kGet);
  Socket upstream = origin_.accept();
  EXPECT_EQ(field_of(upstream.read_head(), "X-Forwarded-For"), "192.0.2.7");
  Socket liar = this->client();
  liar.send(kGet);
  EXPECT_NE(liar.read_all().find("\"code\":\"LG1016\""), std::string::npos);
}

TEST_F(Ends, MalformedRequestsAreAnsweredLoggedAndTheLastOfTheirConnection) {
  start();
  Socket client = this->client();
  client.send("G[T / HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  const std::string head = client.read_head();
  EXPECT_EQ(status_of(head), 400);
  EXPECT_EQ(field_of(head, "Connection"), "close");
  client.read_all();
  EXPECT_TRUE(origin_.nobody_comes());
  stop();
  EXPECT_EQ(watcher_.statuses(), std::vector<int>{400});
}

}  // namespace
}  // namespace lingate::http::test
