#include "gateway/http2/request_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lingate::http2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const Fields kPlain{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.test"}, {":path", "/x?y=1"}};

// The text; empty: malformed.
std::string text_of(const Fields& fields, std::size_t limit = 32 * 1024) {
  RequestText text;
  text.begin(limit);
  for (const auto& [name, value] : fields)
    if (!text.add(name, value)) return {};
  return text.take();
}

Fields with(Fields fields, std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}

TEST(RequestText, IsTheHeadOfHttp1) {
  EXPECT_EQ(text_of(with(kPlain, "x-a", "1")), "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\nx-a: 1\r\n\r\n");
}

TEST(RequestText, JoinsCrumbsOfCookies) {
  EXPECT_EQ(text_of(with(with(with(kPlain, "cookie", "a=1"), "x-a", "1"), "cookie", "b=2")),
            "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\nx-a: 1\r\ncookie: a=1; b=2\r\n\r\n");
}

TEST(RequestText, LetsNothingThroughThatEndsALineOrAWord) {
  for (const std::string& bad : std::vector<std::string>{"\r", "\n", std::string(1, '\0'), "a\r\nb"}) {
    EXPECT_EQ(text_of(with(kPlain, "x-a", "1" + bad)), "");
    EXPECT_EQ(text_of(with(kPlain, "x" + bad, "1")), "");
    for (std::size_t k = 0; k < kPlain.size(); ++k) {
      Fields fields = kPlain;
      fields[k].second += bad;
      EXPECT_EQ(text_of(fields), "") << k;
    }
  }
  for (std::size_t k = 0; k < kPlain.size(); ++k) {
    Fields fields = kPlain;
    fields[k].second += " b";
    EXPECT_EQ(text_of(fields), "") << k;
  }
}

TEST(RequestText, RefusesWhatBelongsToAConnection) {
  for (const char* name : {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
    EXPECT_EQ(text_of(with(kPlain, name, "x")), "") << name;
  EXPECT_EQ(text_of(with(kPlain, "te", "gzip")), "");
  EXPECT_NE(text_of(with(kPlain, "te", "trailers")), "");
}

TEST(RequestText, HoldsPseudoFieldsToTheirRules) {
  for (std::size_t k = 0; k < kPlain.size(); ++k) {
    EXPECT_EQ(text_of(with(kPlain, kPlain[k].first, kPlain[k].second)), "") << "twice: " << k;
    Fields late = kPlain;
    std::swap(late[k], late.emplace_back("x-a", "1"));
    EXPECT_EQ(text_of(late), "") << "behind a field: " << k;
    Fields without = kPlain;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(k));
    EXPECT_EQ(text_of(without).empty(), k != 2) << "missing: " << k;  // Host is for others to miss
  }
  EXPECT_EQ(text_of(with(kPlain, ":protocol", "websocket")), "");
}

TEST(RequestText, TakesNoAbsoluteForm) {
  for (const char* path : {"http://b/", "x", "//"}) {
    Fields fields = kPlain;
    fields[3].second = path;
    EXPECT_EQ(text_of(fields).empty(), path[0] != '/') << path;
  }
}

TEST(RequestText, KeepsASecondHostForTheScanToRefuse) {
  const std::string same = text_of(with(with(kPlain, "x-a", "1"), "host", "a.test"));
  EXPECT_EQ(same, "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\nx-a: 1\r\n\r\n");
  const std::string other = text_of(with(kPlain, "host", "b.test"));
  EXPECT_EQ(other, "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\nhost: b.test\r\n\r\n");
}

TEST(RequestText, KeepsNoMoreThanTheLimit) {
  RequestText text;
  text.begin(1000);
  for (const auto& [name, value] : kPlain)
    ASSERT_TRUE(text.add(name, value));
  for (int k = 0; k < 1000; ++k)
    ASSERT_TRUE(text.add("x-a", std::string(100, 'a')));
  EXPECT_TRUE(text.too_large());
  EXPECT_EQ(text.take(), "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\n\r\n");
}

TEST(RequestText, CountsEachFieldAsHpackDoes) {
  RequestText text;
  text.begin(1000);
  ASSERT_TRUE(text.add("x-a", "1"));
  EXPECT_EQ(text.size(), 3U + 1U + 32U);
}

}  // namespace
}  // namespace lingate::http2
