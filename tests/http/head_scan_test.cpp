#include "gateway/http/head_scan.h"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.h"
#include "base/codes.h"

namespace lingate::http {
namespace {

class RequestScan : public testing::Test {
 protected:
  Scan scan(std::string_view text) {
    text_ = text;
    return scan_request(text_, limits_, head_, headers_, refusal_);
  }
  // The same bytes, one more each time: no prefix may be taken for a whole head, and none refused that is not.
  Scan scan_growing(std::string_view text) {
    for (std::size_t size = 0; size < text.size(); ++size)
      if (const Scan outcome = scan(text.substr(0, size)); outcome != Scan::more) return outcome;
    return scan(text);
  }

  Arena arena_;
  middleware::Headers headers_{arena_};
  Limits limits_;
  RequestHead head_;
  Refusal refusal_;
  std::string text_;
};

TEST_F(RequestScan, ReadsAnOrdinaryHeadByteByByte) {
  ASSERT_EQ(scan_growing("GET /a/b?c=d HTTP/1.1\r\nHost: gw.test:80\r\nX-A:  b c\t\r\n\r\n"), Scan::done);
  EXPECT_EQ(head_.method, "GET");
  EXPECT_EQ(head_.path, "/a/b");
  EXPECT_EQ(head_.query, "c=d");
  EXPECT_EQ(head_.authority, "gw.test:80");
  EXPECT_EQ(headers_.value("x-a"), "b c");
  EXPECT_EQ(head_.size, text_.size());
  EXPECT_EQ(head_.framing.kind, Framing::Kind::none);
}

TEST_F(RequestScan, LeavesWhatFollowsTheHead) {
  ASSERT_EQ(scan("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET"), Scan::done);
  EXPECT_EQ(text_.substr(head_.size), "helloGET");
  EXPECT_EQ(head_.framing.length, 5U);
}

TEST_F(RequestScan, TheAbsoluteFormNamesTheHost) {
  ASSERT_EQ(scan("GET http://other.test?x HTTP/1.1\r\nHost: gw.test\r\n\r\n"), Scan::done);
  EXPECT_EQ(head_.authority, "other.test");
  EXPECT_EQ(head_.path, "/");
  EXPECT_EQ(head_.query, "x");
}

TEST_F(RequestScan, DropsNamesWithAnUnderscore) {
  ASSERT_EQ(scan("GET / HTTP/1.1\r\nHost: a\r\nX_Key: 1\r\nX-Key: 2\r\n\r\n"), Scan::done);
  EXPECT_EQ(headers_.size(), 2U);
}

struct Bad {
  const char* name;
  std::string text;
  int code;
};

void PrintTo(const Bad& each, std::ostream* out) {
  *out << each.name;
}

class BadRequest : public RequestScan, public testing::WithParamInterface<Bad> {};

TEST_P(BadRequest, IsRefusedWithItsCode) {
  EXPECT_EQ(scan(GetParam().text), Scan::refused);
  EXPECT_EQ(refusal_.code, GetParam().code);
}

std::string with(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: gw.test\r\n" + fields + "\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, BadRequest,
    testing::Values(
        Bad{"bare_lf", with("A: b\nC: d"), code::kBadRequest}, Bad{"bare_cr", with("A: b\rC: d"), code::kBadRequest},
        Bad{"fold", with("A: b\r\n c"), code::kBadRequest},
        Bad{"nul", with(std::string("A: b\0c", 6)), code::kBadRequest}, Bad{"del", with("A: b\x7f"), code::kBadRequest},
        Bad{"space_before_colon", with("A : b"), code::kBadRequest}, Bad{"empty_name", with(": b"), code::kBadRequest},
        Bad{"no_colon", with("Abc"), code::kBadRequest},
        Bad{"two_lengths", with("Content-Length: 5\r\nContent-Length: 5"), code::kBadFraming},
        Bad{"signed_length", with("Content-Length: +5"), code::kBadFraming},
        Bad{"overflow", with("Content-Length: 9223372036854775808"), code::kBadFraming},
        Bad{"length_and_coding", with("Content-Length: 5\r\nTransfer-Encoding: chunked"), code::kBadFraming},
        Bad{"chunked_twice", with("Transfer-Encoding: chunked, chunked"), code::kBadFraming},
        Bad{"quoted_coding", with("Transfer-Encoding: \"chunked\""), code::kBadFraming},
        Bad{"unknown_coding", with("Transfer-Encoding: gzip"), code::kUnknownTransferCoding},
        Bad{"old_chunked", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", code::kBadFraming},
        Bad{"no_host", "GET / HTTP/1.1\r\n\r\n", code::kBadHost},
        Bad{"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", code::kBadHost},
        Bad{"userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", code::kBadHost},
        Bad{"port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", code::kBadHost},
        Bad{"major", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", code::kVersionNotSupported},
        Bad{"connect", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", code::kMethodNotImplemented},
        Bad{"star", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", code::kBadRequest},
        Bad{"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", code::kBadRequest},
        Bad{"long_target", "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n", code::kTargetTooLong},
        Bad{"long_field", with("A: " + std::string(17000, 'b')), code::kHeadTooLarge}),
    [](const auto& each) { return each.param.name; });

TEST_F(RequestScan, CountsFieldsAndBytes) {
  std::string many;
  for (int k = 0; k < 99; ++k)
    many += "A: b\r\n";
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nHost: a\r\n" + many + "\r\n"), Scan::done);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nHost: a\r\n" + many + "A: b\r\n\r\n"), Scan::refused);
  EXPECT_EQ(refusal_.code, code::kHeadTooLarge);
  std::string large;
  for (int k = 0; k < 3; ++k)
    large += "A: " + std::string(12000, 'x') + "\r\n";
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nHost: a\r\n" + large), Scan::refused);
}

class ResponseScan : public RequestScan {
 protected:
  Scan response(std::string_view text, ForMethod method = ForMethod::other) {
    text_ = text;
    return scan_response(text_, limits_, method, answer_, headers_, refusal_);
  }
  ResponseHead answer_;
};

TEST_F(ResponseScan, FramesByMethodStatusAndFields) {
  ASSERT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"), Scan::done);
  EXPECT_EQ(answer_.framing.length, 7U);
  ASSERT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", ForMethod::head), Scan::done);
  EXPECT_EQ(answer_.framing.kind, Framing::Kind::none);
  ASSERT_EQ(response("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), Scan::done);
  EXPECT_EQ(answer_.framing.kind, Framing::Kind::none);
  ASSERT_EQ(response("HTTP/1.0 200\r\n\r\n"), Scan::done);
  EXPECT_EQ(answer_.framing.kind, Framing::Kind::until_close);
  ASSERT_EQ(response("HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n"), Scan::done);
  EXPECT_EQ(answer_.framing.kind, Framing::Kind::chunked);
}

TEST_F(ResponseScan, RefusesWhatCouldBeReadTwoWays) {
  for (const char* bad :
       {"HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nA b\r\n\r\n"}) {
    EXPECT_EQ(response(bad), Scan::refused) << bad;
    EXPECT_EQ(refusal_.code, code::kBadResponse) << bad;
  }
}

}  // namespace
}  // namespace lingate::http
