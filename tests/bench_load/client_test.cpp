// What servers do to a connection, and what the generator makes of it.
#include "gateway/bench/load/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/bench/load/loop.h"
#include "tests/bench_load/server.h"

namespace lingate::bench {
namespace {

using std::chrono::milliseconds;

LoopResult loop_over(Server& server, const std::string& method = "GET", milliseconds timeout = milliseconds(5000)) {
  LoadOptions options;
  options.url = server.url();
  options.method = method;
  options.timeout = timeout;
  const auto target = find_target(options);
  EXPECT_TRUE(target) << target.error().message;
  const LoopPlan plan{
      .target = target.value_or(Target{}), .connections = 2, .warmup = milliseconds(0), .duration = milliseconds(60)};
  return run_closed(plan, [](double) {});
}

LoopResult loop_with(const Reply& reply, const std::string& method = "GET", milliseconds timeout = milliseconds(5000)) {
  Server server([&](unsigned) { return reply; });
  return loop_over(server, method, timeout);
}

void expect_answers(const LoopResult& result) {
  EXPECT_EQ(result.tally.errors(), 0U) << result.tally.error().message;
  EXPECT_GT(result.tally.calls(), 2U);
}

void expect_faults(const LoopResult& result, FaultKind kind, const std::string& text) {
  EXPECT_GT(result.tally.errors(kind), 0U);
  EXPECT_EQ(result.tally.errors(kind), result.tally.errors());
  EXPECT_EQ(result.tally.first_fault().text, text);
}

TEST(Client, TakesAnswersWithALength) {
  expect_answers(loop_with(length_reply(std::string(100000, 'x'))));
}

TEST(Client, TakesChunkedAnswers) {
  expect_answers(loop_with(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nyou\r\n0\r\nT: x\r\n\r\n"}));
}

TEST(Client, TakesAnswersWithoutABody) {
  expect_answers(loop_with({"HTTP/1.1 204 No Content\r\n\r\n"}));
  expect_answers(loop_with({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}, "HEAD"));
}

TEST(Client, WaitsForTheFinalAnswerAfterAnInterimOne) {
  expect_answers(loop_with({"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + length_reply().bytes}));
}

TEST(Client, ConnectsAnewWhereTheServerClosesAfterEachAnswer) {
  Server server([](unsigned) {
    return Reply{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", true};
  });
  const LoopResult result = loop_over(server);
  expect_answers(result);
  EXPECT_EQ(result.reconnects, 0U);
  EXPECT_GE(server.connections(), result.tally.calls());
}

TEST(Client, TakesAnswersThatEndWithTheConnection) {
  expect_answers(loop_with({"HTTP/1.0 200 OK\r\n\r\nuntil the end", true}));
}

TEST(Client, SendsAgainWhatMetAConnectionThatWasClosedUnannounced) {
  Server server([](unsigned) {
    Reply reply = length_reply();
    reply.close = true;
    return reply;
  });
  const LoopResult result = loop_over(server);
  expect_answers(result);
  EXPECT_GT(result.reconnects, 0U);
}

TEST(Client, SendsABodyThatDoesNotFitIntoTheSocket) {
  Server server([](unsigned) { return length_reply(); });
  const std::string body(8 << 20, 'b');
  LoadOptions options;
  options.url = server.url("/in?a=b");
  options.method = "POST";
  options.headers = {{"X-Key", "7"}};
  options.body = body;
  const auto target = find_target(options);
  ASSERT_TRUE(target);
  const LoopPlan plan{.target = *target, .connections = 1, .warmup = milliseconds(0), .duration = milliseconds(20)};
  const LoopResult result = run_closed(plan, [](double) {});
  EXPECT_EQ(result.tally.errors(), 0U);
  EXPECT_EQ(server.last_request(), "POST /in?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                       "\r\nUser-Agent: lingate-bench\r\nX-Key: 7\r\nContent-Length: 8388608\r\n\r\n" +
                                       body);
}

TEST(Client, TellsAStatusOf400OrMore) {
  expect_faults(loop_with({"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"}), FaultKind::status,
                "503 Service Unavailable");
}

TEST(Client, TellsAMalformedAnswer) {
  expect_faults(loop_with({"HTTQ/1.1 200 OK\r\n\r\n"}), FaultKind::malformed, "bad version");
  expect_faults(loop_with({length_reply().bytes + "more"}), FaultKind::malformed,
                "4 bytes after the end of the answer");
}

TEST(Client, TellsAnAnswerThatIsCut) {
  expect_faults(loop_with({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true}), FaultKind::reset,
                "closed within the answer");
}

TEST(Client, TellsAConnectionThatEndsWithoutAnAnswer) {
  expect_faults(loop_with({"", true}), FaultKind::reset, "closed before an answer");
}

TEST(Client, TellsATimeOut) {
  constexpr milliseconds kShort{300};
  expect_faults(loop_with({.bytes = "", .silent = true}, "GET", kShort), FaultKind::timeout, "no answer within 300 ms");
  expect_faults(loop_with({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"}, "GET", kShort), FaultKind::timeout,
                "no end of the answer within 300 ms");
}

}  // namespace
}  // namespace lingate::bench
