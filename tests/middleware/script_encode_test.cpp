// What a script that runs on the exchange's own thread is given of it, and that it is what one elsewhere is given.
#include "middleware/script_encode.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "runtimes/call_view.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using runtimes::CallView;
using runtimes::Hook;
using runtimes::ScriptLimits;
using Text = CallView::RequestText;

struct CallStage : Stage {
  explicit CallStage(Hook hook = Hook::request, std::int8_t arity = 3) : shape(shape_of(hook, arity)) {
    receive("Host", "api.example.com");
    receive("X-Twice", "1");
    receive("X-Empty", "");
    receive("x-twice", "2");
    exchange.response.status = 204;
    receive(exchange.response.headers, "ETag", "\"1\"");
  }
  CallView& begin() {
    parts.begin(exchange, shape, buffers);
    view.begin(shape.hook, parts, exchange.arena, limits);
    return view;
  }

  const CallShape shape;
  const ScriptLimits limits;
  CallBuffers buffers;
  ExchangeCall parts;
  CallView view;
};

TEST(ExchangeCall, EncodesNothingForAScriptThatOnlyWrites) {
  CallStage stage(Hook::response);
  const std::string_view value = "1";
  EXPECT_FALSE(stage.begin().response_head().set("X-New", {&value, 1}));
  EXPECT_TRUE(stage.view.verdict().response);
  EXPECT_TRUE(stage.exchange.encoded_texts.room.empty());
  EXPECT_TRUE(stage.exchange.encoded_lines.room.empty());
  EXPECT_TRUE(stage.buffers.response_head.empty());
}

TEST(ExchangeCall, EncodesOneHeaderForAScriptThatReadsOne) {
  CallStage stage;
  runtimes::HeadView& head = stage.begin().request_head();
  ASSERT_NE(head.get("X-TWICE"), nullptr);
  EXPECT_EQ(*head.get("X-TWICE"), "1");
  ASSERT_NE(head.get("x-empty"), nullptr);
  EXPECT_EQ(*head.get("x-empty"), "");
  EXPECT_EQ(head.get("X-Other"), nullptr);
  EXPECT_TRUE(stage.exchange.encoded_lines.room.empty());
  EXPECT_EQ(head.lines().size(), 4U);
  EXPECT_FALSE(stage.exchange.encoded_lines.room.empty());
}

TEST(ExchangeCall, KeepsWhatIsReadOfOneHeadWhileTheOtherIsRead) {
  CallStage stage(Hook::response);
  ASSERT_NE(stage.begin().request_head().get("X-Twice"), nullptr);
  ASSERT_NE(stage.view.response_head().get("etag"), nullptr);
  EXPECT_EQ(*stage.view.request_head().get("X-Twice"), "1");
  EXPECT_EQ(*stage.view.response_head().get("ETag"), "\"1\"");
}

TEST(ExchangeCall, SeesNoHeaderThatWasRemovedAndEachThatWasSet) {
  CallStage stage;
  stage.exchange.request.headers.remove("x-twice");
  stage.exchange.request.headers.set("X-Set", "s");
  runtimes::HeadView& head = stage.begin().request_head();
  EXPECT_EQ(head.get("X-Twice"), nullptr);
  ASSERT_NE(head.get("X-Set"), nullptr);
  EXPECT_EQ(*head.get("X-Set"), "s");
  EXPECT_EQ(head.lines().size(), 3U);
}

TEST(ExchangeCall, IsTheCallThatLeavesTheThread) {
  for (const Hook hook : {Hook::request, Hook::response, Hook::log}) {
    CallStage stage(hook);
    stage.exchange.set_context("");
    std::string bytes;
    encode_call(stage.exchange, stage.shape, stage.buffers, bytes);
    CallView whole;
    whole.begin(hook, bytes, stage.limits);
    CallView& part = stage.begin();
    for (const Text text : {Text::id, Text::method, Text::host, Text::path, Text::query, Text::route, Text::client_ip})
      EXPECT_EQ(part.request_text(text), whole.request_text(text));
    EXPECT_EQ(part.client_port(), 4711U);
    EXPECT_EQ(part.status(), whole.status());
    const auto same = [](runtimes::HeadView& a, runtimes::HeadView& b) {
      ASSERT_EQ(a.lines().size(), b.lines().size());
      for (std::size_t i = 0; i < a.lines().size(); ++i) {
        EXPECT_EQ(a.lines()[i].name, b.lines()[i].name);
        EXPECT_EQ(a.lines()[i].value, b.lines()[i].value);
      }
    };
    same(part.request_head(), whole.request_head());
    same(part.response_head(), whole.response_head());
  }
}

TEST(ExchangeCall, GivesNothingThatTheHookDoesNotTake) {
  CallStage stage(Hook::response, 1);  // response(res)
  CallView& view = stage.begin();
  EXPECT_EQ(view.request_text(Text::path), "");
  EXPECT_EQ(view.request_head().get("Host"), nullptr);
  EXPECT_EQ(view.request_head().lines().size(), 0U);
  EXPECT_EQ(view.status(), 204U);
}

TEST(ExchangeCall, HasAHeadMeasuredBeforeItIsOverALimit) {
  CallStage stage;
  for (int k = 0; k < 60; ++k) {
    stage.exchange.request.headers.add("X-Gone", "1");
    stage.exchange.request.headers.remove("X-Gone");  // still in the array, and no line of the head
  }
  runtimes::HeadView& head = stage.begin().request_head();
  for (int k = 0; k < 96; ++k)
    EXPECT_FALSE(head.add("X-New", "1")) << k;
  EXPECT_TRUE(head.add("X-New", "1")) << "a hundred lines are the limit";
}

}  // namespace
}  // namespace lingate::middleware
