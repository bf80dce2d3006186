#include "base/codes.h"
#include "middleware/builtin.h"
#include "middleware/limits/limits.h"
#include "tests/middleware/fake_host.h"
#include "tests/middleware/recorder.h"
#include "tests/middleware/sessions.h"

namespace lingate::middleware {
namespace {

using limits::Limits;

Settings text(std::string value) {
  return Settings(std::move(value));
}
Settings number(std::int64_t value) {
  return Settings(value);
}
Settings map(Settings::Map members) {
  return Settings(std::move(members));
}
Settings list(std::vector<std::string> items) {
  Settings::List all;
  for (std::string& item : items)
    all.push_back(text(std::move(item)));
  return Settings(std::move(all));
}
// So slow that no test sees one come back.
Settings an_hour(std::int64_t count) {
  return map({{"count", number(count)}, {"per", Settings(Settings::Duration(std::chrono::hours(1)))}});
}

using Made = std::unique_ptr<const Middleware>;

Made make(std::string_view kind, const Settings& settings, Limits* limits = nullptr,
          std::string_view name = "route r/x/1") {
  auto made = find_step(kind)->make(settings, {.limits = limits, .name = name});
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
  return made ? std::move(*made) : nullptr;
}

std::string header(const Stage& stage, std::string_view name) {
  return std::string(stage.exchange.response.headers.value(name));
}

// ---- ip ----

std::uint16_t ask_from(const Middleware& step, std::string_view address) {
  Stage stage({&step});
  stage.exchange.request.client_ip = address;
  const std::uint16_t status = stage.run();
  EXPECT_EQ(stage.exchange.facts.fault, status == 200 ? 0 : code::kAddressNotAllowed);
  return status;
}

TEST(Ip, DenyWinsOverAllow) {
  const Made step = make("ip", map({{"allow", list({"10.0.0.0/8", "fd00::/8", "192.0.2.7"})},
                                    {"deny", list({"10.9.0.0/16", "fd00:9::/31"})}}));
  for (const char* good : {"10.1.2.3", "10.8.255.255", "192.0.2.7", "fd00::1", "::ffff:10.1.2.3", "fd00:b::1"})
    EXPECT_EQ(ask_from(*step, good), 200) << good;
  for (const char* bad : {"10.9.0.1", "::ffff:10.9.0.1", "11.0.0.1", "192.0.2.6", "192.0.2.8", "fd00:9::1", "fd00:8::1",
                          "fe80::1", "::1", "", "nonsense"})
    EXPECT_EQ(ask_from(*step, bad), 403) << bad;
}

TEST(Ip, WithoutAllowAllPassThatAreNotDenied) {
  const Made step = make("ip", map({{"deny", text("::ffff:192.0.2.0/120")}}));
  EXPECT_EQ(ask_from(*step, "192.0.2.1"), 403);
  EXPECT_EQ(ask_from(*step, "192.0.3.1"), 200);
  EXPECT_EQ(ask_from(*step, "2001:db8::1%eth0"), 200);
  EXPECT_EQ(ask_from(*step, ""), 200);
}

TEST(Ip, AnEmptyAllowLetsNobodyPass) {
  const Made step = make("ip", map({{"allow", list({})}}));
  EXPECT_EQ(ask_from(*step, "192.0.2.1"), 403);
}

TEST(Ip, EverybodyIsZeroBits) {
  EXPECT_EQ(ask_from(*make("ip", map({{"allow", text("0.0.0.0/0")}})), "192.0.2.1"), 200);
  EXPECT_EQ(ask_from(*make("ip", map({{"allow", text("0.0.0.0/0")}})), "2001:db8::1"), 403);
  EXPECT_EQ(ask_from(*make("ip", map({{"allow", text("::/0")}})), "192.0.2.1"), 200);
}

TEST(Ip, RefusesWhatIsNoNetwork) {
  for (const char* bad : {"lan", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129"})
    EXPECT_FALSE(find_step("ip")->make(map({{"deny", text(bad)}}), {})) << bad;
}

// ---- rate-limit ----

TEST(RateLimit, RefusesWhenTheBucketIsEmpty) {
  Limits limits;
  const Made step = make("rate-limit", map({{"rate", an_hour(60)}, {"burst", number(2)}}), &limits);
  for (const char* left : {"1", "0"}) {
    Stage stage({step.get()});
    EXPECT_EQ(stage.run(), 200);
    EXPECT_EQ(header(stage, "RateLimit-Limit"), "2");
    EXPECT_EQ(header(stage, "RateLimit-Remaining"), left);
    EXPECT_EQ(header(stage, "Retry-After"), "");
  }
  Stage stage({step.get()});
  EXPECT_EQ(stage.run(), 429);
  EXPECT_EQ(stage.exchange.facts.fault, code::kRateLimited);
  EXPECT_EQ(header(stage, "RateLimit-Limit"), "2");
  EXPECT_EQ(header(stage, "RateLimit-Remaining"), "0");
  EXPECT_EQ(header(stage, "RateLimit-Reset"), "120");
  EXPECT_EQ(header(stage, "Retry-After"), "60");
}

TEST(RateLimit, AShortWaitIsAWholeSecond) {
  Limits limits;
  const Made step =
      make("rate-limit",
           map({{"rate",
                 map({{"count", number(1)}, {"per", Settings(Settings::Duration(std::chrono::milliseconds(999)))}})}}),
           &limits);
  Stage first({step.get()});
  EXPECT_EQ(first.run(), 200);
  Stage second({step.get()});
  EXPECT_EQ(second.run(), 429);
  EXPECT_EQ(header(second, "Retry-After"), "1");
}

struct Caller {
  std::string address = "192.0.2.1";
  std::optional<Session> session{};
  std::string tenant{};
  std::string context{};
};

std::uint16_t ask(const Middleware& step, Caller caller) {
  Stage stage({&step});
  stage.exchange.request.client_ip = caller.address;
  stage.exchange.set_session(std::move(caller.session));
  stage.exchange.set_context(caller.context);
  if (!caller.tenant.empty()) stage.receive("X-Tenant", caller.tenant);
  return stage.run();
}

// ctx = {name: value}, encoded.
std::string member(std::string_view name, std::string_view value) {
  std::string inner(name.size() + value.size() + 16, '\0');
  char* end = proto::put_bytes_field(inner.data(), proto::member::kName, name);
  inner.resize(static_cast<std::size_t>(proto::put_bytes_field(end, proto::member::kValue, value) - inner.data()));
  std::string all(inner.size() + 16, '\0');
  all.resize(
      static_cast<std::size_t>(proto::put_bytes_field(all.data(), proto::members::kMembers, inner) - all.data()));
  return all;
}
std::string text_value(std::string_view value) {
  std::string all(value.size() + 16, '\0');
  all.resize(static_cast<std::size_t>(proto::put_bytes_field(all.data(), proto::value::kText, value) - all.data()));
  return all;
}
std::string number_value(double value) {
  std::string all(16, '\0');
  all.resize(static_cast<std::size_t>(proto::put_double_field(all.data(), proto::value::kNumber, value) - all.data()));
  return all;
}

Settings one_by(std::string by) {
  return map({{"rate", an_hour(1)}, {"by", text(std::move(by))}});
}

TEST(RateLimit, CountsBySession) {
  Limits limits;
  const Made step = make("rate-limit", one_by("session.id"), &limits);
  EXPECT_EQ(ask(*step, {.session = session_with("a")}), 200);
  EXPECT_EQ(ask(*step, {.address = "192.0.2.2", .session = session_with("a")}), 429);
  EXPECT_EQ(ask(*step, {.session = session_with("b")}), 200);
}

TEST(RateLimit, CountsByAddressWhereThereIsNothingElse) {
  for (const char* by : {"session.id", "client.ip", "header.X-Tenant", "ctx.tenant"}) {
    Limits limits;
    const Made step = make("rate-limit", one_by(by), &limits);
    EXPECT_EQ(ask(*step, {}), 200) << by;
    EXPECT_EQ(ask(*step, {}), 429) << by;
    EXPECT_EQ(ask(*step, {.address = "192.0.2.2"}), 200) << by;
  }
}

TEST(RateLimit, AnAddressIsNotASessionOfThatName) {
  Limits limits;
  const Made step = make("rate-limit", one_by("session.id"), &limits);
  EXPECT_EQ(ask(*step, {}), 200);
  EXPECT_EQ(ask(*step, {.session = session_with("192.0.2.1")}), 200);
}

TEST(RateLimit, CountsByRouteAndHeader) {
  Limits limits;
  const Made by_route = make("rate-limit", one_by("route"), &limits);
  EXPECT_EQ(ask(*by_route, {}), 200);
  EXPECT_EQ(ask(*by_route, {.address = "192.0.2.2"}), 429);
  const Made by_header = make("rate-limit", one_by("header.X-Tenant"), &limits);
  EXPECT_EQ(ask(*by_header, {.tenant = "a"}), 200);
  EXPECT_EQ(ask(*by_header, {.tenant = "a"}), 429);
  EXPECT_EQ(ask(*by_header, {.tenant = "b"}), 200);
}

TEST(RateLimit, CountsByTextsAndNumbersOfTheContext) {
  Limits limits;
  const Made step = make("rate-limit", one_by("ctx.tenant"), &limits);
  for (const std::string& value : {text_value("a"), text_value("b"), number_value(7), number_value(7.5)}) {
    EXPECT_EQ(ask(*step, {.context = member("other", text_value("x")) + member("tenant", value)}), 200);
    EXPECT_EQ(ask(*step, {.address = "192.0.2.9", .context = member("tenant", value)}), 429);
  }
  EXPECT_EQ(ask(*step, {.context = member("tenant", std::string("\x10\x01", 2))}), 200);  // true: the address counts
  EXPECT_EQ(ask(*step, {}), 429);
}

TEST(RateLimit, ASessionsOwnRateComesFirst) {
  Limits limits;
  const Made step = make("rate-limit", one_by("session.id"), &limits);
  const Session session = session_with("a", {.rate = 2.0, .per = 3600.0});
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  EXPECT_EQ(ask(*step, {.session = session}), 429);
  // Another rate is another count.
  EXPECT_EQ(ask(*step, {.session = session_with("a", {.rate = 9.0, .per = 3600.0})}), 200);
}

TEST(RateLimit, ASessionsOwnRateDoesNotOpenALimitOfTheRoute) {
  Limits limits;
  const Made step = make("rate-limit", one_by("route"), &limits);
  const Session session = session_with("a", {.rate = 1000.0});
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  EXPECT_EQ(ask(*step, {.session = session}), 429);
}

TEST(RateLimit, WithoutRateOnlySessionsOfOneAreLimited) {
  Limits limits;
  const Made step = make("rate-limit", map({}), &limits);
  const Session session = session_with("a", {.rate = 1.0, .per = 3600.0});
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  EXPECT_EQ(ask(*step, {.session = session}), 429);
  for (int k = 0; k < 5; ++k) {
    EXPECT_EQ(ask(*step, {.session = session_with("b")}), 200);
    EXPECT_EQ(ask(*step, {}), 200);
  }
  EXPECT_FALSE(find_step("rate-limit")->make(map({{"by", text("route")}}), {.limits = &limits}));
}

TEST(RateLimit, ASessionWithoutARateAboveZeroGetsNothing) {
  Limits limits;
  const Made step = make("rate-limit", map({}), &limits);
  Stage stage({step.get()});
  stage.exchange.set_session(session_with("a", {.rate = 0.0}));
  EXPECT_EQ(stage.run(), 429);
  EXPECT_EQ(header(stage, "Retry-After"), "");
}

TEST(RateLimit, TheSameStepCountsOnAfterAReload) {
  Limits limits;
  const Made before = make("rate-limit", one_by("client.ip"), &limits, "route users/rate-limit/1");
  EXPECT_EQ(ask(*before, {}), 200);
  const Made after = make("rate-limit", one_by("client.ip"), &limits, "route users/rate-limit/1");
  EXPECT_EQ(ask(*after, {}), 429);
  const Made elsewhere = make("rate-limit", one_by("client.ip"), &limits, "route orders/rate-limit/1");
  EXPECT_EQ(ask(*elsewhere, {}), 200);
  const Made changed =
      make("rate-limit", map({{"rate", an_hour(2)}, {"by", text("client.ip")}}), &limits, "route users/rate-limit/1");
  EXPECT_EQ(ask(*changed, {}), 200);
}

TEST(RateLimit, TheNarrowestIsAnnounced) {
  Limits limits;
  const Made wide = make("rate-limit", map({{"rate", an_hour(100)}}), &limits, "1");
  const Made narrow = make("rate-limit", map({{"rate", an_hour(5)}}), &limits, "2");
  for (const auto& steps : {std::vector{wide.get(), narrow.get()}, std::vector{narrow.get(), wide.get()}}) {
    Stage stage(steps);
    EXPECT_EQ(stage.run(), 200);
    EXPECT_EQ(header(stage, "RateLimit-Limit"), "5");
  }
  const auto behind_an_upstream_that_says = [&](std::string_view remaining) {
    Stage stage({wide.get()});
    EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::over);
    stage.upstream();
    Stage::receive(stage.exchange.response.headers, "ratelimit-limit", "7");
    Stage::receive(stage.exchange.response.headers, "ratelimit-remaining", remaining);
    EXPECT_EQ(stage.exchange.run.response(), ChainRun::Answer::over);
    return header(stage, "RateLimit-Limit");
  };
  EXPECT_EQ(behind_an_upstream_that_says("3"), "7");
  EXPECT_EQ(behind_an_upstream_that_says("3000"), "100");
  EXPECT_EQ(behind_an_upstream_that_says("many"), "100");
}

// ---- concurrency-limit ----

Made two_at_once(Limits& limits) {
  return make("concurrency-limit", map({{"max", number(2)}, {"by", text("client.ip")}}), &limits);
}

TEST(ConcurrencyLimit, RefusesOneTooMany) {
  Limits limits;
  const Made step = two_at_once(limits);
  Stage first({step.get()});
  Stage second({step.get()});
  EXPECT_EQ(first.run(), 200);
  EXPECT_EQ(second.run(), 200);
  {
    Stage third({step.get()});
    EXPECT_EQ(third.run(), 429);
    EXPECT_EQ(third.exchange.facts.fault, code::kTooManyAtOnce);
  }
  Stage fourth({step.get()});
  EXPECT_EQ(fourth.run(), 429);  // the refused one gave nothing back
  fourth.exchange.end();
  first.exchange.end();  // the last byte is out
  Stage fifth({step.get()});
  EXPECT_EQ(fifth.run(), 200);
}

TEST(ConcurrencyLimit, IsOverOnceHoweverItEnds) {
  Limits limits;
  const Made step = two_at_once(limits);
  std::vector<std::string> trace;
  const Recorder refuses({.name = "refuses", .request = Flow::respond}, Mode::at_once, trace);
  const Recorder fails({.name = "fails", .request = Flow::fail}, Mode::at_once, trace);
  const Recorder waits({.name = "waits"}, Mode::suspended, trace);
  const Recorder waits_back({.name = "waits back", .has_request = false}, Mode::suspended, trace);
  for (const Middleware* other : std::initializer_list<const Middleware*>{&refuses, &fails, &waits, &waits_back}) {
    for (const auto& steps : {std::vector{step.get(), other}, std::vector{other, step.get()}}) {
      Stage stage(steps);
      if (stage.exchange.run.request() == ChainRun::Answer::over) {
        stage.upstream(502);  // the upstream is dead
        stage.exchange.run.response();
      }
      stage.exchange.run.abandon();  // the client is gone
      stage.exchange.run.log();
      stage.exchange.end();
      EXPECT_EQ(limits.in_flight().size(), 0U);
    }
  }
  Stage unanswered({step.get()});
  unanswered.exchange.run.request();
  EXPECT_EQ(limits.in_flight().size(), 1U);
  unanswered.exchange.end();
  EXPECT_EQ(limits.in_flight().size(), 0U);
}

// ---- quota ----

TEST(QuotaStep, RefusesWhatIsBeyondThePeriod) {
  Limits limits;
  const Made step =
      make("quota", map({{"max", number(2)}, {"every", Settings(Settings::Duration(std::chrono::hours(1)))}}), &limits);
  EXPECT_EQ(ask(*step, {.session = session_with("a")}), 200);
  EXPECT_EQ(ask(*step, {.session = session_with("a")}), 200);
  Stage stage({step.get()});
  stage.exchange.set_session(session_with("a"));
  EXPECT_EQ(stage.run(), 429);
  EXPECT_EQ(stage.exchange.facts.fault, code::kQuotaUsedUp);
  EXPECT_EQ(header(stage, "Retry-After"), "3600");
  EXPECT_EQ(ask(*step, {}), 200);
}

TEST(QuotaStep, ASessionsOwnIsOneWhereverItIsCounted) {
  Limits limits;
  const Made here = make("quota", map({}), &limits, "route a/quota/1");
  const Made there = make("quota", map({}), &limits, "route b/quota/1");
  const Session session = session_with("a", {.quota_max = 10.0, .quota_remaining = 2.0, .quota_renews = 8e9});
  EXPECT_EQ(ask(*here, {.session = session}), 200);
  EXPECT_EQ(ask(*there, {.session = session}), 200);
  EXPECT_EQ(ask(*here, {.session = session}), 429);
  EXPECT_EQ(ask(*here, {.session = session_with("b")}), 200);  // unlimited
  EXPECT_EQ(ask(*here, {}), 200);
  EXPECT_FALSE(find_step("quota")->make(map({{"by", text("client.ip")}}), {.limits = &limits}));
}

TEST(QuotaStep, WhatRemainedOfAPastPeriodDoesNotCount) {
  Limits limits;
  const Made step = make("quota", map({}), &limits);
  const Session session = session_with("a", {.quota_max = 2.0, .quota_remaining = 0.0, .quota_renews = 1e9});
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  EXPECT_EQ(ask(*step, {.session = session}), 200);
  Stage stage({step.get()});
  stage.exchange.set_session(session);
  EXPECT_EQ(stage.run(), 429);
  EXPECT_EQ(header(stage, "Retry-After"), "");  // for good
}

TEST(LimitSteps, NeedSomethingToCountWith) {
  for (const char* kind : {"rate-limit", "concurrency-limit", "quota"})
    EXPECT_FALSE(find_step(kind)->make(map({{"max", number(1)}}), {})) << kind;
}

}  // namespace
}  // namespace lingate::middleware
