// The step compress: who gets which coding, what the head says then, what is left alone; and the coders themselves.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "middleware/builtin.h"
#include "middleware/coding/coder.h"
#include "middleware/coding/media_types.h"
#include "middleware/coding/negotiation.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using coding::Coding;
using Until = BodyFilter::Until;

// ---- negotiation ----

std::string best(std::string_view accepted, std::vector<Coding> offered = {Coding::zstd, Coding::br, Coding::gzip}) {
  coding::Accepted read;
  read.read(accepted);
  const auto found = read.best_of(offered);
  return found ? std::string(coding::name_of(*found)) : "none";
}

TEST(AcceptEncoding, ChoosesByWeightThenByPreference) {
  EXPECT_EQ(best(""), "none");
  EXPECT_EQ(best("gzip"), "gzip");
  EXPECT_EQ(best("gzip, deflate, br, zstd"), "zstd");
  EXPECT_EQ(best("gzip;q=1.0, br;q=0.5"), "gzip");
  EXPECT_EQ(best("gzip;q=0.5 , br;q=0.501"), "br");
  EXPECT_EQ(best("GZIP ; Q=0.3"), "gzip");
  EXPECT_EQ(best("x-gzip"), "gzip");
  EXPECT_EQ(best("*"), "zstd");
  EXPECT_EQ(best("*, zstd;q=0"), "br");
  EXPECT_EQ(best("*;q=0"), "none");
  EXPECT_EQ(best("gzip;q=0, *;q=0.1"), "zstd");
  EXPECT_EQ(best("identity"), "none");
  EXPECT_EQ(best("gzip;q=0.5, identity;q=1"), "none");
  EXPECT_EQ(best("gzip, identity"), "gzip");
  EXPECT_EQ(best("identity;q=0, gzip;q=0.1"), "gzip");
  EXPECT_EQ(best("deflate, compress"), "none");
  EXPECT_EQ(best("zstd", {Coding::gzip}), "none");
  EXPECT_EQ(best("gzip", {}), "none");
}

TEST(AcceptEncoding, UsesNothingThatIsMalformed) {
  for (const std::string_view bad :
       {"gzip;q=2", "gzip;q=1.001", "gzip;q=-1", "gzip;q=.5", "gzip;q=0.1234", "gzip;q=", "gzip;q=x", "gzip;x=1",
        "gzip;q=1;x", "gzip q=1", ";", ",,,", "gzip;q=0x1", "\xff"})
    EXPECT_EQ(best(bad), "none") << bad;
  EXPECT_EQ(best(",, gzip ,,"), "gzip");
  EXPECT_EQ(best("gzip;"), "gzip");
  EXPECT_EQ(best("br;q=9, gzip"), "gzip");
}

TEST(MediaTypes, AreAllOrOneOrBySuffix) {
  coding::MediaTypes types;
  for (const std::string_view each : {"text/*", "application/json", "+xml"})
    types.add(each);
  for (const std::string_view good : {"text/html", "TEXT/plain; charset=utf-8", "application/json ;x", "image/svg+xml"})
    EXPECT_TRUE(types.has(good)) << good;
  for (const std::string_view bad : {"", "text", "text/", "textual/html", "application/jsonp", "+xml", "image/png",
                                     "text/event-stream", "Text/Event-Stream; x"})
    EXPECT_FALSE(types.has(bad)) << bad;
  types.add("text/event-stream");
  EXPECT_TRUE(types.has("text/event-stream"));
  for (const std::string_view bad : {"", "text", "*/*", "*/json", "text/h*", "a b/c", "a/b;c", "+", "a/b/c"})
    EXPECT_FALSE(coding::MediaTypes::is_pattern(bad)) << bad;
}

// ---- coders ----

