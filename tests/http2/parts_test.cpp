#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "gateway/http2/allowance.h"
#include "gateway/http2/frame_tracker.h"
#include "gateway/http2/response_fields.h"
#include "gateway/http2/server.h"

namespace lingate::http2 {
namespace {

std::string frame(std::uint8_t type, std::uint8_t flags, std::size_t size) {
  std::string text{'\0', static_cast<char>(size >> 8U), static_cast<char>(size), static_cast<char>(type),
                   static_cast<char>(flags)};
  return text + std::string(4, '\0') + std::string(size, 'x');
}

struct NobodysStream final : StreamUser {
  void content(std::string_view) noexcept override {}
  void content_over() noexcept override {}
  Portion take_content(char*, std::size_t) noexcept override { return {.size = 0, .end = true}; }
  void response_sent() noexcept override {}
  void closed() noexcept override { ++ends; }
  int ends = 0;
};

struct OneStream final : ServerUser {
  StreamUser* request(std::int32_t, const RequestText&, std::string) noexcept override { return &stream; }
  void malformed() noexcept override {}
  void ping_answered() noexcept override {}
  NobodysStream stream;
};

// The preface, SETTINGS, and as stream 1 a GET of / with an authority.
const std::string kBeginning = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9) +
                               std::string("\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\1x", 15);

TEST(ServerConversation, ResetsAStreamWhoseHeadCannotBeSent) {
  OneStream user;
  ServerConversation conversation(user, {});
  ASSERT_TRUE(conversation.feed(kBeginning, ServerConversation::Clock::now()));
  const std::string value(4 << 20, 'v');
  ResponseFields response;
  response.status = 200;
  response.fields = {{"x-large", value}};
  ASSERT_TRUE(conversation.respond(1, response, ServerConversation::Content::follows));
  std::string sent;
  for (std::string_view frame = conversation.output(); !frame.empty(); frame = conversation.output())
    sent += frame;
  EXPECT_TRUE(sent.ends_with(std::string("\0\0\4\3\0\0\0\0\1\0\0\0\2", 13)));  // RST_STREAM, INTERNAL_ERROR
  EXPECT_EQ(user.stream.ends, 1);
}

TEST(ServerConversation, SaysNothingMoreOfAStreamThatTheClientHasReset) {
  OneStream user;
  ServerConversation conversation(user, {});
  ASSERT_TRUE(conversation.feed(kBeginning, ServerConversation::Clock::now()));
  while (!conversation.output().empty()) {
  }
  ResponseFields response;
  response.status = 200;
  ASSERT_TRUE(conversation.respond(1, response, ServerConversation::Content::none));
  const std::string reset("\0\0\4\3\0\0\0\0\1\0\0\0\x8", 13);
  ASSERT_TRUE(conversation.feed(reset, ServerConversation::Clock::now()));
  EXPECT_EQ(conversation.output(), "");
}

TEST(Allowance, FillsAgainWithTime) {
  Allowance allowance(2, 10);
  const Allowance::Clock::time_point start = Allowance::Clock::now();
  EXPECT_TRUE(allowance.spend(start));
  EXPECT_TRUE(allowance.spend(start));
  EXPECT_FALSE(allowance.spend(start));
  EXPECT_TRUE(allowance.spend(start + std::chrono::milliseconds(110)));
  EXPECT_FALSE(allowance.spend(start + std::chrono::milliseconds(110)));
  allowance.earn(100);
  EXPECT_TRUE(allowance.spend(start + std::chrono::milliseconds(110)));
  EXPECT_TRUE(allowance.spend(start + std::chrono::milliseconds(110)));
  EXPECT_FALSE(allowance.spend(start + std::chrono::milliseconds(110)));
}

// However the bytes are cut.
TEST(FrameTracker, KnowsAHeadThatHasNotEnded) {
  const std::string preface(24, 'P');
  const std::string text = preface + frame(4, 0, 6) + frame(1, 4, 300) + frame(0, 1, 0) + frame(1, 0, 0) +
                           frame(9, 0, 5) + frame(9, 4, 0) + frame(6, 0, 8) + frame(1, 5, 0);
  const std::size_t first = 24 + 15 + 9;              // the header of the first HEADERS
  const std::size_t second = first + 300 + 9 + 9;     // that of the second, which goes on in CONTINUATIONs
  const std::size_t second_end = second + 9 + 5 + 9;  // the last one's header: it is empty
  for (const std::size_t step : {1U, 2U, 7U, 100U, 10'000U}) {
    FrameTracker tracker(preface.size());
    for (std::size_t at = 0; at < text.size(); at += step) {
      tracker.pass(std::string_view(text).substr(at, step));
      const std::size_t passed = std::min(text.size(), at + step);
      const bool expected = (passed >= first && passed < first + 300) || (passed >= second && passed < second_end);
      EXPECT_EQ(tracker.in_head(), expected) << passed;
    }
    EXPECT_EQ(tracker.heads(), 3U);
  }
}

TEST(ResponseFields, AreWhatHttp2HasOfAHead) {
  std::string text =
      "HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n";
  ResponseFields response;
  ASSERT_TRUE(read_response(text, response));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.length, 5U);
  ASSERT_EQ(response.fields.size(), 2U);
  EXPECT_EQ(response.fields[0].name, "x-a");
  EXPECT_EQ(response.fields[1].name, "content-length");
}

TEST(ResponseFields, AreNoneOfATextThatIsNoHead) {
  for (std::string text : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nmore"}) {
    ResponseFields response;
    EXPECT_FALSE(read_response(text, response)) << text;
  }
}

TEST(ResponseFields, ReadTrailers) {
  std::string text = "Grpc-Status: 0\r\ngrpc-message: \r\n\r\n";
  ResponseFields trailers;
  ASSERT_TRUE(read_fields(text, 0, trailers));
  ASSERT_EQ(trailers.fields.size(), 2U);
  EXPECT_EQ(trailers.fields[0].name, "grpc-status");
}

}  // namespace
}  // namespace lingate::http2
