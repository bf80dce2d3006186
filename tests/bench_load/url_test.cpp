#include "gateway/bench/load/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lingate::bench {
namespace {

using testing::HasSubstr;

TEST(Url, IsTakenApart) {
  const auto url = url_from("http://example.test:8080/users/7?verbose=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "example.test");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->authority, "example.test:8080");
  EXPECT_EQ(url->target, "/users/7?verbose=1");
}

TEST(Url, HasPort80AndASlashIfNothingElseIsSaid) {
  const auto url = url_from("HTTP://example.test");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url_from("http://example.test?a=b")->target, "/?a=b");
}

TEST(Url, TakesIpv6InBrackets) {
  const auto url = url_from("http://[::1]:9001/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 9001);
  EXPECT_EQ(url->authority, "[::1]:9001");
  EXPECT_EQ(url_from("http://[2001:db8::7]/")->port, 80);
}

TEST(Url, RefusesHttpsAndSaysSo) {
  const auto url = url_from("https://example.test/");
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error().message, HasSubstr("https is not measured"));
}

TEST(Url, RefusesWhatCannotBeSent) {
  for (const char* text : {"",
                           "example.test",
                           "ftp://x/",
                           "http://",
                           "http:///x",
                           "http://:80/",
                           "http://x:/",
                           "http://x:0/",
                           "http://x:65536/",
                           "http://x:80a/",
                           "http://[::1/",
                           "http://[::g]/",
                           "http://[::1]80/",
                           "http://::1/",
                           "http://a b/",
                           "http://x/a b",
                           "http://x/\r\nA: b",
                           "http://x/#top",
                           "http://ada@x/",
                           "http://x/\xc3\xa9"})
    EXPECT_FALSE(url_from(text)) << text;
}

TEST(Url, ErrorsSayHowToWriteOne) {
  EXPECT_THAT(url_from("localhost:8080").error().message, HasSubstr("'localhost:8080': it does not begin with http://; "
                                                                    "write http://host[:port]/path?query"));
}

}  // namespace
}  // namespace lingate::bench
