// Scripts that run away: each is stopped at its budget, whatever it does, and the next call on the instance succeeds.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/lua/support.h"

namespace lingate::runtimes::lua {
namespace {

using std::chrono::milliseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto kLatest = milliseconds(1000);
#else
constexpr auto kLatest = milliseconds(50);
#endif

struct Runaway {
  const char* name;
  const char* body;
};

void PrintTo(const Runaway& each, std::ostream* out) {
  *out << each.name;
}

std::string two_faced(const std::string& runaway) {
  return "local M = {}\nfunction M.request(req)\n if req.headers['Run'] then\n" + runaway +
         "\n end\n req.headers['X-Ok'] = 'yes'\nend\nreturn M\n";
}

class LuaBudget : public testing::TestWithParam<Runaway> {};

TEST_P(LuaBudget, StopsIt) {
  Loaded::Options options;
  options.budget = milliseconds(30);
  options.memory = 256 << 20;
  Loaded script(two_faced(GetParam().body), options);
  ASSERT_TRUE(script.instance) << script.error.message;
  for (int round = 0; round < 3; ++round) {
    const plugin::Verdict verdict = script.call(request_call({{"Run", "1"}}));
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::TIMEOUT) << verdict.failure().message();
    EXPECT_FALSE(verdict.has_request());
    // In the thread's own time: what a loaded machine gives to others in between is not the script's doing.
    EXPECT_LT(script.ran, milliseconds(30) + kLatest);
    const plugin::Verdict next = script.call();
    ASSERT_FALSE(next.has_failure()) << next.failure().message();
    EXPECT_EQ(next.request().headers(0).values(0), "yes");
  }
}

const Runaway kRunaways[] = {
    {"PlainLoop", "while true do end"},
    {"CompiledLoop", "local x = 0 while true do x = x + 1 end"},
    {"CompiledFor", "local x = 0 for i = 1, 1e18 do x = x + i % 7 end"},
    {"NestedLoops", "local t = {} while true do for i = 1, 100 do t[i] = (t[i] or 0) + 1 end end"},
    {"CallsInALoop", "local function f(a) return a + 1 end local x = 0 while true do x = f(x) end"},
    {"Pcall", "while true do pcall(function() while true do end end) end"},
    {"PcallReturned", "return pcall(function() while true do end end)"},
    {"Xpcall", "while true do xpcall(function() while true do end end, function() while true do end end) end"},
    {"XpcallHandler", "xpcall(error, function() while true do end end)"},
    {"ErrorInHandler", "while true do xpcall(function() error('a') end, function() error('b') end) end"},
    {"Coroutine",
     "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end"},
    {"CoroutineInside", "coroutine.wrap(function() while true do end end)()"},
    {"CoroutineResume", "while true do coroutine.resume(coroutine.create(function() while true do end end)) end"},
    {"TailCalls", "local function f() return f() end return f()"},
    {"SortComparator", "table.sort({3, 2, 1}, function() while true do end end)"},
    {"SortNativeComparator", "local t = {} for i = 1, 2e5 do t[i] = i end while true do table.sort(t, rawequal) end"},
    {"SortMuch", "local t = {} for i = 1, 2e6 do t[i] = i * 7919 % 1000003 end while true do table.sort(t) end"},
    {"ToString", "return tostring(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"Index", "local t = setmetatable({}, {__index = function() while true do end end}) return t.x"},
    {"Gsub", "local s = string.rep('x', 1000) while true do s:gsub('.', function() end) end"},
    {"PatternBacktracking", "return string.find(string.rep('a', 5000), string.rep('a*', 60) .. 'b')"},
    {"PatternLazy", "return string.match(string.rep('a', 200000), '.-.-.-.-b')"},
    {"PatternBalance", "return string.find(string.rep('(', 500000), '%b()')"},
    {"PatternSet", "return string.find(string.rep('a', 1e6), '[' .. string.rep('b', 1e5) .. 'a]*c')"},
    {"PatternGmatch", "for _ in string.gmatch(string.rep('a', 1e6), '.-.-b') do end"},
    {"FindPlainLong",
     "local s, p = string.rep('a', 1e6), string.rep('a', 5e5) .. 'b' while true do s:find(p, 1, true) end"},
    {"Rep", "while true do string.rep('abc', 1e7) end"},
    {"Concat", "local t = {} for i = 1, 1e6 do t[i] = i + 0.5 end while true do table.concat(t, ',') end"},
    {"ConcatOverALyingRange", "while true do pcall(table.concat, {}, '', 1, 2 ^ 31 - 1) end"},
    {"InsertAtAFarPosition", "while true do pcall(table.insert, {1}, -2 ^ 31 + 1, 2) end"},
    {"UnpackAHugeRange", "while true do pcall(unpack, {}, 1, 1e9) pcall(unpack, {}, 1, 7000) end"},
    {"Format",
     "local t = {} for i = 1, 200 do t[i] = i end local f = string.rep('%99.99f', 200) while true do string.format(f, "
     "unpack(t)) end"},
    {"Load", "while true do load(string.rep('x = 1 ', 150000)) end"},
    {"JsonEncode", "local t = {} for i = 1, 1e6 do t[i] = i + 0.5 end while true do lingate.json.encode(t) end"},
    {"JsonDag", "local t = {} for i = 1, 100 do t = {t, t} end while true do pcall(lingate.json.encode, t) end"},
    {"JsonDecode", "local s = '[' .. string.rep('1,', 1e6) .. '1]' while true do lingate.json.decode(s) end"},
    {"ErrorToString", "error(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"PairsMetamethod", "for _ in pairs(setmetatable({}, {__pairs = function() while true do end end})) do end"},
    {"Headers", "local x while true do x = req.headers['Run'] x = req.headers:values('Run') end"},

};

INSTANTIATE_TEST_SUITE_P(Runaways, LuaBudget, testing::ValuesIn(kRunaways),
                         [](const auto& run) { return std::string(run.param.name); });

// The stop passes all of them at once; the engine's stack bounds how many there are.
TEST(LuaBudgetNested, ThousandsOfNestedPcallsThatGoOnAreUnwound) {
  Loaded::Options options;
  options.budget = milliseconds(30);
  Loaded script(
      two_faced("local function go() while true do local ok = pcall(go) if not ok then go() end end end go()"),
      options);
  ASSERT_TRUE(script.instance) << script.error.message;
  const plugin::Verdict verdict = script.call(request_call({{"Run", "1"}}));
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::TIMEOUT) << verdict.failure().message();
  EXPECT_LT(script.ran, milliseconds(30) + kLatest);
  EXPECT_FALSE(script.call().has_failure());
}

// Joining needs so much memory that the collector is due on the way, each time.
const char* const kJoins = R"(
    local t = {}
    for i = 1, 1.5e6 do t[i] = i + 0.5 end
    return {request = function(req)
      if req.headers.Run then
        while true do pcall(table.concat, t, ',') end
      end
      req.headers['X-Size'] = tostring(#table.concat(t, ','))
    end}
)";

TEST(LuaBudgetConcat, JoinsNearTheMemoryLimit) {
  Loaded script(kJoins);
  ASSERT_TRUE(script.instance) << script.error.message;
  for (int round = 0; round < 3; ++round) {
    const plugin::Verdict joined = script.call();
    ASSERT_FALSE(joined.has_failure()) << joined.failure().message();
    EXPECT_EQ(joined.request().headers(0).values(0), "13888895");
  }
}

TEST(LuaBudgetConcat, IsStoppedNearTheMemoryLimit) {
  Loaded::Options options;
  options.budget = milliseconds(300);
  Loaded script(kJoins, options);
  ASSERT_TRUE(script.instance) << script.error.message;
  for (int round = 0; round < 3; ++round) {
    const plugin::Verdict stopped = script.call(request_call({{"Run", "1"}}));
    EXPECT_EQ(stopped.failure().kind(), plugin::Failure::TIMEOUT) << stopped.failure().message();
    EXPECT_LT(script.ran, milliseconds(300) + kLatest);
  }
}

// Denormal numbers that all have the same hash; the insertion that makes their table grow moves all of them at once.
TEST(LuaBudgetTable, GrowsInLinearTimeThoughAllKeysCollide) {
  Loaded script(R"(
local keys, t, M, count = {}, {}, {}, 16384
for low = 0, 65535 do
  if bit.band(bit.rshift(low, 13), 7) == bit.band(low, 7) then
    for middle = 0, 7 do
      local bits = bit.band(low, 0x1fff) * 2 ^ 19 + middle * 65536 + low
      if bits > 0 then keys[#keys + 1] = bits * 2 ^ -1074 end
    end
  end
end
function M.init() for i = 1, count do t[keys[i]] = true end end
function M.request() t[keys[count + 1]] = true end
return M)");
  ASSERT_TRUE(script.instance) << script.error.message;
  script.call();
  EXPECT_LT(script.ran, milliseconds(20));
}

TEST(LuaBudgetLoad, TheTopLevelAndInitAreBounded) {
  Loaded::Options options;
  options.init_budget = milliseconds(30);
  Loaded top("while true do end", options);
  EXPECT_EQ(top.error.kind, FailureKind::timeout);
  Loaded init("return {init = function() while true do end end, request = function() end}", options);
  EXPECT_EQ(init.error.kind, FailureKind::timeout);
  EXPECT_EQ(init.error.line, 1U);
}

TEST(LuaBudgetPlace, ATimeoutSaysWhereTheScriptWas) {
  Loaded::Options options;
  options.budget = milliseconds(20);
  Loaded script("return {request = function()\n local x = 0\n while true do\n x = x + 1\n end end}", options);
  const plugin::Verdict verdict = script.call();
  EXPECT_EQ(verdict.failure().file(), "scripts/test.lua");
  EXPECT_GE(verdict.failure().line(), 3U);
  EXPECT_LE(verdict.failure().line(), 5U);
}

// As the kernel has it: the thread sanitizer answers for the C library's sigaction() from a table of its own.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

KernelAction stop_action(const KernelAction* wanted = nullptr) {
  KernelAction before{};
  EXPECT_EQ(::syscall(SYS_rt_sigaction, SIGRTMIN + 7, wanted, &before, sizeof(before.mask)), 0);
  return before;
}

// A stop that is on its way to another VM's thread would get lost in the change.
TEST(LuaBudgetSignal, AnotherInstanceLeavesItCaughtAsItIs) {
  const std::string runaway = two_faced("while true do end");
  Loaded::Options options;
  options.budget = milliseconds(30);
  Loaded first(runaway, options);
  const KernelAction caught = stop_action();
  KernelAction marked = caught;
  marked.handler = SIG_IGN;
  stop_action(&marked);
  Loaded second(runaway, options);
  EXPECT_EQ(stop_action(&caught).handler, SIG_IGN);
  for (Loaded* script : {&first, &second})
    EXPECT_EQ(script->call(request_call({{"Run", "1"}})).failure().kind(), plugin::Failure::TIMEOUT);
}

}  // namespace
}  // namespace lingate::runtimes::lua
