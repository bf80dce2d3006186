#include "gateway/bench/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/bench_page/sample.h"

using namespace lingate::bench;
using testing::HasSubstr;
using testing::Not;

namespace {

// What lies between two texts.
std::string between(const std::string& page, std::string_view from, std::string_view to) {
  const std::size_t start = page.find(from);
  if (start == std::string::npos) return {};
  const std::size_t begin = start + from.size();
  return page.substr(begin, page.find(to, begin) - begin);
}

std::string records_in(const std::string& page) {
  return between(page, R"(<script type="application/json" id="records">)", "</script>");
}

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST(Page, HoldsTheRecordsAsTheyAre) {
  const Record before = sample_runtimes();
  const Record after = sample_runtimes(1.08, 2);
  const auto json = nlohmann::ordered_json::parse(records_in(page_of({before, after})));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0], nlohmann::ordered_json::parse(to_json(before)));
  EXPECT_EQ(json[1], nlohmann::ordered_json::parse(to_json(after)));
}

TEST(Page, KeepsSpacesAndLineBreaksInsideTexts) {
  Record record = sample_http();
  record.command = "lingate  bench \n   http\t \"x\"";
  const auto json = nlohmann::json::parse(records_in(page_of({record})));
  EXPECT_EQ(json[0]["command"], record.command);
}

TEST(Page, IsOneFileThatFetchesNothing) {
  const std::string page = page_of({sample_runtimes()});
  for (const char* fetch :
       {"src=", "url(", "@import", "href=\"http", "href=\"//", "fetch(", "XMLHttpRequest", "import("})
    EXPECT_THAT(page, Not(HasSubstr(fetch)));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Page, HasFilledItsFrame) {
  const std::string page = page_of({});
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(records_in(page), "[]");
  for (const char* place : {"{{", "/* style */", "/* script */"})
    EXPECT_THAT(page, Not(HasSubstr(place)));
  EXPECT_THAT(between(page, "<style>", "</style>"), HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(page, HasSubstr("\"use strict\""));
}

// A name like </script> ends no element and opens no comment.
TEST(Page, TakesNoMarkupFromARecord) {
  const std::string page = page_of({sample_hostile()});
  EXPECT_THAT(page, Not(HasSubstr("id=\"planted\"")));
  EXPECT_THAT(page, HasSubstr("\\u003c/script>\\u003cb id=\\\"planted\\\""));
  EXPECT_EQ(count_of(page, "</script"), 2u);
  EXPECT_EQ(count_of(page, "<!--"), 0u);
}

TEST(Page, ItsScriptSetsNoMarkup) {
  const std::string page = page_of({});
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("})
    EXPECT_THAT(page, Not(HasSubstr(way)));
}
