// What middleware does over a store that is elsewhere: requests wait and threads do not, what is known here is used,
// and when the store is away, callers that are known go on for a while and limits are counted here.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "middleware/builtin.h"
#include "middleware/limits/limits.h"
#include "middleware/sessions/directory.h"
#include "middleware/sessions/stored_session.h"
#include "plugin.pb.h"
#include "tests/middleware/fake_host.h"
#include "tests/middleware/remote_store.h"

namespace lingate::middleware {
namespace {

using limits::Limits;
using limits::SharedCounts;
using store::Space;
using namespace std::chrono_literals;

Settings text(std::string value) {
  return Settings(std::move(value));
}
Settings map(Settings::Map members) {
  return Settings(std::move(members));
}

void keep(store::Store& store, const std::string& id, const std::string& key) {
  plugin::Session session;
  session.set_id(id);
  const std::string hash = hash_of_key(key);
  const StoredSession stored{.session = session.SerializeAsString(), .keys = {hash}, .created = 1, .updated = 1};
  ASSERT_EQ(
      store.apply_and_wait({store::put(Space::keys, hash, {id}), store::put(Space::sessions, id, {encode(stored)})}),
      store::Applied::done);
}

std::string show(const Result<const Session*>& found) {
  if (!found) return "error: " + found.error().message;
  return *found ? std::string((*found)->id()) : "nobody";
}

class Remote : public testing::Test {
 protected:
  struct Asker final : SessionDirectory::Asker {
    void found(const Result<const Session*>& session) noexcept override { answers.push_back(show(session)); }
    std::vector<std::string> answers;
  };

  // "ask": the store has to be asked.
  static std::string recall(SessionDirectory& directory, const std::string& key) {
    const auto known = directory.recall(0, key, std::chrono::system_clock::now());
    return known ? show(*known) : "ask";
  }
  std::string recall(const std::string& key) { return recall(directory_, key); }
  // Asks, and hears the answer.
  std::string find(const std::string& key) {
    Asker asker;
    directory_.ask(loop_, asker, key);
    store_.answer();
    loop_.run_pending();
    return asker.answers.size() == 1 ? asker.answers[0] : "no answer";
  }

