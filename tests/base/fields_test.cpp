#include "base/fields.h"

#include <gtest/gtest.h>

#include <string>

namespace lingate::fields {
namespace {

TEST(Fields, KnowTokens) {
  EXPECT_TRUE(is_token("X-Api_Key.1"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~"));
  for (int c = 0; c < 256; ++c) {
    const auto byte = static_cast<char>(c);
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool mark = c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(byte) != std::string_view::npos;
    EXPECT_EQ(is_token_char(byte), letter || mark) << c;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
}

// Every byte, at every place of names of every size up to three registers.
TEST(Fields, KnowTokensByEachOfTheirBytes) {
  for (std::size_t size = 1; size <= 48; ++size)
    for (std::size_t place = 0; place < size; ++place)
      for (int c = 0; c < 256; ++c) {
        std::string name(size, 'x');
        name[place] = static_cast<char>(c);
        ASSERT_EQ(is_token(name), is_token_char(name[place])) << c << " at " << place << " of " << size;
      }
}

TEST(Fields, FindWhatMayNotStandInAValueWhereverItIs) {
  for (const char bad : {'\r', '\n', '\0', '\x01', '\b', '\v', '\x1f', '\x7f'}) {
    for (std::size_t size = 1; size < 40; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string value(size, '\x80');
        value[at] = bad;
        ASSERT_EQ(find_forbidden(value), at);
      }
    }
  }
  for (int c = 0; c < 256; ++c) {
    const bool may = c == '\t' || (c >= 0x20 && c != 0x7f);
    EXPECT_EQ(is_value_char(static_cast<char>(c)), may) << c;
    for (const std::size_t size : {1U, 3U, 7U, 16U, 17U, 33U})
      EXPECT_EQ(is_value(std::string(size, static_cast<char>(c))), may) << c;
  }
  EXPECT_TRUE(is_value(""));
}

// Every pair of bytes, at every place of names of every size up to three words.
TEST(Fields, CompareEachByteOfANameWithoutCase) {
  for (std::size_t size = 1; size <= 20; ++size)
    for (std::size_t place = 0; place < size; ++place)
      for (int a = 0; a < 256; ++a)
        for (const int b : {a, a ^ 0x20, a ^ 0x80, (a + 1) & 0xff}) {
          std::string one(size, 'x');
          std::string other(size, 'X');
          one[place] = static_cast<char>(a);
          other[place] = static_cast<char>(b);
          ASSERT_EQ(same_name(one, other), lower(one[place]) == lower(other[place]))
              << a << " beside " << b << " at " << place << " of " << size;
        }
}

TEST(Fields, CompareNamesWithoutCase) {
  EXPECT_TRUE(same_name("Content-Type", "cONTENT-tYPE"));
  EXPECT_FALSE(same_name("Content-Type", "Content-Typ"));
  EXPECT_FALSE(same_name("a", "b"));
  EXPECT_FALSE(same_name("[", "{"));  // differ in the bit that makes letters' case
  EXPECT_FALSE(same_name("@", "`"));
  EXPECT_TRUE(same_name("", ""));
}

TEST(Fields, KnowWhatBelongsToTheConnection) {
  for (const char* name : {"Connection", "KEEP-ALIVE", "proxy-connection", "te", "Trailer", "transfer-encoding",
                           "Upgrade", "content-LENGTH"})
    EXPECT_TRUE(is_connection_field(name)) << name;
  for (const char* name : {"", "Host", "Trailers", "Content-Type", "Proxy-Connections", "X", "ts"})
    EXPECT_FALSE(is_connection_field(name)) << name;
}

}  // namespace
}  // namespace lingate::fields
