#include "middleware/sessions/keys.h"

#include <chrono>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin.pb.h"

namespace lingate::middleware {
namespace {

using store::Space;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

double in(double seconds) {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() + seconds;
}

class KeysTest : public testing::Test {
 protected:
  std::optional<store::Record> key_record(std::string_view key) { return *store->read(Space::keys, hash_of_key(key)); }
  MadeKey make(const char* fields) { return keys.create(Json::parse(fields)).value(); }
  KeyFault refused(const char* fields) {
    auto made = keys.create(Json::parse(fields));
    EXPECT_FALSE(made) << fields;
    return made ? KeyFault() : made.error();
  }

  std::unique_ptr<store::Store> store = store::make_memory_store();
  Keys keys{*store};
};

TEST_F(KeysTest, AKeyIsToldOnceAndStoredAsItsHashOnly) {
  const MadeKey made = make(R"({"id": "ada", "org": "acme"})");
  EXPECT_THAT(made.key, StartsWith("lg_"));
  EXPECT_EQ(made.key.size(), 3U + 32);
  ASSERT_TRUE(key_record(made.key));
  EXPECT_EQ(key_record(made.key)->value, "ada");
  const auto stored = *store->read(Space::sessions, "ada");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->value.find(made.key), std::string::npos);
  EXPECT_THAT(decode_stored_session(stored->value)->keys, ElementsAre(hash_of_key(made.key)));
  EXPECT_NE(make("{}").key, make("{}").key);
}

TEST_F(KeysTest, TheStoredSessionIsWhatTheOfficialClassesWrite) {
  make(R"({"expires": 4000000000.5, "burst": 7, "id": "ada", "metadata": {"b": [1, null], "a": {"x": "y"}},
           "tags": ["t1", "t2"], "per": 1, "rate": 100, "org": "acme", "alias": "Ada"})");
  const std::string wire(session_of((*store->read(Space::sessions, "ada"))->value));
  plugin::Session session;
  ASSERT_TRUE(session.ParseFromString(wire));
  EXPECT_EQ(session.SerializeAsString(), wire) << "fields stand in the order of their numbers";
  EXPECT_EQ(session.alias(), "Ada");
  EXPECT_EQ(session.tags_size(), 2);
  EXPECT_EQ(session.rate(), 100);
  EXPECT_FALSE(session.has_quota_max());
  EXPECT_EQ(session.metadata().members(0).name(), "b");
}

TEST_F(KeysTest, WhatIsShownIsWhatWasGivenInTheOrderOfTheContract) {
  make(R"({"rate": 5, "per": 60, "id": "ada", "tags": ["x"], "metadata": {"n": 1.5, "s": "é"}})");
  const SessionView view = keys.show("ada").value();
  EXPECT_EQ(view.session.dump(), R"({"id":"ada","tags":["x"],"metadata":{"n":1.5,"s":"é"},"rate":5,"per":60})");
  EXPECT_EQ(view.keys, 1U);
  EXPECT_GT(view.created, 0);
}

TEST_F(KeysTest, WrongFieldsAreNamed) {
  const auto field = [this](const char* fields) { return refused(fields).field; };
  EXPECT_EQ(field(R"({"aliass": "x"})"), "aliass");
  EXPECT_EQ(field(R"({"alias": 5})"), "alias");
  EXPECT_EQ(field(R"({"id": ""})"), "id");
  EXPECT_EQ(field(R"({"id": "a\nb"})"), "id");
  EXPECT_EQ(field(R"({"tags": "x"})"), "tags");
  EXPECT_EQ(field(R"({"tags": [1]})"), "tags");
  EXPECT_EQ(field(R"({"metadata": []})"), "metadata");
  EXPECT_EQ(field(R"({"metadata": {"n": 9007199254740993}})"), "metadata");
  EXPECT_EQ(field(R"({"rate": "5"})"), "rate");
  EXPECT_EQ(field(R"({"rate": -1})"), "rate");
  EXPECT_EQ(field(R"({"per": 0})"), "per");
  EXPECT_EQ(field(R"({"expires": 5})"), "expires");
  EXPECT_EQ(field(R"({"expires": 1e300})"), "expires");
  EXPECT_EQ(field(R"({"key": "short"})"), "key");
  EXPECT_EQ(field(R"({"key": "with spaces in between it"})"), "key");
  EXPECT_EQ(refused("[]").kind, KeyFault::Kind::invalid);
  EXPECT_TRUE(store->scan(Space::sessions, "", "", 10)->empty());
  EXPECT_TRUE(store->scan(Space::keys, "", "", 10)->empty());
}

