#include "gateway/config/diagnostic.h"

#include <nlohmann/json.hpp>

#include "tests/config/support.h"

namespace lingate::config {
namespace {

std::string rendered(const std::string& text) {
  std::string all;
  for (const Diagnostic& each : load("version: 1\nlisten: :0\n" + text).diagnostics)
    all += render(each, Paint::none);
  return all;
}

TEST(Render, LooksLikeACompilersMessage) {
  EXPECT_EQ(rendered("routes:\n  - name: users\n    match: {}\n    respond: {}\n    timout: 5s\n"),
            "gw.yaml:7:5: error[LG2001]: unknown key 'timout' in route 'users'\n"
            "    7 |     timout: 5s\n"
            "      |     ^~~~~~ did you mean 'timeout'?\n");
}

TEST(Render, ShowsTheSecondPlace) {
  EXPECT_EQ(rendered("routes: []\nlog: {}\nlog: {}\n"),
            "gw.yaml:5:1: error[LG2002]: the key 'log' stands twice\n"
            "    5 | log: {}\n"
            "      | ^~~ remove one of the two\n"
            "gw.yaml:4:1: note: first defined here\n"
            "    4 | log: {}\n"
            "      | ^~~\n");
}

TEST(Render, CountsCharactersNotBytes) {
  EXPECT_EQ(rendered("routes: []\nx-a: {\xC3\xA9\xE2\x82\xAC: 1}\nlog: {level: \"\xC3\xA9\"}\n"),
            "gw.yaml:5:14: error[LG2006]: 'level' in 'log': '\xC3\xA9' is none of the choices\n"
            "    5 | log: {level: \"\xC3\xA9\"}\n"
            "      |              ^~~ one of debug, info, warn, error\n");
}

TEST(Render, KeepsTheUnderlineUnderTabs) {
  EXPECT_EQ(rendered("routes: []\nlog: {level:\tloud}\n"),
            "gw.yaml:4:14: error[LG2006]: 'level' in 'log': 'loud' is none of the choices\n"
            "    4 | log: {level: loud}\n"
            "      |              ^~~~ one of debug, info, warn, error\n");
}

TEST(Render, CutsLongLinesAroundThePlace) {
  const std::string filler(500, 'a');
  const std::string text =
      rendered("routes: []\nlog: {level: loud, file: stderr, x" + filler + ": 1, y" + filler + ": 2}\n");
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.starts_with("    4 |")) longest = std::max(longest, line.size());
    if (line.starts_with("      | ") && line.find('^') != std::string_view::npos) {
      EXPECT_LT(line.find('^'), 130U);
    }
    at = end + 1;
  }
  EXPECT_GT(longest, 100U);
  EXPECT_LT(longest, 150U);
}

TEST(Render, ColoursOnlyWhenAsked) {
  const auto diagnostics = load("version: 1\nlisten: :0\nroutes: []\nlgo: {}\n").diagnostics;
  EXPECT_EQ(render(diagnostics.at(0), Paint::none).find('\x1b'), std::string::npos);
  EXPECT_THAT(render(diagnostics.at(0), Paint::ansi), testing::HasSubstr("\x1b[1;31merror[LG2001]:\x1b[0m"));
}

TEST(Render, EscapesControlBytes) {
  EXPECT_EQ(rendered("routes: []\nlog: {level: \"\\e[31m\\x9B\\x7F\"}\n"),
            "gw.yaml:4:14: error[LG2006]: 'level' in 'log': '\\x1b[31m\\u009b\\x7f' is none of the choices\n"
            "    4 | log: {level: \"\\e[31m\\x9B\\x7F\"}\n"
            "      |              ^~~~~~~~~~~~~~~~ one of debug, info, warn, error\n");
  EXPECT_EQ(rendered("routes: []\n\tx: a\x1B[31m\xFF\n").find('\x1B'), std::string::npos);
}

TEST(Render, PutsTheUnderlineUnderEscapes) {
  Diagnostic diagnostic;
  diagnostic.place = {"f\x1B", 1, 7};
  diagnostic.width = 3;
  diagnostic.line = "a\x1B[2J\tb\xC3\xA9\x01 c";
  diagnostic.cure = "\x7F";
  EXPECT_THAT(render(diagnostic, Paint::none), testing::EndsWith("    1 | a\\x1b[2J b\xC3\xA9\\x01 c\n"
                                                                 "      |          ^~~~~~ \\x7f\n"));
  EXPECT_THAT(render(diagnostic, Paint::none), testing::StartsWith("f\\x1b:1:7: error"));
}

TEST(RenderJson, HasPlaceCodeMessageCureAndNotes) {
  const auto diagnostics = load("version: 1\nlisten: :0\nroutes: []\nlog: {}\nlog: {}\n").diagnostics;
  const auto json = nlohmann::json::parse(render_json(diagnostics));
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["file"], "gw.yaml");
  EXPECT_EQ(json[0]["line"], 5);
  EXPECT_EQ(json[0]["column"], 1);
  EXPECT_EQ(json[0]["end_column"], 4);
  EXPECT_EQ(json[0]["severity"], "error");
  EXPECT_EQ(json[0]["code"], "LG2002");
  EXPECT_EQ(json[0]["message"], "the key 'log' stands twice");
  EXPECT_EQ(json[0]["cure"], "remove one of the two");
  EXPECT_EQ(json[0]["notes"][0]["line"], 4);
}

TEST(Source, FindsPlacesInAnyLineEnding) {
  const Source source({"f", "ab\r\ncd\n\nx", {}}, 0);
  EXPECT_EQ(source.line(1), "ab");
  EXPECT_EQ(source.line(3), "");
  EXPECT_EQ(source.line(4), "x");
  EXPECT_EQ(source.line(5), "");
  EXPECT_EQ(source.place({5, 6}).line, 2U);
  EXPECT_EQ(source.place({5, 6}).column, 2U);
  EXPECT_EQ(source.at(2, 2).begin, 5U);
  EXPECT_EQ(source.at(99, 99).begin, 9U);
}

}  // namespace
}  // namespace lingate::config
