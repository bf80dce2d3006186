#include "gateway/config/loader.h"

#include <fmt/ranges.h>

#include "tests/config/contract_example.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// The example above, loaded.
class Example : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_THAT(show(loaded.diagnostics), IsEmpty());
    ASSERT_TRUE(loaded.model);
  }
  const Model& model() const { return *loaded.model; }
  const Route& route(std::string_view name) const {
    for (const Route& each : model().routes)
      if (each.name == name) return each;
    ADD_FAILURE() << "no route " << name;
    return model().routes.front();
  }

  Loaded loaded = load(kContractExample);
};

TEST_F(Example, HasItsListeners) {
  ASSERT_EQ(model().listen.size(), 2U);
  EXPECT_EQ(model().listen[0].address.host, "0.0.0.0");
  EXPECT_EQ(model().listen[0].address.port, 8080);
  EXPECT_FALSE(model().listen[0].proxy_protocol);
  EXPECT_EQ(model().listen[1].address.host, "::1");
  EXPECT_TRUE(model().listen[1].proxy_protocol);
  EXPECT_EQ(model().admin->address.port, 9901);
  EXPECT_EQ(model().workers, 0U);
  EXPECT_EQ(model().trusted.size(), 2U);
}

TEST_F(Example, HasTheDefaultsThatTheReferenceStates) {
  const Limits& limits = model().limits;
  EXPECT_EQ(limits.head, 32U * 1024);
  EXPECT_EQ(limits.target, 8U * 1024);
  EXPECT_EQ(limits.field, 16U * 1024);
  EXPECT_EQ(limits.fields, 100U);
  EXPECT_EQ(limits.head_timeout, 10s);
  EXPECT_EQ(limits.body_timeout, 30s);
  EXPECT_EQ(limits.write_timeout, 30s);
  EXPECT_EQ(limits.idle_timeout, 60s);
  EXPECT_EQ(limits.tunnel_timeout, 1h);
  EXPECT_EQ(limits.drain, 30s);
  EXPECT_EQ(model().log.level, Log::Level::info);
  EXPECT_EQ(model().log.file, "");
}

TEST_F(Example, HasItsUpstreams) {
  ASSERT_EQ(model().upstreams.size(), 2U);
  const Upstream& users = model().upstreams[0];
  EXPECT_EQ(users.name, "users");
  ASSERT_EQ(users.targets.size(), 2U);
  EXPECT_EQ(users.targets[0].address.port, 9001);
  EXPECT_EQ(users.targets[0].weight, 3U);
  EXPECT_EQ(users.targets[1].weight, 1U);
  EXPECT_EQ(users.targets[1].authority, "127.0.0.1:9002");
  EXPECT_EQ(users.balance, Balance::least_request);
  EXPECT_EQ(users.health->path, "/healthz");
  EXPECT_EQ(users.health->every, 2s);
  EXPECT_EQ(users.health->timeout, 1s);
  EXPECT_EQ(users.health->healthy, 2U);
  EXPECT_EQ(users.health->unhealthy, 3U);
  EXPECT_EQ(users.eject->failures, 5U);
  EXPECT_EQ(users.eject->duration, 10s);
  EXPECT_EQ(users.connect_timeout, 300ms);
  EXPECT_EQ(users.response_timeout, 10s);
  EXPECT_EQ(users.retry.attempts, 2U);
  EXPECT_TRUE(users.retry.on_connect_failure);
  EXPECT_FALSE(users.retry.on_reset);
  EXPECT_THAT(users.retry.on_status, ElementsAre(503));
  EXPECT_EQ(users.host, Upstream::Host::preserve);
  EXPECT_EQ(users.pool_max, 1024U);
  EXPECT_EQ(users.pool_idle, 60s);
  EXPECT_EQ(users.resolve_every, 30s);
}

TEST_F(Example, KnowsOffSocketsAndHashing) {
  const Upstream& orders = model().upstreams[1];
  EXPECT_EQ(orders.targets[0].address.path, (folder().path() / "run/orders.sock").string());
  EXPECT_EQ(orders.balance, Balance::hash);
  EXPECT_EQ(orders.hash_by.source, HashBy::Source::header);
  EXPECT_EQ(orders.hash_by.name, "X-Tenant");
  EXPECT_FALSE(orders.health);
  EXPECT_FALSE(orders.eject);
  EXPECT_EQ(orders.host, Upstream::Host::target);
  EXPECT_EQ(orders.connect_timeout, 2s);
  EXPECT_TRUE(orders.retry.on_connect_failure);
  EXPECT_TRUE(orders.retry.on_reset);
}

