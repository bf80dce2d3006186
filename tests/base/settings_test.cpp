#include "base/settings.h"

#include <gtest/gtest.h>

namespace lingate {
namespace {

using namespace std::chrono_literals;

Settings example() {
  return Settings(Settings::Map{{"text", Settings(std::string("a"))},
                                {"secret", Settings(Secret{"s"})},
                                {"flag", Settings(true)},
                                {"integer", Settings(std::int64_t{7})},
                                {"duration", Settings(Settings::Duration(2s))},
                                {"size", Settings(ByteSize{64})},
                                {"list", Settings(Settings::List{Settings(true)})},
                                {"map", Settings(Settings::Map{{"x", Settings(false)}})},
                                {"null", Settings()}});
}

TEST(Settings, GivesMembersByNameAndType) {
  const Settings settings = example();
  EXPECT_EQ(settings.text("text"), "a");
  EXPECT_TRUE(settings.flag("flag"));
  EXPECT_EQ(settings.integer("integer"), 7);
  EXPECT_EQ(settings.duration("duration"), 2s);
  EXPECT_EQ(settings.size("size"), 64U);
  EXPECT_EQ(settings.list("list").size(), 1U);
  EXPECT_EQ(settings.map("map").size(), 1U);
}

TEST(Settings, ASecretReadsLikeAText) {
  const Settings settings = example();
  EXPECT_EQ(settings.text("secret"), "s");
  EXPECT_EQ(settings.find("secret")->as<std::string>(), nullptr);
  EXPECT_EQ(settings.find("secret")->as_text(), "s");
  EXPECT_EQ(settings.find("flag")->as_text(), "");
}

TEST(Settings, WhatIsAbsentNullOrOfAnotherTypeGivesTheOtherwise) {
  const Settings settings = example();
  EXPECT_EQ(settings.find("null"), nullptr);
  EXPECT_EQ(settings.find("none"), nullptr);
  EXPECT_EQ(settings.text("null", "x"), "x");
  EXPECT_EQ(settings.text("flag", "x"), "x");
  EXPECT_EQ(settings.integer("text", 3), 3);
  EXPECT_EQ(settings.duration("size", 1s), 1s);
  EXPECT_EQ(settings.size("duration", 9), 9U);
  EXPECT_TRUE(settings.list("map").empty());
  EXPECT_TRUE(Settings().map("map").empty());
}

}  // namespace
}  // namespace lingate
