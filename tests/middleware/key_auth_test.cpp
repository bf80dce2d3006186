// The step key-auth: where keys are looked for, who is let in, what goes upstream.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/codes.h"
#include "middleware/access_log.h"
#include "middleware/builtin.h"
#include "middleware/sessions/directory.h"
#include "middleware/sessions/stored_session.h"
#include "plugin.pb.h"
#include "runtimes/wire_verdict.h"
#include "store/store.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using store::Space;

Settings text(std::string value) {
  return Settings(std::move(value));
}
Settings map(Settings::Map members) {
  return Settings(std::move(members));
}

class NoLog final : public AppLog {
 public:
  bool wants(LogLevel) const noexcept override { return false; }
  void write(const AppEvent&) noexcept override {}
};

class KeyAuth : public testing::Test {
 protected:
  KeyAuth() {
    plugin::Session session;
    session.set_id("ann");
    const std::string hash = hash_of_key("secret key/1");
    const StoredSession stored{.session = session.SerializeAsString(), .keys = {hash}, .created = 1, .updated = 1};
    EXPECT_EQ(store_->apply_and_wait(
                  {store::put(Space::keys, hash, {"ann"}), store::put(Space::sessions, "ann", {encode(stored)})}),
              store::Applied::done);
  }

  std::unique_ptr<const Middleware> make(Settings::Map settings) {
    auto made = find_step("key-auth")->make(Settings(std::move(settings)), {.sessions = &directory_});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  static Settings from(std::vector<Settings> places) { return Settings(Settings::List(std::move(places))); }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  NoLog log_;
  SessionDirectory directory_{*store_, log_, {}};
};

std::string caller(const Exchange& exchange) {
  return exchange.session() ? std::string(exchange.session()->id()) : "nobody";
}

TEST_F(KeyAuth, FindsTheSessionByAHeader) {
  const auto step = make({});
  Stage stage({step.get()});
  stage.receive("x-api-key", "secret key/1");
  EXPECT_EQ(stage.run(), 200);
  EXPECT_EQ(caller(stage.exchange), "ann");
  EXPECT_EQ(stage.exchange.request.headers.value("X-Api-Key"), "secret key/1");
}

TEST_F(KeyAuth, LooksWhereItIsTold) {
  struct Case {
    Settings place;
    std::string name, value, query;
    bool is_let_in;
  };
  const std::vector<Case> cases = {
      {map({{"header", text("X-Key")}}), "X-Key", "secret key/1", "", true},
      {map({{"header", text("X-Key")}}), "X-Api-Key", "secret key/1", "", false},
      {map({{"bearer", Settings(true)}}), "Authorization", "bEaReR  secret key/1", "", true},
      {map({{"bearer", Settings(true)}}), "Authorization", "Basic secret key/1", "", false},
      {map({{"bearer", Settings(true)}}), "Authorization", "Bearer", "", false},
      {map({{"query", text("k")}}), "", "", "a=1&k=secret%20key%2F1&k=other", true},
      {map({{"query", text("k")}}), "", "", "kk=secret%20key%2F1", false},
      {map({{"query", text("k")}}), "", "", "k", false},
      {map({{"cookie", text("k")}}), "Cookie", "a=b; k=\"secret key/1\" ; c", "", true},
      {map({{"cookie", text("k")}}), "Cookie", "kk=secret key/1", "", false},
  };
  for (const Case& each : cases) {
    const auto step = make({{"from", from({each.place})}});
    Stage stage({step.get()});
    if (!each.name.empty()) stage.receive(each.name, each.value);
    stage.exchange.request.query = each.query;
    EXPECT_EQ(stage.run(), each.is_let_in ? 200 : 401) << each.name << each.query;
    EXPECT_EQ(caller(stage.exchange), each.is_let_in ? "ann" : "nobody");
  }
}

TEST_F(KeyAuth, TheFirstPlaceThatHasAKeyCounts) {
  const auto step = make({{"from", from({map({{"header", text("X-One")}}), map({{"header", text("X-Two")}})})}});
  Stage wrong_first({step.get()});
  wrong_first.receive("X-Two", "secret key/1");
  wrong_first.receive("X-One", "wrong");
  EXPECT_EQ(wrong_first.run(), 401);
  Stage second_alone({step.get()});
  second_alone.receive("X-Two", "secret key/1");
  EXPECT_EQ(second_alone.run(), 200);
}

TEST_F(KeyAuth, RefusesWithAChallenge) {
  const auto step = make({});
  Stage missing({step.get()});
  EXPECT_EQ(missing.run(), 401);
  EXPECT_EQ(missing.exchange.facts.fault, code::kCredentialsMissing);
  EXPECT_EQ(missing.exchange.response.headers.value("WWW-Authenticate"), "Bearer realm=\"lingate\"");
  Stage wrong({step.get()});
  wrong.receive("X-Api-Key", "wrong");
  EXPECT_EQ(wrong.run(), 401);
  EXPECT_EQ(wrong.exchange.facts.fault, code::kCredentialsWrong);
}

TEST_F(KeyAuth, MayLetStrangersPassButNoWrongKeys) {
  const auto step = make({{"required", Settings(false)}});
  Stage stranger({step.get()});
  EXPECT_EQ(stranger.run(), 200);
  EXPECT_EQ(caller(stranger.exchange), "nobody");
  Stage wrong({step.get()});
  wrong.receive("X-Api-Key", "wrong");
  EXPECT_EQ(wrong.run(), 401);
}

TEST_F(KeyAuth, HidesTheKeyFromTheUpstream) {
  const auto hiding = [this](Settings place) {
    return make({{"hide", Settings(true)}, {"from", from({std::move(place)})}});
  };
  const auto header = hiding(map({{"header", text("X-Key")}}));
  Stage by_header({header.get()});
  by_header.receive("X-Key", "secret key/1");
  EXPECT_EQ(by_header.run(), 200);
  EXPECT_EQ(by_header.exchange.request.headers.find("X-Key"), nullptr);

  const auto query = hiding(map({{"query", text("k")}}));
  Stage by_query({query.get()});
  by_query.exchange.request.query = "a=1&k=secret%20key%2F1&b=2";
  EXPECT_EQ(by_query.run(), 200);
  EXPECT_EQ(by_query.exchange.request.query, "a=1&b=2");

  const auto cookie = hiding(map({{"cookie", text("k")}}));
  Stage by_cookie({cookie.get()});
  by_cookie.receive("Cookie", "a=1; k=secret key/1; b=2");
  by_cookie.receive("Cookie", "c=3");
  EXPECT_EQ(by_cookie.run(), 200);
  EXPECT_EQ(by_cookie.exchange.request.headers.value("Cookie"), "a=1; b=2; c=3");
}

TEST_F(KeyAuth, HidesWhatStandsInAnyOfItsPlaces) {
  const auto step = make({{"hide", Settings(true)},
                          {"from", from({map({{"cookie", text("k")}}), map({{"header", text("X-Key")}}),
                                         map({{"query", text("k")}}), map({{"bearer", Settings(true)}})})}});
  Stage stage({step.get()});
  stage.receive("X-Key", "secret key/1");
  stage.receive("Cookie", "a=1; k=secret key/1");
  stage.receive("Authorization", "bearer secret key/1");
  stage.exchange.request.query = "a=1&k=secret%20key%2F1&%6b=secret%20key%2F1&kk=2";
  EXPECT_EQ(stage.run(), 200);
  const Headers& headers = stage.exchange.request.headers;
  EXPECT_EQ(headers.find("X-Key"), nullptr);
  EXPECT_EQ(headers.find("Authorization"), nullptr);
  EXPECT_EQ(headers.value("Cookie"), "a=1");
  EXPECT_EQ(stage.exchange.request.query, "a=1&kk=2");

  Stage other_scheme({step.get()});
  other_scheme.receive("X-Key", "secret key/1");
  other_scheme.receive("Authorization", "Basic YTpi");
  EXPECT_EQ(other_scheme.run(), 200);
  EXPECT_EQ(other_scheme.exchange.request.headers.value("Authorization"), "Basic YTpi");
}

TEST_F(KeyAuth, HiddenParametersStandInNoLog) {
  const std::string target = "/users/7?a=1&k=secret%20key%2F1&%6B=wrong&k&kk=2";
  const std::string_view query = std::string_view(target).substr(target.find('?') + 1);
  const auto logged = [&](Settings::Map settings) {
    settings.emplace_back("from", from({map({{"query", text("k")}})}));
    const auto step = make(std::move(settings));
    Stage stage({step.get()});
    stage.exchange.request.target = target;
    stage.exchange.request.query = query;
    stage.run();
    return std::string(received_target(stage.exchange).query);
  };
  EXPECT_EQ(logged({}), query);
  EXPECT_EQ(logged({{"hide", Settings(true)}}), "a=1&k=***&%6B=***&k&kk=2");
}

// ---- what scripts edit of the session ----

std::string metadata_edit(const std::string& value) {
  plugin::SessionEdits edits;
  auto* member = edits.add_metadata();
  member->set_name("seen");
  member->mutable_value()->set_text(value);
  return edits.SerializeAsString();
}

void edit(Exchange& exchange, const std::string& encoded) {
  runtimes::SessionEdits edits;
  ASSERT_TRUE(runtimes::read_session_edits(encoded, edits));
  auto change = apply_session_edits(exchange.session(), edits);
  ASSERT_TRUE(change);
  exchange.change_session(std::move(change->session), edits);
}

class StoredEdits : public KeyAuth {
 protected:
  std::string seen() {
    plugin::Session session;
    const auto record = store_->read(Space::sessions, "ann").value();
    session.ParseFromString(std::string(session_of(record->value)));
    return session.metadata().members_size() == 0 ? "" : session.metadata().members(0).value().text();
  }
};

TEST_F(StoredEdits, AreSavedWhenTheExchangeEnds) {
  const auto step = make({});
  Stage stage({step.get()});
  stage.receive("X-Api-Key", "secret key/1");
  EXPECT_EQ(stage.run(), 200);
  edit(stage.exchange, metadata_edit("once"));
  edit(stage.exchange, metadata_edit("twice"));
  EXPECT_EQ(seen(), "");
  stage.exchange.end();
  EXPECT_EQ(seen(), "twice");
  stage.begin();
}

TEST_F(StoredEdits, OfASessionThatAScriptAssignedAreNot) {
  const auto step = make({});
  Stage stage({step.get()});
  stage.receive("X-Api-Key", "secret key/1");
  EXPECT_EQ(stage.run(), 200);
  plugin::SessionEdits assigned;
  assigned.mutable_assigned()->set_id("ann");
  edit(stage.exchange, assigned.SerializeAsString());
  edit(stage.exchange, metadata_edit("assigned"));
  stage.exchange.end();
  EXPECT_EQ(seen(), "");
  stage.begin();
}

}  // namespace
}  // namespace lingate::middleware
