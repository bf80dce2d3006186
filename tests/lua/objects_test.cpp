// Handles: what names an object of a call, for as long as an instance lives and however many calls it has.
#include <gmock/gmock.h>

#include "runtimes/lua/handle.h"
#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

TEST(LuaHandle, KeepsWhatItNames) {
  for (const Handle& handle : {Handle{Kind::request, 0, 1}, Handle{Kind::session, 16383, (1U << 22) - 1},
                               Handle{Kind::params, 4711, 123456}}) {
    const Handle again = Handle::from(handle.light());
    EXPECT_EQ(again.kind, handle.kind);
    EXPECT_EQ(again.slot, handle.slot);
    EXPECT_EQ(again.generation, handle.generation);
  }
}

TEST(LuaHandle, AnyOtherAddressIsNoObject) {
  static const char kAddress = 0;
  EXPECT_EQ(Handle::from(nullptr).kind, Kind::null);
  EXPECT_EQ(Handle::from(&kAddress).kind, Kind::null);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// More calls than a slot has generations, most of them in compiled code.
TEST(LuaHandle, NoObjectComesBackInMillionsOfCalls) {
  Loaded script(R"(
    local first, seen, M = nil, 0, {}
    function M.request(req)
      if not first then first = req return end
      if first == req then seen = seen + 1 end
      if req.headers.Tell then
        req.headers['Seen'] = tostring(seen)
        req.headers['Stale'] = tostring(not pcall(function() return first.path end))
      end
    end
    return M)");
  const std::string call = request_call().SerializeAsString();
  test::RoomCalls calls;
  for (std::uint32_t i = 0; i < (1U << Handle::kGenerationBits) + 100; ++i) {
    const auto progress = calls.start(*script.instance, 1, Hook::request, call);
    ASSERT_TRUE(progress.verdict.empty()) << i;
  }
  const plugin::Verdict verdict = script.call(request_call({{"Tell", "1"}}));
  ASSERT_EQ(verdict.request().headers_size(), 2) << verdict.failure().message();
  EXPECT_EQ(verdict.request().headers(0).values(0), "0");
  EXPECT_EQ(verdict.request().headers(1).values(0), "true");
  EXPECT_TRUE(script.instance->usable());
}

TEST(LuaHandle, MoreSuspendedCallsThanItCanNameAreRefused) {
  Loaded::Options options;
  options.memory = 1 << 30;
  Loaded script(Loaded::request_hook("lingate.sleep(1) req.headers['Q'] = req.query"), options);
  const auto call_with = [](CallId id) {
    plugin::Call call = request_call();
    call.mutable_request()->set_query(std::to_string(id));
    return call;
  };
  constexpr CallId kMost = 1U << Handle::kSlotBits;
  for (CallId id = 0; id < kMost; ++id)
    ASSERT_EQ(script.start(call_with(id), id).state, Progress::State::suspended) << id;
  EXPECT_EQ(script.call(call_with(kMost), kMost).failure().kind(), plugin::Failure::UNAVAILABLE);
  for (const CallId id : {CallId{0}, kMost / 2, kMost - 1})
    EXPECT_EQ(Loaded::parse(script.resume(id).verdict).request().headers(0).values(0), std::to_string(id));
  EXPECT_EQ(script.start(call_with(kMost), kMost).state, Progress::State::suspended);
}
#endif

TEST(LuaObjects, CompiledCodeRefusesWhatInterpretedCodeRefuses) {
  Loaded script(R"(
    local M, kept = {}, nil
    local function touch(headers) headers['A'] = 'x' return headers['A'] end
    function M.request(req)
      for i = 1, 200 do touch(req.headers) end
      req.headers['Bad'] = tostring(pcall(function() for i = 1, 100 do req.headers['B'] = 'a\r' end end))
      req.headers['Old'] = tostring(kept and pcall(touch, kept))
      kept = req.headers
    end
    return M)");
  script.call();
  const plugin::Verdict verdict = script.call();
  std::map<std::string, std::string> last;
  for (const plugin::HeaderEdit& edit : verdict.request().headers())
    last[edit.name()] = edit.values(0);
  EXPECT_EQ(last, (std::map<std::string, std::string>{{"A", "x"}, {"Bad", "false"}, {"Old", "false"}}));
}

TEST(LuaObjects, NullIsNoObject) {
  Loaded script(Loaded::request_hook(R"(
    local null = lingate.null
    local function message(body) local _, problem = pcall(body) return problem end
    req.headers['Read'] = message(function() return null.x end)
    req.headers['Write'] = message(function() null.x = 1 end)
    req.headers['Walk'] = message(function() for _ in pairs(null) do end end)
    req.headers['Name'] = tostring(null) .. ' ' .. tostring(req) .. ' ' .. tostring(req.headers) .. ' ' .. type(req))"));
  const plugin::Verdict verdict = script.call();
  ASSERT_EQ(verdict.request().headers_size(), 4) << verdict.failure().message();
  EXPECT_THAT(verdict.request().headers(0).values(0), testing::EndsWith("attempt to index lingate.null"));
  EXPECT_THAT(verdict.request().headers(1).values(0), testing::EndsWith("attempt to index lingate.null"));
  EXPECT_THAT(verdict.request().headers(2).values(0), testing::HasSubstr("table expected"));
  EXPECT_EQ(verdict.request().headers(3).values(0), "null req req.headers userdata");
}

}  // namespace
}  // namespace lingate::runtimes::lua
