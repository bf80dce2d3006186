#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "base/codes.h"
#include "base/utf8.h"
#include "middleware/access_log.h"
#include "middleware/app_log.h"
#include "middleware/json_text.h"
#include "middleware/log_writer.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using Json = nlohmann::json;

std::string quoted(std::string_view text, std::size_t room = std::numeric_limits<std::size_t>::max()) {
  std::string out;
  json::Writer(out).string(text, room);
  return out;
}

// ---- JSON text ----

TEST(JsonText, EscapesWhatMustBe) {
  EXPECT_EQ(quoted("plain"), "\"plain\"");
  EXPECT_EQ(quoted("a\"b\\c\n\r\t"), "\"a\\\"b\\\\c\\n\\r\\t\"");
  EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\\u007f\"");
  EXPECT_EQ(quoted("\xc3\xa4\xf0\x9f\x98\x80"), "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  EXPECT_EQ(quoted("a\xff\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonText, AnyBytesBecomeValidJsonWithinTheRoom) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes)
      c = static_cast<char>(random() % 256);
    const std::size_t room = 2 + random() % 300;
    const std::string text = quoted(bytes, room);
    EXPECT_LE(text.size(), room);
    EXPECT_TRUE(utf8::is_valid(text));
    EXPECT_TRUE(Json::accept(text)) << text;
  }
}

TEST(JsonText, PiecesThatDoNotFitTheWriterAreWrittenAllTheSame) {
  std::string out;
  std::string wanted;
  {
    json::Writer writer(out);
    for (std::size_t size : {1U, 7U, 8U, 9U, 500U, 1013U, 1014U, 1015U, 1022U, 1024U, 1025U, 5000U}) {
      const std::string text(size, 'x');
      writer.raw(text);
      writer.string(text);
      wanted += text + "\"" + text + "\"";
      EXPECT_EQ(writer.size(), wanted.size());
    }
  }
  EXPECT_EQ(out, wanted);
}

