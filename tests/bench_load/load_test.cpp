#include "gateway/bench/load/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/bench_load/server.h"

namespace lingate::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Result<Record> measured(LoadOptions options) {
  std::ostringstream out;
  Progress progress(out, false);
  return measure_http(options, progress);
}

LoadOptions options_for(const std::string& url) {
  LoadOptions options;
  options.url = url;
  options.connections = 2;
  options.duration = seconds(1);
  options.warmup = milliseconds(0);
  return options;
}

std::string message_of(const LoadOptions& options) {
  const auto record = measured(options);
  return record ? "measured" : record.error().message;
}

TEST(MeasureHttp, FillsARecordOfTwoRows) {
  Server server([](unsigned) { return length_reply(); });
  LoadOptions options = options_for(server.url());
  options.rate = 500;
  const auto record = measured(options);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->kind, "http");
  ASSERT_EQ(record->rows.size(), 2U);
  EXPECT_EQ(record->rows[0].name, "closed/2");
  EXPECT_EQ(record->rows[1].name, "open/500");
  EXPECT_EQ(record->rows[1].job, "open 500/s");
  EXPECT_EQ(record->rows[1].calls, 500U);
  EXPECT_EQ(record->rows[0].calls + 500, server.requests());
  for (const Row& row : record->rows) {
    EXPECT_EQ(row.errors, 0U);
    EXPECT_EQ(row.figures.size(), 5U);
    EXPECT_FALSE(row.histogram.empty());
  }
  EXPECT_TRUE(from_json(to_json(*record)));
  EXPECT_THAT(record->settings, testing::Contains(testing::Pair("generator", testing::_)));
}

TEST(MeasureHttp, TakesHalfOfTheClosedLoopIfNoRateIsAskedFor) {
  Server server([](unsigned) {
    std::this_thread::sleep_for(milliseconds(2));
    return length_reply();
  });
  const auto record = measured(options_for(server.url()));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->rows[1].name, "open/half");
  const double closed = record->rows[0].figures.at("rate").median;
  EXPECT_LE(record->rows[1].figures.at("rate").median, closed * 0.55);
}

TEST(MeasureHttp, ReachesIpv6) {
  Server server([](unsigned) { return length_reply(); }, "::1");
  LoadOptions options = options_for("http://[::1]:" + std::to_string(server.port()) + "/");
  options.rate = 100;
  EXPECT_EQ(message_of(options), "measured");
  EXPECT_THAT(server.last_request(), HasSubstr("Host: [::1]:" + std::to_string(server.port()) + "\r\n"));
}

TEST(MeasureHttp, FailsWhereAnyRequestFails) {
  Server server([](unsigned number) {
    return number == 7 ? Reply{"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"} : length_reply();
  });
  const std::string message = message_of(options_for(server.url("/x")));
  EXPECT_THAT(message, HasSubstr("/x, closed, 2 at once: 1 of "));
  EXPECT_THAT(message,
              HasSubstr(" requests failed: 1 got a status of 400 or more; the first: 500 Internal Server Error; "));
}

TEST(MeasureHttp, SaysThatNobodyListens) {
  std::string url;
  {
    Server gone([](unsigned) { return length_reply(); });
    url = gone.url();
  }
  EXPECT_THAT(message_of(options_for(url)),
              HasSubstr("lets no connection in: Connection refused; is the server running"));
}

TEST(MeasureHttp, RefusesWhatCannotBeMeasured) {
  EXPECT_THAT(message_of(options_for("https://127.0.0.1/")), HasSubstr("https is not measured"));
  LoadOptions options = options_for("http://127.0.0.1/");
  options.connections = 0;
  EXPECT_THAT(message_of(options), HasSubstr("0 connections"));
  options.connections = 2;
  options.rate = -1;
  EXPECT_THAT(message_of(options), HasSubstr("more than 0"));
  options.rate = 0;
  options.headers = {{"Connection", "close"}};
  EXPECT_THAT(message_of(options), HasSubstr("header 'Connection': it is the generator's own"));
  options.headers = {{"X", "a\r\nY: b"}};
  EXPECT_THAT(message_of(options), HasSubstr("no header field"));
  options.headers.clear();
  options.method = "GE T";
  EXPECT_THAT(message_of(options), HasSubstr("no method"));
}

}  // namespace
}  // namespace lingate::bench