  RemoteStore store_;
  MemoryLog log_;
  test::TestLoop loop_;
  SessionDirectory directory_{store_, log_, {.stale = 1h}};
};

TEST_F(Remote, AsksOnceAndKnowsThen) {
  keep(store_, "ann", "key");
  EXPECT_EQ(recall("key"), "ask");
  EXPECT_EQ(find("key"), "ann");
  EXPECT_EQ(recall("key"), "ann");
}

TEST_F(Remote, AsksAnewAfterAChange) {
  keep(store_, "ann", "key");
  ASSERT_EQ(find("key"), "ann");
  ASSERT_EQ(store_.apply_and_wait({store::remove(Space::sessions, "ann")}), store::Applied::done);
  EXPECT_EQ(recall("key"), "ask");
  EXPECT_EQ(find("key"), "nobody");
}

TEST_F(Remote, RemembersForAMomentThatNobodyHasAKey) {
  EXPECT_EQ(find("key"), "nobody");
  EXPECT_EQ(recall("key"), "nobody");
  keep(store_, "ann", "key");
  EXPECT_EQ(recall("key"), "ask");
}

TEST_F(Remote, AcceptsWhomItKnowsWhileTheStoreIsAway) {
  keep(store_, "ann", "known");
  keep(store_, "bob", "unknown");
  ASSERT_EQ(find("known"), "ann");
  store_.go_away();
  EXPECT_EQ(recall("known"), "ann");
  EXPECT_EQ(recall("unknown").substr(0, 28), "error: the store is away, an");
  EXPECT_TRUE(store_.questions.empty());
  *store_.away -= 59min;
  EXPECT_EQ(recall("known"), "ann");
  *store_.away -= 2min;
  EXPECT_EQ(recall("known").substr(0, 6), "error:");
}

TEST_F(Remote, DoesNotAcceptWhomItHeardToBeChanged) {
  keep(store_, "ann", "key");
  ASSERT_EQ(find("key"), "ann");
  ASSERT_EQ(store_.apply_and_wait({store::remove(Space::keys, hash_of_key("key"))}), store::Applied::done);
  store_.go_away();
  EXPECT_EQ(recall("key").substr(0, 6), "error:");
}

TEST_F(Remote, AsksAgainWhenTheStoreIsBackAndUsesWhatItKnowsIfThatFails) {
  keep(store_, "ann", "key");
  ASSERT_EQ(find("key"), "ann");
  store_.go_away();
  store_.come_back();
  EXPECT_EQ(recall("key"), "ask");
  store_.broken = true;
  EXPECT_EQ(find("key"), "ann");
  EXPECT_EQ(find("unknown"), "error: broken");
  store_.broken = false;
  EXPECT_EQ(find("key"), "ann");
  EXPECT_EQ(recall("key"), "ann");
}

TEST_F(Remote, TrustsNobodyWhereNoTimeIsGiven) {
  SessionDirectory directory(store_, log_, {});
  keep(store_, "ann", "key");
  Asker asker;
  directory.ask(loop_, asker, "key");
  store_.answer();
  loop_.run_pending();
  ASSERT_EQ(recall(directory, "key"), "ann");
  store_.go_away();
  EXPECT_EQ(recall(directory, "key").substr(0, 6), "error:");
}

TEST_F(Remote, TellsNobodyWhoHasGone) {
  Asker asker;
  SessionDirectory::forget(directory_.ask(loop_, asker, "one"));
  store_.answer();
  loop_.run_pending();
  directory_.ask(loop_, asker, "two");
  directory_.close();
  store_.answer();
  loop_.run_pending();
  EXPECT_TRUE(asker.answers.empty());
}

TEST_F(Remote, ARequestWaitsForItsSessionAndGoesOn) {
  keep(store_, "ann", "key");
  auto made = find_step("key-auth")->make(map({}), {.sessions = &directory_});
  Stage stage({made->get()});
  stage.receive("x-api-key", "key");
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::wait);
  store_.answer();
  stage.host.fake_loop.run_pending();
  EXPECT_EQ(stage.host.request_overs, 1);
  EXPECT_EQ(stage.exchange.session()->id(), "ann");
}

TEST_F(Remote, ARequestThatIsGivenUpHearsNothingMore) {
  auto made = find_step("key-auth")->make(map({}), {.sessions = &directory_});
  Stage stage({made->get()});
  stage.receive("x-api-key", "key");
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::wait);
  stage.exchange.run.abandon();
  store_.answer();
  stage.host.fake_loop.run_pending();
  EXPECT_EQ(stage.host.request_overs, 0);
}

// ---- counts ----

class Shared : public testing::Test {
 protected:
  struct Asker final : SharedCounts::Asker {
    void counted(const std::optional<SharedCounts::Decision>& decision) noexcept override {
      said = !decision ? "nothing" : decision->allowed ? "yes" : "no";
    }
    std::string said = "waits";
  };