TEST_F(KeysTest, MetadataIsHeldToTheLimitsOfAContext) {
  const Json large{{"metadata", {{"x", std::string(64 * 1024, 'x')}}}};
  EXPECT_EQ(keys.create(large).error().field, "metadata");
  std::string deep = R"({"metadata": {"x": )" + std::string(40, '[') + std::string(40, ']') + "}}";
  EXPECT_EQ(refused(deep.c_str()).field, "metadata");
  deep = R"({"metadata": {"x": )" + std::string(30, '[') + std::string(30, ']') + "}}";
  EXPECT_TRUE(keys.create(Json::parse(deep)));
}

TEST_F(KeysTest, IdsAndKeysAreTakenOnce) {
  make(R"({"id": "ada", "key": "abcdefghijklmnopqrstuvwxyz"})");
  EXPECT_EQ(refused(R"({"id": "ada"})").kind, KeyFault::Kind::conflict);
  EXPECT_EQ(refused(R"({"id": "ada"})").field, "id");
  EXPECT_EQ(refused(R"({"id": "bob", "key": "abcdefghijklmnopqrstuvwxyz"})").field, "key");
  EXPECT_EQ(keys.show("bob").error().kind, KeyFault::Kind::not_found);
}

TEST_F(KeysTest, APatchMergesAndNullRemoves) {
  make(R"({"id": "ada", "org": "acme", "rate": 5, "tags": ["a"], "metadata": {"keep": 1, "gone": 2}})");
  const auto view = keys.update("ada", Json::parse(R"({"org": null, "tags": ["b"],
                                                       "metadata": {"gone": null, "new": 3}})"));
  EXPECT_EQ(view->session.dump(), R"({"id":"ada","tags":["b"],"metadata":{"keep":1,"new":3},"rate":5})");
  EXPECT_EQ(keys.show("ada")->session, view->session);
  EXPECT_GE(view->updated, view->created);
}

TEST_F(KeysTest, AWrongPatchChangesNothing) {
  make(R"({"id": "ada", "rate": 5})");
  const auto refused_field = [this](const char* patch) { return keys.update("ada", Json::parse(patch)).error().field; };
  EXPECT_EQ(refused_field(R"({"rate": "x"})"), "rate");
  EXPECT_EQ(refused_field(R"({"id": "bob"})"), "id");
  EXPECT_EQ(refused_field(R"({"id": null})"), "id");
  EXPECT_EQ(refused_field(R"({"nothing": 1})"), "nothing");
  EXPECT_EQ(refused_field(R"({"expires": 1})"), "expires");
  EXPECT_EQ(keys.update("ada", Json::parse("[]")).error().kind, KeyFault::Kind::invalid);
  EXPECT_EQ(keys.update("bob", Json::parse("{}")).error().kind, KeyFault::Kind::not_found);
  EXPECT_EQ(keys.show("ada")->session.dump(), R"({"id":"ada","rate":5})");
}

TEST_F(KeysTest, ASessionAndItsKeyEndTogether) {
  const MadeKey made = make(R"({"id": "ada"})");
  EXPECT_FALSE(key_record(made.key)->expires);
  const double end = in(1000);
  ASSERT_TRUE(keys.update("ada", Json{{"expires", end}}));
  ASSERT_TRUE(key_record(made.key)->expires);
  EXPECT_EQ(key_record(made.key)->expires, (*store->read(Space::sessions, "ada"))->expires);
  ASSERT_TRUE(keys.update("ada", Json{{"expires", nullptr}}));
  EXPECT_FALSE(key_record(made.key)->expires);
  EXPECT_FALSE((*store->read(Space::sessions, "ada"))->expires);
}

TEST_F(KeysTest, RevokingEndsTheSessionAndAllItsKeys) {
  const MadeKey made = make(R"({"id": "ada"})");
  const MadeKey second = keys.rotate("ada", {.keep_until = in(100)}).value();
  ASSERT_TRUE(keys.revoke("ada"));
  EXPECT_FALSE(key_record(made.key));
  EXPECT_FALSE(key_record(second.key));
  EXPECT_EQ(keys.show("ada").error().kind, KeyFault::Kind::not_found);
  EXPECT_EQ(keys.revoke("ada").error().kind, KeyFault::Kind::not_found);
}

TEST_F(KeysTest, RotationEndsTheOldKeysNowOrLater) {
  const MadeKey first = make(R"({"id": "ada"})");
  const double until = in(1000);
  const MadeKey second = keys.rotate("ada", {.keep_until = until}).value();
  EXPECT_EQ(second.view.keys, 2U);
  ASSERT_TRUE(key_record(first.key));
  EXPECT_TRUE(key_record(first.key)->expires);
  EXPECT_FALSE(key_record(second.key)->expires);
  ASSERT_TRUE(keys.update("ada", Json{{"expires", in(5000)}}));
  EXPECT_LT(key_record(first.key)->expires, key_record(second.key)->expires) << "a later end revives no old key";
  ASSERT_TRUE(keys.update("ada", Json{{"expires", nullptr}}));
  EXPECT_TRUE(key_record(first.key)->expires);
  const MadeKey third = keys.rotate("ada", {}).value();
  EXPECT_EQ(third.view.keys, 1U);
  EXPECT_FALSE(key_record(first.key));
  EXPECT_FALSE(key_record(second.key));
  EXPECT_EQ(key_record(third.key)->value, "ada");
}