TEST(JsonText, TimesAreWrittenInFull) {
  std::string out;
  {
    json::Writer writer(out);
    writer.seconds(1'000'000'123);
    writer.raw(" ");
    writer.seconds(-5);
    writer.raw(" ");
    writer.timestamp(1'700'000'000'000'042);
  }
  EXPECT_EQ(out, "1.000000123 0.000000000 \"2023-11-14T22:13:20.000042Z\"");
}

// ---- application log ----

Json event_json(const AppEvent& event) {
  const std::string line = format_event(event, std::chrono::system_clock::now());
  EXPECT_LE(line.size(), kMaxAppLine);
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(utf8::is_valid(line));
  return Json::parse(line);
}

TEST(AppLog, ALineHasWhatTheEventHas) {
  const std::string_view stack[] = {"a.lua:3: in f", "a.lua:9: in request"};
  const Json line = event_json({.level = LogLevel::error,
                                .message = "boom",
                                .code = code::kScriptException,
                                .request_id = "id-1",
                                .route = "users",
                                .step = "a.lua",
                                .file = "a.lua",
                                .line = 3,
                                .stack = stack,
                                .fields = R"({"n":1})"});
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["code"], "LG3001");
  EXPECT_EQ(line["request_id"], "id-1");
  EXPECT_EQ(line["line"], 3);
  EXPECT_EQ(line["stack"].size(), 2U);
  EXPECT_EQ(line["fields"]["n"], 1);
}

TEST(AppLog, MonstrousEventsBecomeOneSmallLine) {
  const std::string huge(100'000'000, '\x01');
  const std::string frame(1000, '"');
  std::vector<std::string_view> stack(500, frame);
  const std::string fields = "{\"x\":\"" + std::string(5000, 'y') + "\"}";
  const Json line = event_json({.message = huge,
                                .code = code::kScriptInvalid,
                                .request_id = huge,
                                .route = huge,
                                .step = frame,
                                .file = frame,
                                .line = 1,
                                .stack = stack,
                                .fields = fields});
  EXPECT_EQ(line["code"], "LG3004");
  EXPECT_FALSE(line.contains("fields"));
}

TEST(AppLog, AtMostTwentyFrames) {
  std::vector<std::string_view> stack(50, "f");
  EXPECT_EQ(event_json({.message = "m", .stack = stack})["stack"].size(), 20U);
}

// ---- access log ----

Json access_json(Stage& stage) {
  std::string line;
  append_access_line(line, stage.exchange, stage.exchange.facts.started + std::chrono::microseconds(1500));
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_TRUE(utf8::is_valid(line));
  return Json::parse(line);
}

TEST(AccessLine, HasOpenTelemetrysNames) {
  Stage stage;
  stage.receive("User-Agent", "curl/8");
  stage.upstream(201);
  Facts& facts = stage.exchange.facts;
  facts.request_bytes = 10;
  facts.response_bytes = 20;
  facts.upstream_name = "shop";
  facts.upstream_address = "127.0.0.1:9001";
  facts.upstream_time = std::chrono::microseconds(900);
  facts.attempts = 2;
  const Json line = access_json(stage);
  EXPECT_EQ(line["http.request.method"], "GET");
  EXPECT_EQ(line["url.path"], "/users/7");
  EXPECT_EQ(line["url.query"], "x=1");
  EXPECT_EQ(line["url.scheme"], "http");
  EXPECT_EQ(line["http.response.status_code"], 201);
  EXPECT_EQ(line["client.address"], "192.0.2.1");
  EXPECT_EQ(line["client.port"], 4711);
  EXPECT_EQ(line["server.address"], "api.example.com");
  EXPECT_EQ(line["user_agent.original"], "curl/8");
  EXPECT_EQ(line["http.route"], "users");
  EXPECT_EQ(line["network.protocol.version"], "1.1");
  EXPECT_DOUBLE_EQ(line["duration"].get<double>(), 0.0015);
  EXPECT_EQ(line["http.request.body.size"], 10);
  EXPECT_EQ(line["http.response.body.size"], 20);
  EXPECT_EQ(line["lingate.upstream.address"], "127.0.0.1:9001");
  EXPECT_EQ(line["lingate.upstream.attempts"], 2);
  EXPECT_EQ(line["lingate.request_id"], std::string(stage.exchange.id()));
  EXPECT_FALSE(line.contains("error.type"));
}

TEST(AccessLine, ShowsTheTargetThatTheClientSent) {
  Stage stage;
  stage.exchange.edit_path("/internal");
  stage.exchange.edit_query("");
  const Json line = access_json(stage);
  EXPECT_EQ(line["url.path"], "/users/7");
  EXPECT_EQ(line["url.query"], "x=1");
  stage.exchange.request.target = "http://api.example.com/abs";
  EXPECT_EQ(access_json(stage)["url.path"], "/abs");
  EXPECT_FALSE(access_json(stage).contains("url.query"));
}

TEST(AccessLine, SaysTheFaultAndTheStatusThatTheClientSaw) {
  Stage stage;
  stage.exchange.fail({.code = code::kConnectFailed, .detail = {}});
  stage.exchange.facts.status = 499;
  const Json line = access_json(stage);
  EXPECT_EQ(line["http.response.status_code"], 499);
  EXPECT_EQ(line["error.type"], "LG4001");
}

TEST(AccessLine, AMalformedRequestHasALineToo) {
  Chain none;
  FakeHost host;
  Exchange exchange(host);
  exchange.begin(none, "");
  exchange.request.target = "/\x01\xff\"";
  exchange.fail({.code = code::kBadRequest, .detail = {}});
  std::string line;
  append_access_line(line, exchange, Clock::now());
  const Json json = Json::parse(line);
  EXPECT_EQ(json["http.response.status_code"], 400);
  EXPECT_EQ(json["error.type"], "LG1001");
  EXPECT_FALSE(json.contains("http.route"));
  EXPECT_FALSE(json.contains("http.request.method"));
  exchange.end();
}

TEST(AccessLine, HostileTextsStayOneValidLine) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto garbage = [&] {
      std::string bytes(random() % 3000, '\0');
      for (char& c : bytes)
        c = static_cast<char>(random() % 256);
      return bytes;
    };
    Stage stage;
    const std::string a = garbage(), b = garbage(), c = garbage(), d = garbage();
    stage.exchange.request.method = a;
    stage.exchange.request.path = b;
    stage.exchange.request.query = c;
    stage.exchange.request.host = a;
    stage.receive("User-Agent", d);
    stage.exchange.set_id(d);
    const Json line = access_json(stage);
    EXPECT_LT(line.dump().size(), 64U * 1024);
  }
}

