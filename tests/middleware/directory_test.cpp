// Sessions by their keys: found, cached, seen changed, saved.
#include "middleware/sessions/directory.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/codes.h"
#include "middleware/sessions/stored_session.h"
#include "plugin.pb.h"
#include "store/store.h"

namespace lingate::middleware {
namespace {

using std::chrono::hours;
using store::Space;

class NoLog final : public AppLog {
 public:
  bool wants(LogLevel) const noexcept override { return true; }
  void write(const AppEvent& event) noexcept override { lines.emplace_back(event.message); }
  std::vector<std::string> lines;
};

// A store that counts how often it is asked, and can be out of order.
class CountingStore final : public store::Store {
 public:
  std::string_view kind() const noexcept override { return "counting"; }
  Result<std::optional<store::Record>> read(Space space, std::string_view key) override {
    ++reads;
    if (broken) return fail(code::kStoreUnavailable, "broken");
    return inner_->read(space, key);
  }
  Result<std::vector<store::Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                         std::size_t most) override {
    return inner_->scan(space, prefix, after, most);
  }
  void apply(std::vector<store::Change> changes, Done done) override {
    inner_->apply(std::move(changes), std::move(done));
  }
  void on_change(Changed changed) override { inner_->on_change(std::move(changed)); }

  int reads = 0;
  bool broken = false;

 private:
  std::unique_ptr<store::Store> inner_ = store::make_memory_store();
};

class Directory : public testing::Test {
 protected:
  static plugin::Session session_of(const std::string& id) {
    plugin::Session session;
    session.set_id(id);
    session.set_org("org");
    return session;
  }
  void keep(const plugin::Session& session, const std::string& key, std::optional<store::Time> expires = {}) {
    const std::string hash = hash_of_key(key);
    const StoredSession stored{.session = session.SerializeAsString(), .keys = {hash}, .created = 1, .updated = 1};
    ASSERT_EQ(store_.apply_and_wait({store::put(Space::keys, hash, {session.id(), expires}),
                                     store::put(Space::sessions, session.id(), {encode(stored), expires})}),
              store::Applied::done);
  }
  std::string find(const std::string& key, std::uint32_t worker = 0) {
    auto found = directory_.find(worker, key, std::chrono::system_clock::now());
    if (!found) return "error: " + found.error().message;
    return *found ? std::string((*found)->id()) : "nobody";
  }
  plugin::Session stored(const std::string& id) {
    plugin::Session session;
    const auto record = store_.read(Space::sessions, id).value();
    session.ParseFromString(std::string(middleware::session_of(record->value)));
    return session;
  }
  static std::string metadata_edit(const std::string& name, const std::string& text) {
    plugin::SessionEdits edits;
    auto* member = edits.add_metadata();
    member->set_name(name);
    member->mutable_value()->set_text(text);
    return edits.SerializeAsString();
  }

  CountingStore store_;
  NoLog log_;
  SessionDirectory directory_{store_, log_, {.workers = 2, .most_cached = 8}};
};

TEST_F(Directory, FindsTheSessionOfAKey) {
  keep(session_of("ann"), "key of ann");
  EXPECT_EQ(find("key of ann"), "ann");
  EXPECT_EQ(find("key of bob"), "nobody");
  EXPECT_EQ(find(""), "nobody");
  EXPECT_EQ(find(std::string(SessionDirectory::kMaxKey + 1, 'k')), "nobody");
}

TEST_F(Directory, AsksTheStoreOnceForEachWorker) {
  keep(session_of("ann"), "key");
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(find("key"), "ann");
  EXPECT_EQ(store_.reads, 2);
  EXPECT_EQ(find("key", 1), "ann");
  EXPECT_EQ(store_.reads, 4);
}

TEST_F(Directory, SeesAChangeAtOnce) {
  keep(session_of("ann"), "key");
  ASSERT_EQ(find("key"), "ann");
  ASSERT_EQ(store_.apply_and_wait({store::remove(Space::keys, hash_of_key("key"))}), store::Applied::done);
  EXPECT_EQ(find("key"), "nobody");
  keep(session_of("bob"), "key");
  EXPECT_EQ(find("key"), "bob");
  ASSERT_EQ(store_.apply_and_wait({store::remove(Space::sessions, "bob")}), store::Applied::done);
  EXPECT_EQ(find("key"), "nobody");
}

TEST_F(Directory, ForgetsWhatHasExpired) {
  const auto now = std::chrono::system_clock::now();
  keep(session_of("ann"), "key", now + hours(1));
  ASSERT_EQ(find("key"), "ann");
  EXPECT_EQ(directory_.find(0, "key", now + hours(2)).value(), nullptr);
}

TEST_F(Directory, SaysWhenTheStoreIsOutOfOrderAndServesWhatItKnows) {
  keep(session_of("ann"), "known");
  keep(session_of("bob"), "unknown");
  ASSERT_EQ(find("known"), "ann");
  store_.broken = true;
  EXPECT_EQ(find("known"), "ann");
  EXPECT_EQ(find("unknown"), "error: broken");
  store_.broken = false;
  EXPECT_EQ(find("unknown"), "bob");
}

TEST_F(Directory, KeepsABoundedNumber) {
  for (int k = 0; k < 100; ++k)
    keep(session_of("s" + std::to_string(k)), "key" + std::to_string(k));
  for (int k = 0; k < 100; ++k)
    EXPECT_EQ(find("key" + std::to_string(k)), "s" + std::to_string(k));
  const int reads = store_.reads;
  EXPECT_EQ(find("key99"), "s99");
  EXPECT_EQ(store_.reads, reads);
  EXPECT_EQ(find("key0"), "s0");
  EXPECT_EQ(store_.reads, reads + 2);
}

TEST_F(Directory, SavesEditsOntoWhatTheSessionIsByThen) {
  keep(session_of("ann"), "key");
  plugin::Session other = session_of("ann");
  other.set_alias("changed meanwhile");
  keep(other, "key");
  directory_.save("ann", {metadata_edit("a", "1"), metadata_edit("b", "2"), metadata_edit("a", "3")});
  const plugin::Session now = stored("ann");
  EXPECT_EQ(now.alias(), "changed meanwhile");
  ASSERT_EQ(now.metadata().members_size(), 2);
  EXPECT_EQ(now.metadata().members(0).value().text(), "3");
  EXPECT_EQ(find("key"), "ann");
  EXPECT_TRUE(log_.lines.empty());
}

TEST_F(Directory, SaysWhatItCannotSave) {
  directory_.save("gone", {metadata_edit("a", "1")});
  ASSERT_EQ(log_.lines.size(), 1U);
  EXPECT_NE(log_.lines[0].find("session 'gone' is not saved"), std::string::npos) << log_.lines[0];
  EXPECT_EQ(store_.read(Space::sessions, "gone").value(), std::nullopt);
}

TEST_F(Directory, LosesNoEditOfManyRequests) {
  keep(session_of("ann"), "key");
  std::vector<std::thread> writers;
  for (int k = 0; k < 8; ++k)
    writers.emplace_back([&, k] {
      for (int edit = 0; edit < 20; ++edit)
        directory_.save("ann", {metadata_edit("m" + std::to_string(k * 100 + edit), "x")});
    });
  for (std::thread& writer : writers)
    writer.join();
  EXPECT_EQ(stored("ann").metadata().members_size(), 160);
}

}  // namespace
}  // namespace lingate::middleware