std::string inflated(std::string_view coded) {
  z_stream stream{};
  inflateInit2(&stream, 16 + 15);
  std::string text(8 << 20, '\0');
  stream.next_in = reinterpret_cast<const unsigned char*>(coded.data());
  stream.avail_in = static_cast<unsigned>(coded.size());
  stream.next_out = reinterpret_cast<unsigned char*>(text.data());
  stream.avail_out = static_cast<unsigned>(text.size());
  inflate(&stream, Z_SYNC_FLUSH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

std::string unzstd(std::string_view coded) {
  std::string text(8 << 20, '\0');
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  ZSTD_inBuffer input{coded.data(), coded.size(), 0};
  ZSTD_outBuffer output{text.data(), text.size(), 0};
  while (input.pos < input.size && ZSTD_isError(ZSTD_decompressStream(context, &output, &input)) == 0) {
  }
  ZSTD_freeDCtx(context);
  text.resize(output.pos);
  return text;
}

std::string sample(std::size_t size) {
  std::string text;
  for (std::uint32_t k = 0; text.size() < size; ++k)
    text += "line " + std::to_string(k * 2654435761U) + (k % 3 == 0 ? "\n" : " ");
  return text.substr(0, size);
}

TEST(Coder, MakesWhatAnyDecoderReadsHoweverItIsFed) {
  const std::string text = sample(300'000);
  for (const Coding each : {Coding::gzip, Coding::zstd, Coding::br}) {
    const auto coder = coding::make_coder(each);
    std::vector<std::size_t> sizes;
    for (const std::size_t piece : {std::size_t{1 << 20}, std::size_t{65'536}, std::size_t{777}}) {
      ASSERT_TRUE(coder->begin());
      std::string coded;
      for (std::size_t at = 0; at < text.size(); at += piece) {
        coder->feed(std::string_view(text).substr(at, piece));
        coded += *coder->take(Until::more);
      }
      coded += *coder->take(Until::end);
      sizes.push_back(coded.size());
      EXPECT_LT(coded.size(), text.size() / 2);
      if (each == Coding::gzip) {
        EXPECT_EQ(inflated(coded), text);
      }
      if (each == Coding::zstd) {
        EXPECT_EQ(unzstd(coded), text);
      }
    }
    EXPECT_LT(sizes[2], sizes[0] * 11 / 10);  // small pieces cost next to nothing
  }
}

TEST(Coder, HoldsNothingBackWhenTheSourcePauses) {
  for (const Coding each : {Coding::gzip, Coding::zstd}) {
    const auto coder = coding::make_coder(each);
    ASSERT_TRUE(coder->begin());
    std::string coded;
    for (const std::string_view piece : {"one ", "two ", "three "}) {
      coder->feed(piece);
      coded += *coder->take(Until::pause);
      const std::string seen = each == Coding::gzip ? inflated(coded) : unzstd(coded);
      EXPECT_TRUE(seen.ends_with(piece)) << seen;
    }
    coded += *coder->take(Until::pause);
    coded += *coder->take(Until::end);
    EXPECT_EQ(each == Coding::gzip ? inflated(coded) : unzstd(coded), "one two three ");
  }
}

TEST(Coder, OfNothingIsAWholeBody) {
  for (const Coding each : {Coding::gzip, Coding::zstd, Coding::br}) {
    const auto coder = coding::make_coder(each);
    ASSERT_TRUE(coder->begin());
    coder->feed({});
    EXPECT_FALSE(coder->take(Until::end)->empty());
  }
}

// ---- the step ----

std::unique_ptr<const Middleware> make(Settings::Map more = {}) {
  const auto texts = [](std::vector<std::string> all) {
    Settings::List list;
    for (std::string& each : all)
      list.emplace_back(std::move(each));
    return Settings(std::move(list));
  };
  Settings::Map settings{{"types", texts({"text/*", "+json"})}, {"algorithms", texts({"zstd", "br", "gzip"})}};
  for (auto& each : more)
    settings.push_back(std::move(each));
  auto made = find_step("compress")->make(Settings(std::move(settings)), {});
  EXPECT_TRUE(made);
  return std::move(*made);
}

struct Answer {
  std::uint16_t status = 200;
  std::vector<std::pair<std::string_view, std::string_view>> headers{{"Content-Type", "text/html"}};
  bool only_head = false;
  std::string_view accept = "gzip";
  Body body = streaming();
};

struct Seen {
  bool coded = false;
  std::string headers{};
};

Seen see(const Middleware& step, const Answer& answer) {
  Stage stage({&step});
  stage.exchange.request.only_head = answer.only_head;
  if (!answer.accept.empty()) stage.receive("Accept-Encoding", answer.accept);
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::over);
  stage.upstream(answer.status, answer.body);
  for (const auto& [name, value] : answer.headers)
    Stage::receive(stage.exchange.response.headers, name, value);
  EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
  return {stage.exchange.response.filter != nullptr, text_of(stage.exchange.response.headers)};
}

TEST(Compress, CodesAndSaysSo) {
  const auto step = make();
  const Seen seen = see(*step, {.headers = {{"Content-Type", "text/html"},
                                            {"Content-Length", "5000"},
                                            {"ETag", "\"x\""},
                                            {"Accept-Ranges", "bytes"},
                                            {"Content-Digest", "sha-256=:x:"},
                                            {"X-Other", "1"}}});
  EXPECT_TRUE(seen.coded);
  EXPECT_EQ(seen.headers,
            "Content-Type: text/html\nETag: W/\"x\"\nX-Other: 1\nVary: Accept-Encoding\nContent-Encoding: gzip\n");
}

TEST(Compress, SaysThatItDependsOnTheClientAlsoWhereItDoesNotCode) {
  const auto step = make();
  EXPECT_EQ(see(*step, {.accept = ""}).headers, "Content-Type: text/html\nVary: Accept-Encoding\n");
  EXPECT_EQ(see(*step, {.headers = {{"Content-Type", "text/html"}, {"Vary", "Origin, accept-encoding"}}}).headers,
            "Content-Type: text/html\nVary: Origin, accept-encoding\nContent-Encoding: gzip\n");
  EXPECT_EQ(see(*step, {.headers = {{"Content-Type", "text/html"}, {"Vary", "Origin"}}, .accept = "br"}).headers,
            "Content-Type: text/html\nVary: Origin\nVary: Accept-Encoding\nContent-Encoding: br\n");
}

TEST(Compress, AnswersHeadAsItAnswersGet) {
  const auto step = make();
  const Seen seen = see(
      *step, {.headers = {{"Content-Type", "text/html"}, {"Content-Length", "5000"}}, .only_head = true, .body = {}});
  EXPECT_EQ(seen.headers, "Content-Type: text/html\nVary: Accept-Encoding\nContent-Encoding: gzip\n");
}

TEST(Compress, LeavesTheRestAlone) {
  const auto step = make();
  const auto with = [](std::string_view name, std::string_view value) {
    return Answer{.headers = {{"Content-Type", "text/html"}, {name, value}}};
  };
  const std::vector<Answer> cases{with("Content-Encoding", "br"),
                                  with("Content-Length", "1023"),
                                  with("Cache-Control", "public, No-Transform"),
                                  with("Content-Range", "bytes 0-1/2"),
                                  {.status = 206},
                                  {.status = 204, .body = {}},
                                  {.status = 304, .body = {}},
                                  {.body = {}},
                                  {.headers = {}},
                                  {.headers = {{"Content-Type", "image/png"}}},
                                  {.headers = {{"Content-Type", "text/event-stream"}}}};
  for (const Answer& each : cases) {
    const Seen seen = see(*step, each);
    EXPECT_FALSE(seen.coded);
    EXPECT_EQ(seen.headers.find("Vary"), std::string::npos) << seen.headers;
    EXPECT_EQ(seen.headers.find("gzip"), std::string::npos) << seen.headers;
  }
}

TEST(Compress, WhoReplacesTheResponseTakesTheCodingOut) {
  const auto step = make();
  Stage stage({step.get()});
  stage.receive("Accept-Encoding", "gzip");
  stage.exchange.run.request();
  stage.upstream(200, streaming());
  Stage::receive(stage.exchange.response.headers, "Content-Type", "text/html");
  stage.exchange.run.response();
  ASSERT_NE(stage.exchange.response.filter, nullptr);
  stage.exchange.replace_response_body("plain");
  EXPECT_EQ(stage.exchange.response.filter, nullptr);
  EXPECT_EQ(stage.exchange.response.headers.find("Content-Encoding"), nullptr);
}

TEST(Compress, HasABoundOfCodersAndUsesThemAgain) {
  const auto step = make();
  const auto begin = [&step] {
    auto stage = std::make_unique<Stage>(std::vector<const Middleware*>{step.get()});
    stage->receive("Accept-Encoding", "gzip");
    stage->exchange.run.request();
    stage->upstream(200, streaming());
    Stage::receive(stage->exchange.response.headers, "Content-Type", "text/html");
    stage->exchange.run.response();
    return stage;
  };
  std::vector<std::unique_ptr<Stage>> stages;
  for (int k = 0; k < 130; ++k)
    stages.push_back(begin());
  EXPECT_NE(stages[127]->exchange.response.filter, nullptr);
  EXPECT_EQ(stages[128]->exchange.response.filter, nullptr);
  EXPECT_EQ(stages[128]->exchange.response.headers.find("Content-Encoding"), nullptr);
  stages.clear();
  EXPECT_NE(begin()->exchange.response.filter, nullptr);
}

}  // namespace
}  // namespace lingate::middleware
