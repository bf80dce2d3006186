#include "gateway/config/yaml.h"

#include <cmath>

#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;

struct Parsed {
  explicit Parsed(std::string text)
      : source(sources.add({"t.yaml", std::move(text), {}})),
        report(sources),
        document(parse_yaml(source, report, expansion)) {}

  std::vector<std::string> errors() { return show(report.take()); }
  const Node& at(std::string_view key) const { return *document->root->find(key)->value; }

  Sources sources;
  const Source& source;
  Report report;
  Expansion expansion;
  std::optional<Document> document;
};

Scalar scalar(std::string_view text) {
  Node node;
  node.plain = true;
  node.text = text;
  return read_scalar(node);
}

TEST(ReadScalar, FollowsTheCoreSchemaOfYaml12) {
  for (const std::string_view text : {"yes", "no", "on", "off", "y", "n", "YES", "1_000", "0b1", "12:30", "2024-01-01"})
    EXPECT_EQ(scalar(text), Scalar(text)) << text;
  for (const std::string_view text : {"", "~", "null", "Null", "NULL"})
    EXPECT_EQ(scalar(text), Scalar(std::monostate())) << text;
  EXPECT_EQ(scalar("True"), Scalar(true));
  EXPECT_EQ(scalar("FALSE"), Scalar(false));
  EXPECT_EQ(scalar("-12"), Scalar(std::int64_t{-12}));
  EXPECT_EQ(scalar("+12"), Scalar(std::int64_t{12}));
  EXPECT_EQ(scalar("0x1F"), Scalar(std::int64_t{31}));
  EXPECT_EQ(scalar("0o17"), Scalar(std::int64_t{15}));
  EXPECT_EQ(scalar("017"), Scalar(std::int64_t{17}));
  EXPECT_EQ(scalar("1.5e3"), Scalar(1500.0));
  EXPECT_EQ(scalar(".5"), Scalar(0.5));
  EXPECT_EQ(scalar("1."), Scalar(1.0));
  EXPECT_TRUE(std::isnan(std::get<double>(scalar(".nan"))));
  EXPECT_EQ(scalar("-.inf"), Scalar(-INFINITY));
  for (const std::string_view text : {"1.2.3", "1e", "-", "+", ".", "e3", "--1", "0x", "0xg", "inf", "nan", "+-5",
                                      "++5", "-+5", "+0x5", "-0x5", "0x-5", "0x+5", "+0o7"})
    EXPECT_EQ(scalar(text), Scalar(text)) << text;
}

TEST(ReadScalar, TakesWhatIsQuotedAsText) {
  const Parsed parsed("a: '12'\nb: \"true\"\nc: !!str 12\nd: |\n  12\n");
  EXPECT_EQ(read_scalar(parsed.at("a")), Scalar(std::string_view("12")));
  EXPECT_EQ(read_scalar(parsed.at("b")), Scalar(std::string_view("true")));
  EXPECT_EQ(read_scalar(parsed.at("c")), Scalar(std::string_view("12")));
  EXPECT_EQ(read_scalar(parsed.at("d")), Scalar(std::string_view("12\n")));
}

TEST(ParseYaml, KnowsWhereEverythingStands) {
  const Parsed parsed("a: 1\r\n\"k\xC3\xA9y\": {x: [1,\ttwo]}\r\n");
  const auto place = [&](Span span) {
    const Place at = parsed.source.place(span);
    return fmt::format("{}:{} {}", at.line, at.column, parsed.source.text(span));
  };
  EXPECT_EQ(place(parsed.document->root->entries[1].span), "2:1 \"k\xC3\xA9y\"");
  EXPECT_EQ(place(parsed.at("k\xC3\xA9y").span), "2:8 {");
  EXPECT_EQ(place(parsed.at("k\xC3\xA9y").entries[0].value->items[1]->span), "2:16 two");
}

TEST(ParseYaml, RefusesAKeyThatStandsTwice) {
  Parsed parsed("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n");
  EXPECT_THAT(parsed.errors(), ElementsAre("4:3 LG2002 the key 'c' stands twice | remove one of the two",
                                           "5:1 LG2002 the key 'a' stands twice | remove one of the two"));
}

TEST(ParseYaml, ShowsTheFirstOfTwoKeys) {
  Parsed parsed("a: 1\na: 3\n");
  const auto diagnostics = parsed.report.take();
  ASSERT_EQ(diagnostics.at(0).notes.size(), 1U);
  EXPECT_EQ(diagnostics[0].notes[0].place.line, 1U);
  EXPECT_EQ(diagnostics[0].notes[0].text, "first defined here");
}

TEST(ParseYaml, FollowsAliases) {
  const Parsed parsed("a: &x {n: 1}\nb: [*x, *x]\n");
  EXPECT_EQ(parsed.at("b").items[0], &parsed.at("a"));
  EXPECT_EQ(parsed.at("b").items[1], &parsed.at("a"));
}

TEST(ParseYaml, RefusesAnAliasOfItself) {
  Parsed parsed("a: &x [1, *x]\n");
  EXPECT_THAT(parsed.errors(), ElementsAre("1:11 LG2023 the alias '*x' contains itself | remove it"));
}

