#include "middleware/headers.h"

#include <array>
#include <set>
#include <string>

#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

struct Head {
  Arena arena;
  Headers headers{arena};

  Head(std::initializer_list<std::pair<std::string_view, std::string_view>> lines) {
    for (const auto& [name, value] : lines)
      Stage::receive(headers, name, value);
  }
  std::string text() const { return text_of(headers); }
};

TEST(FieldId, KnowsEveryNameWithoutCase) {
  EXPECT_EQ(field_id("Content-Length"), FieldId::content_length);
  EXPECT_EQ(field_id("CONTENT-LENGTH"), FieldId::content_length);
  EXPECT_EQ(field_id("te"), FieldId::te);
  EXPECT_EQ(field_id("TE"), FieldId::te);
  EXPECT_EQ(field_id("x-Forwarded-FOR"), FieldId::x_forwarded_for);
  EXPECT_EQ(field_id("eTag"), FieldId::etag);
}

TEST(FieldId, TakesNothingElseForOneOfThem) {
  for (const std::string_view name : {"", "x", "Content-Lengtj", "Content_Length", "ETa", "ETagg", "\xff\xfe"})
    EXPECT_EQ(field_id(name), FieldId::other) << name;
}

TEST(FieldKey, TellsNumberedNamesApartByTheirMarks) {
  std::set<std::uint16_t> marks;
  for (int k = 0; k < 10; ++k)
    marks.insert(field_key("X-Step-" + std::to_string(k)).mark);
  EXPECT_EQ(marks.size(), 10U);
}

TEST(Headers, SetReplacesTheFirstLineInPlaceAndDropsTheOthers) {
  Head head{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  head.headers.set("a", "new");
  EXPECT_EQ(head.text(), "a: new\nB: 2\nC: 4\n");
}

TEST(Headers, SetAppendsWhatIsMissing) {
  Head head{{"A", "1"}};
  head.headers.set("X-New", "v");
  EXPECT_EQ(head.text(), "A: 1\nX-New: v\n");
}

TEST(Headers, SetKeepsSeveralValuesTogether) {
  Head head{{"A", "1"}, {"B", "2"}, {"A", "3"}};
  head.headers.set("A", std::array<std::string_view, 3>{"x", "y", "z"});
  EXPECT_EQ(head.text(), "A: x\nA: y\nA: z\nB: 2\n");
}

TEST(Headers, SetWithoutValuesRemoves) {
  Head head{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  head.headers.set("A", std::span<const std::string_view>());
  EXPECT_EQ(head.text(), "B: 2\n");
}

TEST(Headers, RemovingWhatIsMissingChangesNothing) {
  Head head{{"A", "1"}};
  const auto version = head.headers.version();
  head.headers.remove("B");
  EXPECT_EQ(head.text(), "A: 1\n");
  EXPECT_EQ(head.headers.version(), version);
}

TEST(Headers, SetAfterRemoveAppends) {
  Head head{{"A", "1"}, {"B", "2"}};
  head.headers.remove("A");
  head.headers.set("A", "3");
  EXPECT_EQ(head.text(), "B: 2\nA: 3\n");
}

TEST(Headers, AddKeepsLinesThatAreThere) {
  Head head{{"A", "1"}};
  head.headers.add("A", "2");
  EXPECT_EQ(head.text(), "A: 1\nA: 2\n");
}

TEST(Headers, KnownFieldsAreFoundByIdAfterEdits) {
  Head head{{"ETag", "x"}};
  head.headers.set("Content-Type", "text/html");
  ASSERT_NE(head.headers.find(FieldId::content_type), nullptr);
  head.headers.remove(FieldId::etag);
  EXPECT_EQ(head.headers.find("etag"), nullptr);
  EXPECT_EQ(head.headers.size(), 1U);
}

TEST(Headers, UntouchedLinesKeepTheirBytes) {
  Head head{{"A", "1"}, {"B", "2"}};
  head.headers.set("B", "3");
  EXPECT_FALSE(head.headers.all()[0].line.empty());
  EXPECT_TRUE(head.headers.all()[1].line.empty());
}

TEST(Headers, AValueMayBeAViewOfTheLineThatItReplaces) {
  Head head{};
  head.headers.add("A", "first");
  head.headers.set("A", head.headers.value("A").substr(1));
  EXPECT_EQ(head.text(), "A: irst\n");
}

}  // namespace
}  // namespace lingate::middleware