// ---- the writer ----

struct TemporaryFile {
  TemporaryFile() { descriptor = ::mkstemp(path); }
  ~TemporaryFile() { ::unlink(path); }
  std::string content() const {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  char path[32] = "/tmp/lingate-log-XXXXXX";
  int descriptor = -1;
};

TEST(LogWriter, WritesWhatLanesAndOthersGiveIt) {
  TemporaryFile file;
  {
    LogWriter writer(file.descriptor, 1);
    test::TestLoop loop;
    std::thread other([&] {
      for (int k = 0; k < 1000; ++k)
        writer.write_shared("shared\n");
    });
    for (int k = 0; k < 10'000; ++k) {
      writer.lane(loop) += "lane line\n";
      writer.appended(loop);
    }
    other.join();
    EXPECT_EQ(writer.dropped(), 0U);
  }
  std::istringstream lines(file.content());
  int lane = 0;
  int shared = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "lane line") ++lane;
    if (line == "shared") ++shared;
  }
  EXPECT_EQ(lane, 10'000);
  EXPECT_EQ(shared, 1000);
}

TEST(LogWriter, ABlockedTargetDropsLinesAndNeverTheCaller) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);  // nobody reads
  std::uint64_t dropped = 0;
  const std::string line(1000, 'x');
  {
    LogWriter writer(ends[1], 1);
    test::TestLoop loop;
    const std::size_t lines = 3 * LogWriter::kQueueBytes / line.size();
    for (std::size_t k = 0; k < lines; ++k) {
      writer.lane(loop) += line;
      writer.appended(loop);
    }
    dropped = writer.dropped();
    EXPECT_GT(dropped, lines / 2);
    EXPECT_LT(dropped, lines);
  }
  ::close(ends[0]);
}

TEST(LogWriter, ALineThatIsAloneGoesOutAfterAMoment) {
  TemporaryFile file;
  LogWriter writer(file.descriptor, 1);
  test::TestLoop loop;
  writer.lane(loop) += "alone\n";
  writer.appended(loop);
  EXPECT_TRUE(loop.run_until([&] { return file.content() == "alone\n"; }));
}

TEST(LogFiles, OneWriterATarget) {
  TemporaryFile file;
  LogFiles files(1);
  const auto first = files.open(file.path);
  const auto second = files.open(file.path);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(*files.open(""), *files.open("stderr"));
  ::close(file.descriptor);
}

TEST(LogFiles, AFileThatWasMovedAwayIsMadeAnew) {
  TemporaryFile file;
  const std::string moved = std::string(file.path) + ".1";
  {
    LogFiles files(1);
    LogWriter& writer = **files.open(file.path);
    writer.write_shared("before\n");
    ASSERT_EQ(std::rename(file.path, moved.c_str()), 0);
    ASSERT_TRUE(files.reopen());
    writer.write_shared("after\n");
  }
  std::string line;
  EXPECT_TRUE(std::getline(std::ifstream(moved), line));
  EXPECT_EQ(line, "before");
  EXPECT_TRUE(std::getline(std::ifstream(file.path), line));
  EXPECT_EQ(line, "after");
  ::unlink(moved.c_str());
  ::close(file.descriptor);
}

TEST(LogFiles, AFileThatCannotBeOpenedIsAnErrorWithItsName) {
  LogFiles files(1);
  const auto result = files.open("/nonexistent/folder/access.log");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("/nonexistent/folder/access.log"), std::string::npos);
}

}  // namespace
}  // namespace lingate::middleware
