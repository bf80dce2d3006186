// What a store keeps as lines, and back: bytes survive, and nothing is put in from lines of which one is wrong.
#include "gateway/cli/store_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "store/store.h"

namespace lingate::cli {
namespace {

using store::Space;
using testing::HasSubstr;

constexpr std::string_view kHeader = "{\"lingate\":\"store\",\"version\":1}\n";

std::string bytes() {
  std::string all;
  for (int k = 0; k < 256; ++k)
    all += static_cast<char>(k);
  return all;
}

std::string complaint(const std::string& text) {
  std::istringstream in(text);
  const auto lines = read_store_lines(in);
  return lines ? "" : lines.error();
}
std::string complaint_about(const std::string& line) {
  return complaint(std::string(kHeader) + line + "\n");
}

TEST(StoreLines, CarryEverythingFromOneStoreToAnother) {
  const auto one = store::make_memory_store(), two = store::make_memory_store();
  const store::Time later(std::chrono::milliseconds(4'000'000'000'123));
  std::vector<store::Change> changes{store::put(Space::kv, bytes(), {bytes()}),
                                     store::put(Space::keys, "k", {"", later})};
  for (int k = 0; k < 700; ++k)
    changes.push_back(
        store::put(Space::sessions, "s" + std::to_string(k), {std::string(static_cast<std::size_t>(k), 'x')}));
  ASSERT_EQ(one->apply_and_wait(std::move(changes)), store::Applied::done);
  std::stringstream text;
  EXPECT_EQ(export_store(*one, text).value(), 702U);
  auto lines = read_store_lines(text);
  ASSERT_TRUE(lines) << lines.error();
  EXPECT_EQ(import_store(*two, std::move(*lines)).value(), 702U);
  EXPECT_EQ(two->read(Space::kv, bytes()).value()->value, bytes());
  EXPECT_EQ(two->read(Space::keys, "k").value()->expires, later);
  EXPECT_EQ(two->read(Space::sessions, "s699").value()->value.size(), 699U);
  EXPECT_EQ(two->scan(Space::sessions, "", "", 1000)->size(), 700U);
}

TEST(StoreLines, LeaveOutWhatHasExpired) {
  std::istringstream in(std::string(kHeader) + R"({"space":"kv","key":"YQ==","value":"","expires":1000})");
  auto lines = read_store_lines(in);
  ASSERT_TRUE(lines);
  const auto store = store::make_memory_store();
  EXPECT_EQ(import_store(*store, std::move(*lines)).value(), 0U);
}

TEST(StoreLines, SayWhichLineIsWrong) {
  EXPECT_THAT(complaint(""), HasSubstr("line 1: there is nothing"));
  EXPECT_THAT(complaint("{\"space\":\"kv\"}\n"), HasSubstr("line 1: this is no export of a store"));
  EXPECT_THAT(complaint("{\"lingate\":\"store\",\"version\":2}\n"), HasSubstr("line 1: this is no export"));
  EXPECT_EQ(complaint_about(R"({"space":"kv","key":"YQ==","value":"YQ=="})"), "");
  EXPECT_EQ(complaint_about(R"({"space":"kv","key":"YQ==","value":"YQ=="})"
                            "\nnonsense"),
            "line 3: this is no JSON object");
  EXPECT_THAT(complaint_about(R"({"space":"other","key":"YQ==","value":""})"), HasSubstr("line 2: 'space' is one of"));
  EXPECT_THAT(complaint_about(R"({"space":"kv","key":"","value":""})"), HasSubstr("line 2: 'key' is base64"));
  EXPECT_THAT(complaint_about(R"({"space":"kv","key":"YQ==","value":"?"})"), HasSubstr("line 2: 'value' is base64"));
  EXPECT_THAT(complaint_about(R"({"space":"kv","key":"YQ==","value":"","expires":"soon"})"), HasSubstr("'expires'"));
  EXPECT_THAT(complaint_about(R"({"space":"kv","key":"YQ==","value":"","more":1})"), HasSubstr("no 'more'"));
}

}  // namespace
}  // namespace lingate::cli