TEST(ParseYaml, RefusesAnAliasWithoutAnchor) {
  Parsed parsed("a: &tenant 1\nb: *tenat\nc: *other\n");
  EXPECT_THAT(parsed.errors(),
              ElementsAre("2:4 LG2010 the alias '*tenat' has no anchor before it | did you mean '*tenant'?",
                          "3:4 LG2010 the alias '*other' has no anchor before it | define '&other' above, or remove "
                          "the alias"));
}

TEST(ParseYaml, UnderlinesTheWholeAlias) {
  Parsed parsed("a: [1, *other]\n");
  const auto diagnostics = parsed.report.take();
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].place.column, 8U);
  EXPECT_EQ(diagnostics[0].width, 6U);
}

TEST(ParseYaml, BoundsWhatAliasesExpandTo) {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i)
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  Parsed parsed(text);
  EXPECT_FALSE(parsed.document);
  EXPECT_THAT(parsed.errors(), ElementsAre(testing::HasSubstr("expands to too much")));
}

TEST(ParseYaml, BoundsTheTextThatAliasesExpandTo) {
  const std::string long_text(1000, 'x');
  for (const std::string& anchored : {"&a " + long_text, "&a {n: [" + long_text + "]}", "&a {" + long_text + ": 1}"}) {
    std::string text = "a: " + anchored + "\nb:\n";
    for (std::size_t i = 0; i <= Expansion::kMostText / long_text.size(); ++i)
      text += "  - *a\n";
    Parsed parsed(text);
    EXPECT_FALSE(parsed.document);
    EXPECT_THAT(
        parsed.errors(),
        ElementsAre(testing::EndsWith("LG2023 the alias '*a' expands to too much | use fewer aliases of long texts")));
  }
}

TEST(ParseYaml, BoundsDepth) {
  Parsed deep(std::string(1000, '[') + std::string(1000, ']'));
  EXPECT_FALSE(deep.document);
  EXPECT_EQ(deep.errors().size(), 1U);
  std::string text = "a0: &a0 [1]\n";
  for (int i = 1; i < 100; ++i)
    text += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  EXPECT_FALSE(Parsed(text).document);
}

TEST(ParseYaml, RefusesASecondDocument) {
  Parsed parsed("a: 1\n---\nb: 1\n");
  EXPECT_THAT(parsed.errors(), ElementsAre("2:1 LG2003 a second document begins | a configuration is one document"));
}

TEST(ParseYaml, RefusesTagsAndKeysThatAreNoText) {
  Parsed parsed("a: !env HOME\n[x]: 1\n");
  EXPECT_THAT(parsed.errors(), ElementsAre("1:9 LG2004 the tag '!env' means nothing here | secrets are written '{env: "
                                           "NAME}' or '{file: PATH}'",
                                           "2:1 LG2004 a key that is no text | keys are names"));
}

TEST(ParseYaml, NamesTheFirstByteThatIsNotUtf8) {
  Parsed parsed("a: 1\nb: x\xFFy\n");
  EXPECT_THAT(parsed.errors(), ElementsAre("2:5 LG2003 bytes that are not UTF-8 | save the file as UTF-8"));
}

TEST(ParseYaml, RefusesControlCharacters) {
  Parsed parsed(std::string("a: x\x01y\n"));
  EXPECT_THAT(parsed.errors(),
              ElementsAre("1:5 LG2003 a control character, 0x01 | write it as an escape in double quotes"));
  Parsed nul(std::string("a: x\0y\n", 7));
  EXPECT_EQ(nul.errors().size(), 1U);
}

TEST(ParseYaml, SaysWhereTheSyntaxBreaks) {
  EXPECT_THAT(Parsed("a:\n  - x\n b: 1\n").errors(),
              ElementsAre("3:2 LG2003 not well-formed YAML: invalid indentation in mapping | nothing after this place "
                          "was read"));
  EXPECT_THAT(Parsed("a: \"abc\n").errors(), ElementsAre(testing::StartsWith("1:5 LG2003 not well-formed YAML")));
}

TEST(ParseYaml, ShowsTheBracketThatIsNeverClosed) {
  Parsed parsed("a: 1\nb: [1, 2\nc: 3\n");
  const auto diagnostics = parsed.report.take();
  ASSERT_EQ(diagnostics.size(), 1U);
  ASSERT_EQ(diagnostics[0].notes.size(), 1U);
  EXPECT_EQ(diagnostics[0].notes[0].place.line, 2U);
  EXPECT_EQ(diagnostics[0].notes[0].place.column, 4U);
}

TEST(ParseYaml, AdvisesQuotesForBracesBetweenBrackets) {
  EXPECT_THAT(Parsed("a: {path: /users/{id}}\n").errors(),
              ElementsAre(testing::HasSubstr("quote a text that holds braces")));
}

TEST(ParseYaml, AdvisesQuotesForAStarBetweenBrackets) {
  EXPECT_THAT(Parsed("- {name: old, match: {path: /o}, redirect: /g/{*}}\n").errors(),
              ElementsAre(testing::HasSubstr("quote a text that holds '*' or braces")));
}

TEST(ParseYaml, AnEmptyFileHasNoRoot) {
  EXPECT_EQ(Parsed("").document->root, nullptr);
  EXPECT_EQ(Parsed("# only a comment\n").document->root, nullptr);
}

}  // namespace
}  // namespace lingate::config
