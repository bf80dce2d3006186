#include "base/path.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lingate {
namespace {

std::string normal(std::string_view raw) {
  std::string scratch(raw.size(), '\0');
  const auto path = normalise_path(raw, scratch);
  return path ? std::string(*path) : "refused: " + std::string(describe(path.error()));
}

TEST(NormalisePath, ReturnsANormalPathAsItCame) {
  const std::string_view raw = "/users/a-b_c~1.json;v=2/%2F%5c/%C3%A9/";
  EXPECT_EQ(normalise_path(raw, {})->data(), raw.data());
}

TEST(NormalisePath, DecodesUnreservedCharactersOnce) {
  EXPECT_EQ(normal("/%61%5A%30%2d%5F%7e"), "/aZ0-_~");
  EXPECT_EQ(normal("/%2561dmin"), "/%2561dmin");
}

TEST(NormalisePath, LeavesEncodedSeparatorsAlone) {
  EXPECT_EQ(normal("/a%2Fb"), "/a%2Fb");
  EXPECT_EQ(normal("/a%2f..%2Fb"), "/a%2f..%2Fb");
  EXPECT_EQ(normal("/a%5C..%5cb"), "/a%5C..%5cb");
  EXPECT_EQ(normal("/x/..;/admin"), "/x/..;/admin");
}

TEST(NormalisePath, RemovesDotSegments) {
  EXPECT_EQ(normal("/a/./b"), "/a/b");
  EXPECT_EQ(normal("/a/../b"), "/b");
  EXPECT_EQ(normal("/a/b/.."), "/a/");
  EXPECT_EQ(normal("/a/b/."), "/a/b/");
  EXPECT_EQ(normal("/x/%2e%2E/admin"), "/admin");
  EXPECT_EQ(normal("/..."), "/...");
  EXPECT_EQ(normal("/a/.b/..c"), "/a/.b/..c");
}

TEST(NormalisePath, NeverClimbsAboveTheRoot) {
  EXPECT_EQ(normal("/../admin"), "/admin");
  EXPECT_EQ(normal("/.."), "/");
  EXPECT_EQ(normal("/a/../../../b"), "/b");
}

TEST(NormalisePath, MergesRepeatedSlashes) {
  EXPECT_EQ(normal("//admin"), "/admin");
  EXPECT_EQ(normal("/a///b//"), "/a/b/");
  EXPECT_EQ(normal("/a//../b"), "/b");
}

TEST(NormalisePath, RefusesABrokenTriplet) {
  EXPECT_THAT(normal("/a%"), testing::HasSubstr("hexadecimal"));
  EXPECT_THAT(normal("/a%2"), testing::HasSubstr("hexadecimal"));
  EXPECT_THAT(normal("/a%2g"), testing::HasSubstr("hexadecimal"));
  EXPECT_THAT(normal("/%+1"), testing::HasSubstr("hexadecimal"));
}

TEST(NormalisePath, RefusesAnEncodedNul) {
  EXPECT_THAT(normal("/a%00.html"), testing::HasSubstr("NUL"));
}

TEST(NormalisePath, RefusesWhatIsNotAbsolute) {
  EXPECT_THAT(normal(""), testing::HasSubstr("begin with"));
  EXPECT_THAT(normal("a"), testing::HasSubstr("begin with"));
  EXPECT_THAT(normal("*"), testing::HasSubstr("begin with"));
}

// What decoding, then splitting, then resolving dots with a stack of strings gives.
std::string reference(std::string_view raw) {
  std::string decoded;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::string hex(raw.substr(i, 3));
    const int byte = raw[i] == '%' ? std::stoi(hex.substr(1), nullptr, 16) : 0;
    if (byte != 0 && (isalnum(byte) || strchr("-._~", byte))) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += raw[i];
    }
  }
  std::vector<std::string> stack;
  std::string last;
  for (std::size_t at = 1; at <= decoded.size();) {
    const std::size_t end = std::min(decoded.find('/', at), decoded.size());
    last = decoded.substr(at, end - at);
    if (last == ".." && !stack.empty()) stack.pop_back();
    if (last != ".." && last != "." && !last.empty()) stack.push_back(last);
    at = end + 1;
  }
  std::string result;
  for (const std::string& each : stack)
    result += "/" + each;
  return last.empty() || last == "." || last == ".." ? result + "/" : result;
}

TEST(NormalisePath, AgreesWithAReferenceAndIsIdempotentOnRandomPaths) {
  std::mt19937 random(1);  // NOLINT: the same paths in every run
  const std::vector<std::string> pieces = {"/", "/", "a", ".", "..", "%2e", "%61", "%2F", "%C3", ";", "b1", "%25"};
  for (int round = 0; round < 20'000; ++round) {
    std::string raw = "/";
    for (std::size_t left = random() % 12; left > 0; --left)
      raw += pieces[random() % pieces.size()];
    const std::string once = normal(raw);
    ASSERT_EQ(once, reference(raw)) << raw;
    ASSERT_EQ(normal(once), once) << raw;
  }
}

TEST(PercentDecode, DecodesEveryTripletOnce) {
  std::string scratch(64, '\0');
  EXPECT_EQ(percent_decode("a%2Fb%2561%C3%A9", scratch), "a/b%61\xC3\xA9");
  const std::string_view plain = "plain+text";
  EXPECT_EQ(percent_decode(plain, scratch).data(), plain.data());
}

}  // namespace
}  // namespace lingate
