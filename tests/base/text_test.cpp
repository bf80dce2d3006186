#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/similar.h"
#include "base/utf8.h"

namespace lingate {
namespace {

TEST(Utf8, TakesEveryCharacterAndNothingElse) {
  for (std::uint32_t point = 0; point < 0x110000; point += point < 0x11000 ? 1 : 257) {
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xC0U | point >> 6U), static_cast<char>(0x80U | (point & 63U))};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xE0U | point >> 12U), static_cast<char>(0x80U | (point >> 6U & 63U)),
              static_cast<char>(0x80U | (point & 63U))};
    } else {
      text = {static_cast<char>(0xF0U | point >> 18U), static_cast<char>(0x80U | (point >> 12U & 63U)),
              static_cast<char>(0x80U | (point >> 6U & 63U)), static_cast<char>(0x80U | (point & 63U))};
    }
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    ASSERT_EQ(utf8::is_valid("ascii ..." + text + "x"), !surrogate) << point;
    for (std::size_t size = 1; size < text.size(); ++size)
      ASSERT_FALSE(utf8::is_valid(text.substr(0, size))) << point;
  }
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "12345678\xff", "\xc3\xc3"})
    EXPECT_FALSE(utf8::is_valid(bad));
}

TEST(Utf8, CutsBetweenCharacters) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  const std::array<std::size_t, 11> sizes{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t size = 0; size < sizes.size(); ++size)
    EXPECT_EQ(utf8::cut(text, size).size(), sizes[size]) << size;
  EXPECT_EQ(utf8::cut(text, 100), text);
  EXPECT_EQ(utf8::cut("\x80\x80\x80\x80\x80\x80", 4).size(), 4U);  // no character to keep whole
}

TEST(Closest, FindsWhatASlipOfTheHandMeant) {
  constexpr std::array<std::string_view, 5> kNames{"upstream", "upstreams", "timeout", "host", "headers"};
  EXPECT_EQ(closest("upstrem", kNames), "upstream");
  EXPECT_EQ(closest("upstraems", kNames), "upstreams");
  EXPECT_EQ(closest("hots", kNames), "host");
  EXPECT_EQ(closest("HOST", kNames), "host");
  EXPECT_EQ(closest("timeot", kNames), "timeout");
  EXPECT_EQ(closest("xyz", kNames), "");
  EXPECT_EQ(closest("", kNames), "");
  EXPECT_EQ(closest(std::string(1000, 'x'), kNames), "");
}

}  // namespace
}  // namespace lingate
