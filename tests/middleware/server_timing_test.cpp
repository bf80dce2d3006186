#include <regex>

#include "middleware/builtin.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

std::unique_ptr<const Middleware> make(std::string_view kind, Settings::Map settings = {}) {
  auto made = find_step(kind)->make(Settings(std::move(settings)), {});
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

std::string timing_of(Stage& stage) {
  stage.run();
  return std::string(stage.exchange.response.headers.value("Server-Timing"));
}

TEST(ServerTiming, TellsWhatTheStepsWithinTook) {
  const auto outer = make("request-id");
  const auto timing = make("server-timing");
  const auto inner = make("body-limit", {{"size", Settings(ByteSize{10})}});
  Stage stage({outer.get(), timing.get(), inner.get()});
  EXPECT_TRUE(std::regex_match(
      timing_of(stage), std::regex(R"(total;dur=\d+\.\d{3}(, upstream;dur=\d+\.\d{3})?, body-limit;dur=\d+\.\d{3})")))
      << timing_of(stage);
}

TEST(ServerTiming, IsThereForAnAnswerOfAStep) {
  const auto timing = make("server-timing");
  const auto answer = make("respond", {{"status", Settings(std::int64_t{204})}});
  Stage stage({timing.get(), answer.get()});
  EXPECT_TRUE(std::regex_match(timing_of(stage), std::regex(R"(total;dur=\d+\.\d{3}, respond;dur=\d+\.\d{3})")))
      << timing_of(stage);
}

TEST(ServerTiming, NobodyElseIsTimed) {
  const auto inner = make("body-limit", {{"size", Settings(ByteSize{10})}});
  Stage stage({inner.get()});
  stage.run();
  EXPECT_LT(stage.exchange.steps[0].request.count(), 0);
}

}  // namespace
}  // namespace lingate::middleware