TEST_F(Example, ExpandsUseWithTheWayThere) {
  const Route& users = route("users");
  std::vector<std::string> steps;
  for (const Step& step : users.chain)
    steps.push_back(
        fmt::format("{} {}:{} {}", step.kind, step.place.line, step.place.column, fmt::join(step.via, ">")));
  EXPECT_THAT(steps, ElementsAre("request-id 28:10 secure>base", "access-log 28:22 secure>base", "script 26:3 secure",
                                 "headers 35:9 ", "cors 36:9 "));
}

TEST_F(Example, MatchesAreReadyForTheRouter) {
  const routing::Match& users = route("users").match;
  EXPECT_EQ(users.host, "api.example.com");
  EXPECT_EQ(users.path, "/users/{id}");
  EXPECT_THAT(users.methods, ElementsAre("GET", "PATCH"));
  EXPECT_TRUE(users.preflight);
  const routing::Match& orders = route("orders").match;
  EXPECT_FALSE(orders.preflight);
  using Is = routing::Condition::Test;
  EXPECT_THAT(orders.headers, ElementsAre(routing::Condition{"X-Version", Is::equals, "2"},
                                          routing::Condition{"X-Debug", Is::absent, ""}));
  EXPECT_THAT(orders.query, ElementsAre(routing::Condition{"dry", Is::present, ""}));
}

TEST_F(Example, RoutesGoWhereTheySay) {
  const auto& split = std::get<std::vector<Split>>(route("orders").destination);
  ASSERT_EQ(split.size(), 2U);
  EXPECT_EQ(split[0].upstream, 0U);
  EXPECT_EQ(split[0].weight, 9U);
  EXPECT_EQ(split[1].upstream, 1U);
  EXPECT_EQ(split[1].weight, 1U);
  EXPECT_EQ(route("orders").strip, "/orders");
  EXPECT_EQ(route("users").timeout, 15s);
  EXPECT_FALSE(route("orders").timeout);
  const auto& redirect = std::get<Redirect>(route("/old/{id}").destination);
  EXPECT_EQ(redirect.status, 308);
  EXPECT_EQ(redirect.to, "/users/{id}");
}

TEST_F(Example, AFixedResponseKeepsItsValues) {
  const Step& respond = std::get<Step>(route("hello").destination);
  EXPECT_EQ(respond.kind, "respond");
  EXPECT_EQ(respond.settings.integer("status"), 200);
  const Settings& json = *respond.settings.find("json");
  EXPECT_TRUE(json.flag("ok"));
  ASSERT_EQ(json.list("n").size(), 3U);
  EXPECT_EQ(*json.list("n")[0].as<std::int64_t>(), 1);
  EXPECT_EQ(*json.list("n")[1].as<double>(), 2.5);
  EXPECT_TRUE(json.list("n")[2].is_null());
}

TEST_F(Example, AScriptTakesWhatItDoesNotSayFromItsLanguage) {
  const Settings& lua = route("users").chain[2].settings;
  EXPECT_EQ(lua.text("file"), (folder().path() / "scripts/tenant.lua").string());
  EXPECT_EQ(lua.text("runtime"), "lua");
  EXPECT_EQ(lua.duration("budget"), 10ms);
  EXPECT_EQ(lua.size("memory"), 64U * 1024 * 1024);
  EXPECT_EQ(lua.text("isolation"), "inline");
  EXPECT_EQ(lua.integer("instances", -1), 0);
  EXPECT_EQ(lua.duration("wait"), 1s);
  EXPECT_EQ(lua.duration("timeout"), 30s);
  EXPECT_EQ(lua.size("max_body"), 10U * 1024 * 1024);
  EXPECT_EQ(lua.text("on_error"), "deny");
  EXPECT_EQ(lua.find("body"), nullptr);
  const Settings& python = route("orders").chain[0].settings;
  EXPECT_EQ(python.text("runtime"), "python");
  EXPECT_EQ(python.text("isolation"), "thread");
  EXPECT_EQ(python.integer("instances"), 1);
  EXPECT_EQ(python.text("body"), "request");
  EXPECT_EQ(python.size("max_body"), 64U * 1024);
  const Settings& js = route("orders").chain[1].settings;
  EXPECT_EQ(js.duration("budget"), 5ms);
  EXPECT_EQ(js.text("on_error"), "continue");
}

TEST_F(Example, SecretsAreReadAndKeptApartFromTexts) {
  const Settings& key = *route("users").chain[2].settings.find("config")->find("key");
  ASSERT_TRUE(key.as<Secret>());
  EXPECT_EQ(key.as_text(), "s3cret");
  EXPECT_EQ(route("users").chain[2].settings.find("config")->text("header"), "X-Tenant");
  const Settings& set = *route("users").chain[3].settings.find("request")->find("set");
  EXPECT_EQ(set.find("X-Key")->as<Secret>()->text, "from-a-file");
  EXPECT_EQ(set.list("X-A").size(), 2U);
  EXPECT_EQ(*route("users").chain[3].settings.find("request")->list("remove").at(0).as<std::string>(), "Cookie");
}

