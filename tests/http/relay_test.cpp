// The ways of bytes: framing, pipelining, half-closed clients, interim responses, tunnels, cut bodies.
#include <fstream>

#include "tests/http/gateway_fixture.h"

namespace lingate::http::test {
namespace {

class Relay : public GatewayTest {};

const std::string kGet = "GET /x HTTP/1.1\r\nHost: gw.test\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(Relay, AnswersPipelinedRequestsInOrderOverOneConnection) {
  start();
  Socket client = this->client();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /local HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  Socket upstream = origin_.accept();
  EXPECT_TRUE(upstream.read_head().starts_with("GET /1 HTTP/1.1\r\n"));
  EXPECT_TRUE(upstream.is_quiet());  // /2 waits for its turn
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
  EXPECT_EQ(client.read_exactly(2), "ok");
  EXPECT_EQ(status_of(client.read_head()), 403);
  EXPECT_EQ(client.read_exactly(3), "no\n");
  EXPECT_TRUE(upstream.read_head().starts_with("GET /2 "));
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

TEST_F(Relay, SaysWhoTheClientIsAndDropsWhatOthersClaim) {
  start();
  Socket client = this->client();
  client.send(
      "GET /x HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Port: 1\r\n"
      "Connection: X-Secret, close\r\nX-Secret: 1\r\nTE: trailers\r\n\r\n");
  Socket upstream = origin_.accept();
  const std::string head = upstream.read_head();
  EXPECT_EQ(field_of(head, "X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(field_of(head, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(field_of(head, "X-Forwarded-Host"), "gw.test");
  EXPECT_EQ(field_of(head, "Via"), "1.1 lingate");
  for (const char* gone : {"X-Forwarded-Port", "X-Secret", "TE", "Connection"})
    EXPECT_EQ(field_of(head, gone), "") << gone;
  upstream.send(kOk);
  EXPECT_EQ(field_of(client.read_head(), "Connection"), "close");
  EXPECT_EQ(client.read_all(), "ok");
}

TEST_F(Relay, ChunksPassBothWaysAndTheirExtensionsAndTrailersDoNot) {
  start();
  Socket client = this->client();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n");
  Socket upstream = origin_.accept();
  EXPECT_EQ(field_of(upstream.read_head(), "Transfer-Encoding"), "chunked");
  client.send("6\r\n world\r\n0\r\nX-T: 1\r\n\r\n");
  EXPECT_EQ(upstream.read_chunked(), "hello world");
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(field_of(client.read_head(), "Transfer-Encoding"), "chunked");
  EXPECT_EQ(client.read_exactly(8), "3\r\nabc\r\n");  // as it is sent, not when it is whole
  upstream.send("1;q\r\nd\r\n0\r\nX-T: 2\r\n\r\n");
  EXPECT_EQ(client.read_chunked(), "d");
  client.send(kGet);
  EXPECT_TRUE(upstream.read_head().starts_with("GET /x"));  // both connections go on
}

TEST_F(Relay, AnOldClientGetsChunksAsAPlainBody) {
  start();
  Socket client = this->client();
  client.send("GET /x HTTP/1.0\r\n\r\n");
  Socket upstream = origin_.accept();
  EXPECT_NE(field_of(upstream.read_head(), "Host"), "");
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  const std::string head = client.read_head();
  EXPECT_EQ(field_of(head, "Transfer-Encoding"), "");
  EXPECT_EQ(client.read_all(), "abc");
}

TEST_F(Relay, AHeadResponseHasNoBodyAndKeepsItsLength) {
  start();
  Socket client = this->client();
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
  EXPECT_EQ(field_of(client.read_head(), "Content-Length"), "77");
  upstream.read_head();
  upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
  const std::string head = client.read_head();
  EXPECT_EQ(status_of(head), 204);
  EXPECT_EQ(field_of(head, "Content-Length"), "");
}

TEST_F(Relay, AHalfClosedClientGetsItsWholeAnswer) {
  start();
  Socket client = this->client();
  client.send(kGet);
  client.shutdown_write();
  Socket upstream = origin_.accept();
  upstream.read_head();
  EXPECT_TRUE(client.is_quiet());
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
  EXPECT_EQ(client.read_all(), "ok");  // and then the end: nothing more can come from it
}

TEST_F(Relay, AClientThatResetsCancelsTheUpstreamAndIsLoggedAs499) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  client.reset();
  EXPECT_EQ(upstream.read_all(), "");  // the end, without an answer
  stop();
  EXPECT_EQ(watcher_.statuses(), std::vector<int>{499});
}

TEST_F(Relay, ContinuesAnExpectationOnlyWhenTheBodyIsWanted) {
  start();
  Socket client = this->client();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(status_of(client.read_head()), 100);
  Socket upstream = origin_.accept();
  EXPECT_EQ(field_of(upstream.read_head(), "Expect"), "");
  client.send("hello");
  EXPECT_EQ(upstream.read_exactly(5), "hello");
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
  client.read_exactly(2);
  client.send("POST /local HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const std::string refused = client.read_head();
  EXPECT_EQ(status_of(refused), 403);
  EXPECT_EQ(field_of(refused, "Connection"), "close");
}

TEST_F(Relay, AnUnreadBodyIsNeverTakenForARequest) {
  start();
  Socket client = this->client();
  client.send("POST /local HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kGet.size()) + "\r\n\r\n");
  EXPECT_EQ(status_of(client.read_head()), 403);
  client.read_exactly(3);
  client.send(kGet + "GET /local HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_head()), 403);
  EXPECT_TRUE(origin_.nobody_comes());
}

TEST_F(Relay, PassesInterimResponsesOnButNotToOldClients) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  const std::string hints = client.read_head();
  EXPECT_EQ(status_of(hints), 103);
  EXPECT_EQ(field_of(hints, "Link"), "</a>");
  upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n" + kOk);
  EXPECT_EQ(status_of(client.read_head()), 103);
  EXPECT_EQ(status_of(client.read_head()), 200);
  client.read_exactly(2);
  Socket old = this->client();
  old.send("GET /x HTTP/1.0\r\n\r\n");
  upstream.read_head();
  upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n" + kOk);
  EXPECT_EQ(status_of(old.read_head()), 200);
}

TEST_F(Relay, TunnelsAWebSocketOnlyAfter101) {
  start();
  Socket client = this->client();
  client.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  Socket upstream = origin_.accept();
  const std::string head = upstream.read_head();
  EXPECT_EQ(field_of(head, "Upgrade"), "websocket");
  EXPECT_TRUE(upstream.is_quiet());
  upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi");
  EXPECT_EQ(status_of(client.read_head()), 101);
  EXPECT_EQ(client.read_exactly(2), "hi");
  EXPECT_EQ(upstream.read_exactly(5), "early");
  for (int k = 0; k < 1000; ++k) {
    const std::string message = "message " + std::to_string(k);
    client.send(message);
    ASSERT_EQ(upstream.read_exactly(message.size()), message);
    upstream.send(message);
    ASSERT_EQ(client.read_exactly(message.size()), message);
  }
  client.shutdown_write();
  EXPECT_EQ(upstream.read_all(), "");
  upstream.send("bye");
  upstream.close();
  EXPECT_EQ(client.read_all(), "bye");
}

TEST_F(Relay, OtherUpgradesAreOrdinaryRequests) {
  start();
  Socket client = this->client();
  client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  Socket upstream = origin_.accept();
  const std::string head = upstream.read_head();
  EXPECT_EQ(field_of(head, "Upgrade"), "");
  EXPECT_EQ(field_of(head, "Connection"), "");
  upstream.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(status_of(client.read_head()), 502);
}

TEST_F(Relay, ACutBodyIsSeenAsCutWhateverItsFraming) {
  start();
  for (const bool old_client : {false, true}) {
    for (const std::string response : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
      Socket client = this->client();
      client.send(old_client ? "GET /x HTTP/1.0\r\n\r\n" : kGet);
      Socket upstream = origin_.accept();
      ASSERT_TRUE(upstream.valid());
      upstream.read_head();
      upstream.send(response);
      const std::string head = client.read_head();
      upstream.close();
      if (field_of(head, "Transfer-Encoding") == "chunked") {
        EXPECT_EQ(client.read_chunked(), "abc<cut>");
      } else {
        const std::string body = client.read_all();
        const bool shorter = field_of(head, "Content-Length") == "10" && body.size() < 10;
        EXPECT_TRUE(shorter || client.was_reset()) << body;
      }
    }
  }
}

TEST_F(Relay, StopsReadingTheUpstreamWhenTheClientDoesNotRead) {
  start();
  Socket client = this->client();
  client.send(kGet);
  Socket upstream = origin_.accept();
  upstream.read_head();
  constexpr std::uint64_t kSize = 256ULL << 20U;
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
  const std::string block(65536, 'x');
  std::uint64_t sent = 0;
  while (sent < kSize) {
    const std::size_t took = upstream.send_some(block);
    if (took == 0) break;
    sent += took;
  }
  EXPECT_LT(sent, 64ULL << 20U);  // what the kernels on the way hold, and 64 KiB of ours
  const std::string head = client.read_head();
  std::thread rest([&] {
    std::string_view piece = block;
    while (sent < kSize) {
      piece = std::string_view(block).substr(0, std::min<std::uint64_t>(block.size(), kSize - sent));
      upstream.send(piece);
      sent += piece.size();
    }
  });
  EXPECT_EQ(client.skip(kSize), kSize);
  rest.join();
}

std::uint64_t resident() {
  std::ifstream status("/proc/self/statm");
  std::uint64_t total = 0, pages = 0;
  status >> total >> pages;
  return pages * 4096;
}

TEST_F(Relay, AnUploadStreamsInFlatMemory) {
  start();
  Socket client = this->client();
  constexpr std::uint64_t kSize = 256ULL << 20U;
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
  Socket upstream = origin_.accept();
  upstream.read_head();
  std::thread sender([&] {
    const std::string block(1 << 20, 'u');
    for (std::uint64_t sent = 0; sent < kSize; sent += block.size())
      client.send(block);
  });
  EXPECT_EQ(upstream.skip(kSize / 4), kSize / 4);
  const std::uint64_t before = resident();
  EXPECT_EQ(upstream.skip(kSize - kSize / 4), kSize - kSize / 4);
  EXPECT_LT(resident(), before + (4U << 20U));
  sender.join();
  upstream.send(kOk);
  EXPECT_EQ(status_of(client.read_head()), 200);
}

}  // namespace
}  // namespace lingate::http::test
