#include "middleware/headers.h"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
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

// A list of lines on which every edit looks at all of them.
class Model {
 public:
  void add(const std::string& name, const std::string& value) { lines_.push_back({name, value}); }
  void remove(const std::string& name) {
    std::erase_if(lines_, [&](const auto& line) { return fields::same_name(line.first, name); });
  }
  void set(const std::string& name, const std::vector<std::string>& values) {
    const auto first = std::find_if(lines_.begin(), lines_.end(),
                                    [&](const auto& line) { return fields::same_name(line.first, name); });
    const auto at = first - lines_.begin();
    remove(name);
    std::vector<std::pair<std::string, std::string>> now;
    for (const std::string& value : values)
      now.emplace_back(name, value);
    lines_.insert(lines_.begin() + at, now.begin(), now.end());
  }
  std::string text() const {
    std::string all;
    for (const auto& [name, value] : lines_)
      all += name + ": " + value + "\n";
    return all;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

// More names than the index has places, known ones among them, and more lines than it can point to.
TEST(Headers, EditsInAnyOrderDoWhatTheyDoToAList) {
  std::mt19937 dice(11);
  const auto roll = [&dice](unsigned sides) { return static_cast<unsigned>(dice() % sides); };
  const auto any_name = [&roll] {
    const std::array<std::string, 4> known{"Host", "ETag", "Via", "etag"};
    return roll(4) == 0 ? known[roll(4)] : (roll(2) == 0 ? "X-Name-" : "x-name-") + std::to_string(roll(100));
  };
  for (int round = 0; round < 40; ++round) {
    Arena arena;
    Headers headers(arena);
    Model model;
    for (unsigned k = roll(round < 30 ? 20 : 400); k > 0; --k) {
      const std::string name = any_name();
      headers.receive(make_field(arena.copy(name), "received"));
      model.add(name, "received");
    }
    for (int step = 0; step < 300; ++step) {
      const std::string name = any_name();
      const std::string value = std::to_string(step);
      switch (roll(6)) {
        case 0: headers.add(name, value), model.add(name, value); break;
        case 1: headers.remove(name), model.remove(name); break;
        case 2:
          headers.set(name, std::array<std::string_view, 3>{value, "b", "c"});
          model.set(name, {value, "b", "c"});
          break;
        default: headers.set(name, value), model.set(name, {value}); break;
      }
    }
    ASSERT_EQ(text_of(headers), model.text()) << round;
  }
}

}  // namespace
}  // namespace lingate::middleware
