// What a verdict is spared where a CallView of this process wrote it, and what it is not.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "middleware/script_verdict.h"
#include "plugin.pb.h"
#include "runtimes/call_view.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using runtimes::Hook;
using runtimes::ScriptLimits;
using Origin = VerdictReader::Origin;
using Outcome = VerdictReader::Outcome;

struct OriginStage : Stage {
  explicit OriginStage(Origin origin) : reader(origin) { receive("X-A", "1"); }
  Outcome apply(std::string_view verdict) { return reader.apply(exchange, Hook::request, verdict, limits); }
  std::string head() { return text_of(exchange.request.headers); }

  ScriptLimits limits;
  VerdictReader reader;
};

void edit(plugin::Verdict& verdict, std::string_view name, std::string_view value) {
  auto* edit = verdict.mutable_request()->add_headers();
  edit->set_name(std::string(name));
  edit->add_values(std::string(value));
}

// A script that sets a header to several lines, adds one, replaces Host and removes what it added.
void write_into(runtimes::CallView& view, const ScriptLimits& limits) {
  view.begin(Hook::request, {}, limits);
  runtimes::HeadView& head = view.request_head();
  const std::string_view values[] = {"1", "two", ""};
  EXPECT_FALSE(head.set("x-a", values));
  EXPECT_FALSE(head.add("X-B", "\xff b"));
  EXPECT_TRUE(head.set("Host", values)) << "an empty value is no host";
  EXPECT_FALSE(head.set("Host", {&values[1], 1}));
  EXPECT_FALSE(head.add("X-C", "gone"));
  EXPECT_FALSE(head.remove("x-c"));
}

// The bytes of its verdict.
std::string written_here() {
  const ScriptLimits limits;
  runtimes::CallView view;
  write_into(view, limits);
  return std::string(view.finish());
}

TEST(VerdictOrigin, IsAnotherProcessWhereCallsRunInOne) {
  EXPECT_EQ(origin_of(runtimes::Placement::process), Origin::other_process);
  EXPECT_EQ(origin_of(runtimes::Placement::inline_), Origin::this_process);
  EXPECT_EQ(origin_of(runtimes::Placement::thread), Origin::this_process);
}

TEST(VerdictOrigin, MakesNoDifferenceToWhatACallViewWrote) {
  for (const Origin origin : {Origin::this_process, Origin::other_process}) {
    OriginStage stage(origin);
    ASSERT_EQ(stage.apply(written_here()), Outcome::next);
    EXPECT_EQ(stage.head(), "x-a: 1\nx-a: two\nx-a: \nX-B: \xff b\nHost: two\n");
  }
}

TEST(VerdictOrigin, MakesNoDifferenceToWhatIsAppliedAsItStands) {
  for (const auto lines : {VerdictReader::Lines::elsewhere, VerdictReader::Lines::in_arena}) {
    runtimes::CallView view;
    OriginStage stage(Origin::this_process);
    write_into(view, stage.limits);
    ASSERT_EQ(stage.reader.apply(stage.exchange, Hook::request, view.verdict(), stage.limits, lines), Outcome::next);
    EXPECT_EQ(stage.head(), "x-a: 1\nx-a: two\nx-a: \nX-B: \xff b\nHost: two\n");
  }
}

TEST(VerdictOrigin, OfThisProcessIsHeldAgainstTheLimitsAsItStands) {
  runtimes::CallView view;
  OriginStage stage(Origin::this_process);
  write_into(view, stage.limits);
  stage.limits.head = 20;
  EXPECT_EQ(
      stage.reader.apply(stage.exchange, Hook::request, view.verdict(), stage.limits, VerdictReader::Lines::elsewhere),
      Outcome::failed);
  EXPECT_EQ(stage.head(), "X-A: 1\n");
}

TEST(VerdictOrigin, OfAnotherProcessIsSearchedForWhatMayNotStand) {
  const std::pair<std::string_view, std::string_view> kBad[] = {
      {"X", "a\r\nb"}, {"X Y", "a"}, {"Content-Length", "3"}, {"connection", "close"}, {"Host", "a b"}};
  for (const auto& [name, value] : kBad) {
    OriginStage stage(Origin::other_process);
    plugin::Verdict verdict;
    edit(verdict, name, value);
    EXPECT_EQ(stage.apply(verdict.SerializeAsString()), Outcome::failed) << name;
    EXPECT_EQ(stage.head(), "X-A: 1\n");
  }
}

TEST(VerdictOrigin, OfThisProcessMustBeWellFormedAndWithinTheLimits) {
  const std::pair<std::string_view, std::function<void(plugin::Verdict&)>> kBad[] = {
      {"long line", [](auto& v) { edit(v, "X", std::string(20'000, 'x')); }},
      {"no name", [](auto& v) { edit(v, "", "x"); }},
      {"large head",
       [](auto& v) {
         for (int k = 0; k < 5; ++k)
           edit(v, "X-" + std::to_string(k), std::string(10'000, 'v'));
       }},
      {"method", [](auto& v) { v.mutable_request()->set_method("GE T"); }},
      {"response edits in request", [](auto& v) { v.mutable_response()->set_status(200); }},
      {"answer's header",
       [](auto& v) {
         v.mutable_answer()->set_status(200);
         auto* line = v.mutable_answer()->add_headers();
         line->set_name("X");
         line->set_value("a\nb");
       }},
  };
  for (const auto& [name, spoil] : kBad) {
    OriginStage stage(Origin::this_process);
    plugin::Verdict verdict;
    edit(verdict, "X-Good", "1");
    spoil(verdict);
    EXPECT_EQ(stage.apply(verdict.SerializeAsString()), Outcome::failed) << name;
    EXPECT_EQ(stage.head(), "X-A: 1\n");
  }
}

TEST(VerdictOrigin, OfThisProcessCutAnywhereIsRefusedOrHarmless) {
  const std::string whole = written_here();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    OriginStage stage(Origin::this_process);
    EXPECT_EQ(stage.apply(std::string_view(whole).substr(0, size)), Outcome::failed) << size;
    EXPECT_EQ(stage.head(), "X-A: 1\n");
  }
}

}  // namespace
}  // namespace lingate::middleware