TEST_F(KeysTest, RotationRefusesWhatCannotBe) {
  const MadeKey made = make(R"({"id": "ada"})");
  EXPECT_EQ(keys.rotate("ada", {.keep_until = 5.0}).error().field, "keep_until");
  EXPECT_EQ(keys.rotate("ada", {.key = made.key}).error().kind, KeyFault::Kind::conflict);
  EXPECT_EQ(keys.rotate("ada", {.key = "short"}).error().field, "key");
  EXPECT_EQ(keys.rotate("bob", {}).error().kind, KeyFault::Kind::not_found);
  EXPECT_TRUE(key_record(made.key));
}

TEST_F(KeysTest, ASessionHasAtMostEightKeys) {
  std::set<std::string> all{make(R"({"id": "ada"})").key};
  for (int i = 0; i < 12; ++i)
    all.insert(keys.rotate("ada", {.keep_until = in(1000)})->key);
  EXPECT_EQ(keys.show("ada")->keys, Keys::kMostKeys);
  EXPECT_EQ(store->scan(Space::keys, "", "", 100)->size(), Keys::kMostKeys);
}

TEST_F(KeysTest, SessionsAreListedByOrgAndTagInPages) {
  for (int i = 0; i < 25; ++i)
    keys.create(Json{{"id", "s" + std::to_string(100 + i)},
                     {"org", i % 2 ? "odd" : "even"},
                     {"tags", {"t" + std::to_string(i % 5)}}});
  std::vector<std::string> ids;
  SessionQuery query{.org = "even", .limit = 5};
  do {
    const SessionPage page = keys.list(query).value();
    EXPECT_LE(page.sessions.size(), 5U);
    for (const SessionView& each : page.sessions)
      ids.push_back(each.session["id"]);
    query.after = page.next;
  } while (!query.after.empty());
  EXPECT_EQ(ids.size(), 13U);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(keys.list({.tag = "t0"})->sessions.size(), 5U);
  EXPECT_EQ(keys.list({.org = "odd", .tag = "t1"})->sessions.size(), 3U);
  EXPECT_EQ(keys.list({})->sessions.size(), 25U);
}

// A store in which somebody else is faster: `meanwhile` runs once, between a reading and the change made from it.
class Busy final : public store::Store {
 public:
  explicit Busy(store::Store& below) : below_(below) {}
  std::string_view kind() const noexcept override { return below_.kind(); }
  Result<std::optional<store::Record>> read(Space space, std::string_view key) override {
    return below_.read(space, key);
  }
  Result<std::vector<store::Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                         std::size_t most) override {
    return below_.scan(space, prefix, after, most);
  }
  void apply(std::vector<store::Change> changes, Done done) override {
    if (const auto now = std::exchange(meanwhile, nullptr)) now();
    below_.apply(std::move(changes), std::move(done));
  }
  void on_change(Changed changed) override { below_.on_change(std::move(changed)); }

  std::function<void()> meanwhile;

 private:
  store::Store& below_;
};

TEST_F(KeysTest, AChangeThatWasOutrunLosesNothing) {
  make(R"({"id": "ada", "metadata": {"n": 0}})");
  Busy busy(*store);
  Keys mine(busy);
  busy.meanwhile = [this] { keys.update("ada", Json::parse(R"({"metadata": {"theirs": 1}})")); };
  ASSERT_TRUE(mine.update("ada", Json::parse(R"({"metadata": {"mine": true}})")));
  EXPECT_EQ(keys.show("ada")->session["metadata"].dump(), R"({"n":0,"theirs":1,"mine":true})");

  MadeKey theirs;
  busy.meanwhile = [&] { theirs = keys.rotate("ada", {}).value(); };
  ASSERT_TRUE(mine.update("ada", Json{{"expires", in(1000)}}));
  EXPECT_TRUE(key_record(theirs.key)->expires) << "the key that came meanwhile ends with its session";

  busy.meanwhile = [this] { keys.update("ada", Json{{"expires", nullptr}}); };
  EXPECT_FALSE(key_record(mine.rotate("ada", {})->key)->expires);

  busy.meanwhile = [&] { theirs = keys.rotate("ada", {}).value(); };
  ASSERT_TRUE(mine.revoke("ada"));
  EXPECT_FALSE(key_record(theirs.key));
}

}  // namespace
}  // namespace lingate::middleware