TEST_F(Example, StepsHaveTheirDefaults) {
  const Route& users = route("users");
  EXPECT_EQ(users.chain[0].settings.text("header"), "X-Request-Id");
  EXPECT_EQ(users.chain[1].settings.text("file"), "-");
  EXPECT_FALSE(users.chain[4].settings.flag("credentials", true));
  EXPECT_EQ(users.chain[4].settings.duration("max_age"), 10min);
}

TEST(Load, RouteNamesAreMadeFromHostAndPathAndUnique) {
  const Loaded loaded = load(
      "version: 1\nlisten: :0\nroutes:\n  - {match: {path: /a, methods: GET}, respond: {}}\n"
      "  - {match: {path: /a, methods: PUT}, respond: {}}\n  - {match: {host: H.test}, respond: {}}\n");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->routes[0].name, "/a");
  EXPECT_EQ(loaded.model->routes[1].name, "/a#2");
  EXPECT_EQ(loaded.model->routes[2].name, "h.test/*");
}

TEST(Load, AChainThatAnswersNeedsNoDestination) {
  const Loaded loaded = load("version: 1\nlisten: :0\nroutes:\n  - {match: {}, chain: [respond: {status: 204}]}\n");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(std::get<Step>(loaded.model->routes[0].destination).settings.integer("status"), 204);
}

TEST(Load, AByteOrderMarkIsNoMistake) {
  const Loaded loaded = load("\xEF\xBB\xBFversion: 1\nlisten: :0\nroutes: []\nlgo: {}\n");
  EXPECT_THAT(show(loaded.diagnostics), ElementsAre("4:1 LG2001 unknown key 'lgo' | did you mean 'log'?"));
}

TEST(Load, SectionsMayBeEmpty) {
  EXPECT_THAT(mistakes_above("limits:\nlog:\nruntimes: {lua: }"), IsEmpty());
}

TEST(Load, SecretsAreNeverInMessages) {
  const Loaded loaded = load(
      "version: 1\nlisten: :0\nroutes:\n  - match: {}\n    respond: {}\n    chain:\n"
      "      - headers: {request: {set: {X-Key: {file: two-lines.txt}}}}\n");
  EXPECT_FALSE(loaded.model);
  folder().write("two-lines.txt", "hidden\nhidden\n");
  const Loaded again = load(
      "version: 1\nlisten: :0\nroutes:\n  - match: {}\n    respond: {}\n    chain:\n"
      "      - headers: {request: {set: {X-Key: {file: two-lines.txt}}}}\n");
  ASSERT_EQ(again.diagnostics.size(), 1U);
  EXPECT_EQ(again.diagnostics[0].code, code::kBadHeader);
  EXPECT_THAT(render(again.diagnostics[0], Paint::none), testing::Not(testing::HasSubstr("hidden")));
}

TEST(LoadFile, ResolvesPathsAgainstTheFilesFolder) {
  folder().write("whole.yaml", kContractExample);
  ::setenv("TENANT_KEY", "from-the-process", 1);
  const Loaded loaded = load_file((folder().path() / "whole.yaml").string());
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->routes[0].chain[2].settings.text("file"), (folder().path() / "scripts/tenant.lua").string());
  EXPECT_EQ(loaded.model->routes[0].chain[2].settings.find("config")->text("key"), "from-the-process");
}

TEST(Load, ThousandsOfRoutesOfOnePathAreQuicklyChecked) {
  std::string text = "version: 1\nlisten: :0\nroutes:\n";
  for (int i = 1; i <= 10'000; ++i)
    text += fmt::format("  - {{match: {{path: /a, headers: {{X-Tenant: t{}}}}}, respond: {{}}}}\n", i);
  const Loaded loaded = load(text);
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->routes.back().name, "/a#10000");
}

TEST(LoadFile, ReadsNoMoreThanItMay) {
  EXPECT_THAT(show(load_file("/dev/zero").diagnostics),
              ElementsAre("0:0 LG2027 the file cannot be read: more than 64 MiB | "));
}

TEST(LoadFile, SaysWhyAFileCannotBeRead) {
  EXPECT_THAT(show(load_file("/no/such.yaml").diagnostics), ElementsAre("0:0 LG2027 there is no such file | "));
  EXPECT_THAT(show(load_file("/tmp").diagnostics), ElementsAre("0:0 LG2027 this is a folder, not a file | "));
  EXPECT_EQ(render(load_file("/no/such.yaml").diagnostics[0], Paint::none),
            "/no/such.yaml: error[LG2027]: there is no such file\n");
}

}  // namespace
}  // namespace lingate::config
