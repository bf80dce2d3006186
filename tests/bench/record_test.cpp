#include "gateway/bench/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/bench/compare.h"
#include "gateway/bench/table.h"
#include "gateway/bench/text.h"

namespace lingate::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Row row(const std::string& job, const std::string& runtime, std::vector<double> cpu) {
  Row row;
  row.runtime = runtime;
  row.placement = runtime == "native" ? "" : "inline";
  row.job = job;
  row.name = runtime == "native" ? "native/" + job : runtime + "/inline/" + job;
  row.calls = 1000;
  row.figures["cpu"] = figure_of(cpu);
  row.figures["p99"] = figure_of(std::move(cpu));
  row.histogram = {{1000, 5}, {2000, 995}};
  return row;
}

Record record(double factor = 1) {
  Record record;
  record.kind = "runtimes";
  record.machine = {{"processor", "one"}};
  record.settings = {{"processes", "4"}};
  for (const char* job : {"empty", "header"})
    for (const auto& [runtime, base] : {std::pair("native", 200.0), std::pair("lua", 1500.0)})
      record.rows.push_back(
          row(job, runtime, {base * factor, base * 1.002 * factor, base * 0.998 * factor, base * factor}));
  record.curves = {{.name = "routes", .unit = "ns", .x = {10, 100}, .series = {{"match", {50, 51}}}}};
  return record;
}

TEST(Record, ComesBackFromItsJson) {
  Record before = record();
  before.rows[0].parts = {{"run", 12.5}};
  const auto after = from_json(to_json(before));
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(to_json(*after), to_json(before));
  EXPECT_EQ(after->rows[1].name, "lua/inline/empty");
  EXPECT_EQ(after->rows[0].parts.at("run"), 12.5);
  EXPECT_EQ(after->curves[0].series[0].second, (std::vector<double>{50, 51}));
}

TEST(Record, SaysWhereAFileIsWrong) {
  EXPECT_THAT(from_json("{").error(), HasSubstr("not JSON"));
  EXPECT_THAT(from_json("{}").error(), HasSubstr("schema"));
  std::string text = to_json(record());
  text.replace(text.find("\"samples\""), 9, "\"simples\"");
  EXPECT_THAT(from_json(text).error(), HasSubstr("rows[0].figures.cpu.samples: is missing"));
  EXPECT_THAT(read_record("/nowhere/x.json").error(), HasSubstr("/nowhere/x.json: No such file"));
}

TEST(Compare, TheSameRecordHasNoChange) {
  const Comparison comparison = compare(record(), record(), {});
  ASSERT_EQ(comparison.changes.size(), 5U);  // four rows and all of them
  for (const Change& change : comparison.changes)
    EXPECT_FALSE(change.ratio.differs) << change.name;
  EXPECT_THAT(table_of(comparison), HasSubstr("~"));
  EXPECT_TRUE(comparison.remarks.empty());
}

TEST(Compare, AChangeIsShownAndALimitBroken) {
  const Comparison comparison = compare(record(), record(1.05), {*limit_from("cpu>+2%")});
  EXPECT_TRUE(comparison.broken());
  EXPECT_NEAR(comparison.changes[0].ratio.value, 1.05, 0.003);
  EXPECT_THAT(table_of(comparison), HasSubstr("+5.0 %"));
  EXPECT_EQ(comparison.changes.back().name, "all rows");
  EXPECT_TRUE(comparison.changes.back().broken);
}

TEST(Compare, OneDisturbedRowOfPairsSaysNothingOfAll) {
  Record disturbed = record(1.02);
  std::vector<double>& samples = disturbed.rows.back().figures["cpu"].samples;
  for (std::size_t k = 0; k < samples.size(); ++k)
    samples[k] *= k % 2 == 0 ? 0.5 : 2;
  const Change all = compare(record(), disturbed, {}, Samples::paired).changes.back();
  EXPECT_EQ(all.name, "all rows");
  EXPECT_NEAR(all.ratio.value, 1.02, 0.003);
  EXPECT_TRUE(all.ratio.differs);
}

TEST(Compare, WhatGetsBetterBreaksNoLimit) {
  EXPECT_FALSE(compare(record(), record(0.9), {*limit_from("cpu>+2%")}).broken());
  EXPECT_FALSE(compare(record(), record(1.05), {*limit_from("cpu>+8%")}).broken());
  EXPECT_TRUE(compare(record(), record(1.05), {*limit_from("p99>+2%")}).broken());
}

TEST(Compare, RemarksOnRowsAndMachinesThatDiffer) {
  Record other = record();
  other.rows.pop_back();
  other.machine = {{"processor", "another"}};
  const Comparison comparison = compare(record(), other, {});
  EXPECT_THAT(comparison.remarks, testing::UnorderedElementsAre(HasSubstr("lua/inline/header is in the first only"),
                                                                HasSubstr("not the same processor")));
}

// Of ten seconds one was bad: the quantile of the run shows it, the samples' median does not.
TEST(Compare, OneBadSecondUnderLoadIsAChange) {
  Record calm;
  calm.kind = "http";
  calm.rows.push_back(row("open 1000/s", "", {1, 1}));
  calm.rows[0].name = "open/1000";
  calm.rows[0].figures = {{"p99", {.unit = "ns", .median = 2e6, .low = 1e6, .high = 4e6, .samples = {1e6, 2e6, 4e6}}}};
  Record stalled = calm;
  stalled.rows[0].figures["p99"] = {.unit = "ns", .median = 9e8, .low = 1e6, .high = 1e9, .samples = {1e6, 2e6, 1e9}};
  const std::vector<Limit> limits{*limit_from("p99>+20%")};
  EXPECT_TRUE(compare(calm, stalled, limits).broken());
  EXPECT_FALSE(compare(stalled, calm, limits).broken());
  EXPECT_TRUE(compare(stalled, calm, limits).changes[0].ratio.differs);
  EXPECT_FALSE(compare(calm, calm, limits).changes[0].ratio.differs);
}

TEST(Limit, IsAFigureASignAndAPercentage) {
  EXPECT_EQ(limit_from("p99.9>+5%")->figure, "p99.9");
  EXPECT_DOUBLE_EQ(limit_from("rate<-2.5%")->change, -0.025);
  for (const char* wrong : {"", "p99", "p99>5", "p98>+5%", "cpu>-5%", "rate<5%", "cpu>x%", ">+5%"})
    EXPECT_FALSE(limit_from(wrong)) << wrong;
}

TEST(Text, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(time_text(187.4), "187 ns");
  EXPECT_EQ(time_text(4821), "4.82 µs");
  EXPECT_EQ(time_text(999.7), "1.00 µs");
  EXPECT_EQ(time_text(12.3e6), "12.3 ms");
  EXPECT_EQ(rate_text(30'123), "30.1 k/s");
}

TEST(Table, FitsEightyColumns) {
  std::string line;
  for (const char c : table_of(record()) + table_of(compare(record(), record(1.5), {}))) {
    if (c != '\n') {
      line += c;
      continue;
    }
    EXPECT_LE(width_of(line), kColumns) << line;
    line.clear();
  }
  EXPECT_THAT(table_of(record()), HasSubstr("7.5×"));
}

}  // namespace
}  // namespace lingate::bench
