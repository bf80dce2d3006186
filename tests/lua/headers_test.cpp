#include <gmock/gmock.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using testing::HasSubstr;

const Fields kFields{{"B", "1"}, {"X-A", "old"}, {"x-a", "other"}};

TEST(LuaHeaders, AreReadWithoutRegardToCase) {
  EXPECT_EQ(json_of("return lingate.respond(200, {req.headers['x-A'], tostring(req.headers['No']), "
                    "req.headers:values('X-a'), #req.headers:values('No')})",
                    request_call(kFields)),
            R"(["old","nil",["old","other"],0])");
}

TEST(LuaHeaders, LinesArePairsInOrder) {
  EXPECT_EQ(json_of("return lingate.respond(200, req.headers:lines())", request_call(kFields)),
            R"([["B","1"],["X-A","old"],["x-a","other"]])");
}

TEST(LuaHeaders, PairsYieldsDistinctNames) {
  EXPECT_EQ(json_of("local out = {} for name, value in pairs(req.headers) do out[#out + 1] = name .. '=' .. value end "
                    "return lingate.respond(200, out)",
                    request_call(kFields)),
            R"(["B=1","X-A=old"])");
}

TEST(LuaHeaders, AssignmentsBecomeEdits) {
  Loaded script(
      Loaded::request_hook("req.headers['X-A'] = 'v' req.headers['L'] = {'1', '2'} req.headers['B'] = nil "
                           "req.headers['x-a'] = {} req.headers['C'] = lingate.null req.headers:add('X', '')"));
  const plugin::Verdict verdict = script.call(request_call(kFields));
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  const auto& edits = verdict.request().headers();
  ASSERT_GE(edits.size(), 4);
  EXPECT_EQ(edits[0].name(), "X-A");
  EXPECT_EQ(edits[0].values(0), "v");
  EXPECT_EQ(edits[1].values_size(), 2);
  EXPECT_EQ(edits[2].values_size(), 0);
  EXPECT_TRUE(edits[edits.size() - 1].append());
}

TEST(LuaHeaders, BytesThatAreNoTextSurvive) {
  Loaded script(Loaded::request_hook("req.headers['X-Copy'] = req.headers['X-Bytes']"));
  const plugin::Verdict verdict = script.call(request_call({{"X-Bytes", "\xff\x80 caf\xc3\xa9"}}));
  EXPECT_EQ(verdict.request().headers(0).values(0), "\xff\x80 caf\xc3\xa9");
}

TEST(LuaHeaders, ABadWriteRaisesAtTheAssignmentAndCanBeCaught) {
  for (const char* write :
       {"req.headers['X'] = 5", "req.headers['X'] = true", "req.headers['X'] = {1}", "req.headers['X'] = {a = 'b'}",
        "req.headers['X'] = function() end", "req.headers['X'] = 'a\\r\\nb'", "req.headers['X'] = 'a\\0b'",
        "req.headers['a b'] = 'x'", "req.headers['Content-Length'] = '5'", "req.headers['Connection'] = nil",
        "req.headers[1] = 'x'", "req.headers:add('X', nil)", "req.headers:add('X', 7)",
        "req.headers['X'] = string.rep('x', 20000)", "for i = 1, 200 do req.headers['X' .. i] = '1' end"}) {
    EXPECT_EQ(json_of(std::string("local ok, message = pcall(function() ") + write +
                      " end) return lingate.respond(200, {ok, type(message)})"),
              R"([false,"string"])")
        << write;
  }
}

TEST(LuaHeaders, ANumberIsNoHeaderValue) {
  EXPECT_THAT(failure_of("req.headers['X'] = 5"), HasSubstr("not a number"));
}

}  // namespace
}  // namespace lingate::runtimes::lua