  SharedCounts::Asked ask(Asker& asker, std::uint64_t caller = 1) {
    return limits_.shared()->ask(loop_, asker, {{1, caller}, "name", store::SharedRate{.one = 1, .burst = 10}});
  }
  void answer(const store::Counted& counted) {
    store_.counted = counted;
    store_.answer();
    loop_.run_pending();
  }
  std::unique_ptr<const Middleware> make(std::string_view kind, Settings::Map settings) {
    auto made = find_step(kind)->make(map(std::move(settings)), {.limits = &limits_, .name = "route r/x/1"});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  // The status that a request gets after `answers` of the store; 0: it waits.
  std::uint16_t run(const Middleware& step, int answers) {
    Stage stage({&step});
    if (stage.exchange.run.request() == ChainRun::Answer::wait) {
      if (answers == 0) return 0;
      store_.answer();
      stage.host.fake_loop.run_pending();
    }
    return stage.exchange.response.source == Response::Source::none ? 200 : stage.exchange.response.status;
  }
  static Settings an_hour(std::int64_t count) {
    return map({{"count", Settings(count)}, {"per", Settings(Settings::Duration(1h))}});
  }

  RemoteStore store_;
  test::TestLoop loop_;
  Limits limits_{{.quotas = {.store = &store_, .write_every = 1h}}};
};

TEST_F(Shared, OneQuestionAtATimeAsksForAllWhoWait) {
  Asker askers[6];
  for (Asker& each : askers)
    EXPECT_TRUE(ask(each).waits);
  ASSERT_EQ(store_.asked.size(), 1U);
  EXPECT_EQ(store_.asked[0].units, 1U);
  answer({.granted = 1});
  EXPECT_EQ(askers[0].said, "yes");
  ASSERT_EQ(store_.asked.size(), 2U);
  EXPECT_EQ(store_.asked[1].units, 5U);
  answer({.granted = 3, .wait = 1'000'000'000});
  EXPECT_EQ(askers[3].said, "yes");
  EXPECT_EQ(askers[4].said, "no");
  EXPECT_TRUE(store_.questions.empty());
}

TEST_F(Shared, AsksNothingOfACallerWhoHasNothingLeft) {
  Asker first, second, other;
  ask(first);
  answer({.granted = 0, .wait = 3'600'000'000'000});
  EXPECT_EQ(first.said, "no");
  const auto asked = ask(second);
  ASSERT_TRUE(asked.decision);
  EXPECT_FALSE(asked.decision->allowed);
  EXPECT_GT(asked.decision->wait, 3'590'000'000'000U);
  EXPECT_TRUE(store_.questions.empty());
  EXPECT_TRUE(ask(other, 2).waits);
  answer({.granted = 1});
  EXPECT_EQ(other.said, "yes");
}

TEST_F(Shared, SaysNothingWhereTheStoreDoesNot) {
  Asker first, second, third;
  ask(first);
  ask(second);
  store_.broken = true;
  answer({});
  EXPECT_EQ(first.said, "nothing");
  EXPECT_EQ(second.said, "nothing");
  store_.go_away();
  const auto asked = ask(third);
  EXPECT_FALSE(asked.waits);
  EXPECT_FALSE(asked.decision);
}

TEST_F(Shared, ARateIsCountedByTheStoreAndHereWhileThatIsAway) {
  const auto step = make("rate-limit", {{"rate", an_hour(2)}, {"by", text("route")}});
  store_.counted = {.granted = 1, .remaining = 1};
  EXPECT_EQ(run(*step, 1), 200);
  store_.counted = {.granted = 0, .wait = 1};
  EXPECT_EQ(run(*step, 1), 429);
  EXPECT_EQ(store_.asked[0].name, store_.asked[1].name);
  store_.go_away();
  // One of two was counted here too.
  EXPECT_EQ(run(*step, 0), 200);
  EXPECT_EQ(run(*step, 0), 429);
}

TEST_F(Shared, AQuotaGoesOnHereFromWhatTheStoreSaidLast) {
  const auto step =
      make("quota",
           {{"max", Settings(std::int64_t{10})}, {"every", Settings(Settings::Duration(1h))}, {"by", text("route")}});
  store_.counted = {.granted = 1, .remaining = 2, .reset = 1'800'000'000'000, .wait = 1'800'000'000'000};
  EXPECT_EQ(run(*step, 1), 200);
  EXPECT_EQ(store_.asked[0].name, "route r/x/1/r:users");
  store_.go_away();
  EXPECT_EQ(run(*step, 0), 200);
  EXPECT_EQ(run(*step, 0), 200);
  EXPECT_EQ(run(*step, 0), 429);
  // And tells what it counted meanwhile: no more than that.
  limits_.quotas().write_now();
  EXPECT_EQ(store_.read(Space::quotas, "route r/x/1/r:users").value()->value.substr(0, 1), "\x08");
}

TEST_F(Shared, ARequestThatIsGivenUpHearsNothingMore) {
  const auto step = make("rate-limit", {{"rate", an_hour(2)}});
  Stage stage({step.get()});
  EXPECT_EQ(stage.exchange.run.request(), ChainRun::Answer::wait);
  stage.exchange.run.abandon();
  store_.answer();
  stage.host.fake_loop.run_pending();
  EXPECT_EQ(stage.host.request_overs, 0);
}

}  // namespace
}  // namespace lingate::middleware
