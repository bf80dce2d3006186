// What a store in Redis promises beyond the other kinds: that several gateways share it, and what it costs when Redis
// is away. Each test has a server of its own, and stops, kills or starts it as it needs.
#include "store/redis/redis_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/codes.h"
#include "store/counts.h"
#include "tests/support/redis.h"

namespace lingate::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

std::unique_ptr<Store> open(RedisOptions options) {
  auto opened = open_redis_store(std::move(options));
  EXPECT_TRUE(opened);
  return std::move(*opened);
}

// With the budget that there is where none is given.
RedisOptions hurried(const Redis& redis) {
  RedisOptions options = redis.options();
  options.budget = RedisOptions().budget;
  return options;
}

// False: it did not come to that in time.
template <class Is>
bool comes(Is is, SteadyClock::duration most = 10s) {
  const auto until = SteadyClock::now() + most;
  while (!is()) {
    if (SteadyClock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// Hears of changes, and can be waited on.
class Listener {
 public:
  explicit Listener(Store& store) {
    store.on_change([this](Space, std::string_view key) {
      const std::lock_guard lock(mutex_);
      keys_.emplace(key);
      heard_.notify_all();
    });
  }
  bool hears(const std::string& key) {
    std::unique_lock lock(mutex_);
    return heard_.wait_for(lock, 10s, [&] { return keys_.contains(key); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable heard_;
  std::set<std::string> keys_;
};

Result<Counted> count(Store& store, CountAsk ask) {
  ask.deadline = SteadyClock::now() + 5s;
  std::promise<Result<Counted>> counted;
  store.counts()->count(std::move(ask), [&](Result<Counted> answer) { counted.set_value(std::move(answer)); });
  return counted.get_future().get();
}

TEST(Redis, IsSharedByStoresWhichHearOfEachOthersChanges) {
  const Redis redis;
  const auto one = open(redis.options()), two = open(redis.options());
  Listener listener(*two);
  ASSERT_EQ(one->apply_and_wait({put(Space::keys, "a", {"1"})}), Applied::done);
  EXPECT_TRUE(listener.hears("a"));
  EXPECT_EQ(two->read(Space::keys, "a").value()->value, "1");
}

TEST(Redis, KeepsPrefixesAndDatabasesApart) {
  const Redis redis;
  RedisOptions prefixed = redis.options(), numbered = redis.options();
  prefixed.prefix = "other";
  numbered.db = 3;
  const auto one = open(redis.options()), two = open(prefixed), three = open(numbered);
  ASSERT_EQ(one->apply_and_wait({put(Space::kv, "a", {"1"})}), Applied::done);
  EXPECT_EQ(two->read(Space::kv, "a").value(), std::nullopt);
  EXPECT_EQ(three->read(Space::kv, "a").value(), std::nullopt);
  EXPECT_TRUE(two->scan(Space::kv, "", "", 10)->empty());
}

TEST(Redis, LosesNoEditOfSeveralStores) {
  constexpr int kStores = 3, kEdits = 60;
  const Redis redis;
  const auto more = [](std::optional<Record>& record) {
    record = Record{std::to_string((record ? std::stoi(record->value) : 0) + 1)};
    return true;
  };
  std::vector<std::thread> writers;
  for (int k = 0; k < kStores; ++k)
    writers.emplace_back([&] {
      const auto store = open(redis.options());
      for (int edit = 0; edit < kEdits; ++edit) {
        const auto applied = store->apply_and_wait({{Space::kv, "n", more}, {Space::kv, "m", more}});
        EXPECT_EQ(applied, Applied::done) << (applied ? "" : applied.error().message);
      }
    });
  for (std::thread& writer : writers)
    writer.join();
  const auto store = open(redis.options());
  EXPECT_EQ(store->read(Space::kv, "n").value()->value, std::to_string(kStores * kEdits));
  EXPECT_EQ(store->read(Space::kv, "m").value()->value, std::to_string(kStores * kEdits));
}

// A change that another store is quicker than, as often as it can be: its edit waits until the other has written again,
// or cannot. `refuse_after`: edits that it makes before it refuses.
class Slow {
 public:
  explicit Slow(const Redis& redis) : one_(open(redis.options())), other_(open(redis.options())) {
    quick_ = std::jthread([this](const std::stop_token& end) {
      while (!end.stop_requested())
        if (other_->apply_and_wait({put(Space::kv, "n", {std::to_string(written_ + 1)})}) == Applied::done) ++written_;
    });
  }
  Result<Applied> apply(int refuse_after) {
    int edits = 0;
    const auto edit = [&](std::optional<Record>&) {
      const int seen = written_;
      comes([&] { return written_ != seen; }, 100ms);
      return ++edits <= refuse_after;
    };
    return one_->apply_and_wait({{Space::kv, "n", edit}});
  }
  Store& store() { return *one_; }

 private:
  std::unique_ptr<Store> one_, other_;
  std::atomic<int> written_ = 0;
  std::jthread quick_;
};

TEST(Redis, GivesATurnToWhomOthersAreQuickerThan) {
  const Redis redis;
  Slow slow(redis);
  const auto applied = slow.apply(1000);
  EXPECT_EQ(applied, Applied::done) << (applied ? "" : applied.error().message);
}

TEST(Redis, EndsATurnWhoseChangeIsRefused) {
  const Redis redis;
  Slow slow(redis);
  EXPECT_EQ(slow.apply(3), Applied::refused);              // the fourth edit is the first of a turn
  EXPECT_TRUE(slow.store().read(Space::kv, "n").value());  // asked after the turn's end was
  EXPECT_EQ(::system(("redis-cli -s " + redis.path() + " exists lingate:turn:v:n | grep -qx 0").c_str()), 0);
}

TEST(Redis, FollowsAKeyToItsRecordInOneQuestion) {
  const Redis redis;
  const auto store = open(redis.options());
  ASSERT_EQ(store->apply_and_wait({put(Space::keys, "hash", {"ann"}), put(Space::sessions, "ann", {"session"}),
                                   put(Space::keys, "lost", {"nobody"})}),
            Applied::done);
  const auto follow = [&](std::string_view key) {
    std::promise<Result<Linked>> linked;
    store->follow(Space::keys, key, Space::sessions, [&](Result<Linked> found) { linked.set_value(std::move(found)); });
    return linked.get_future().get().value();
  };
  EXPECT_EQ(follow("hash").second->value, "session");
  EXPECT_FALSE(follow("none").first);
  EXPECT_TRUE(follow("lost").first);
  EXPECT_FALSE(follow("lost").second);
}

TEST(Redis, LetsGoOfWhatHasExpiredInItsIndexToo) {
  const Redis redis;
  const auto store = open(redis.options());
  const Time soon = std::chrono::system_clock::now() + 30ms;
  ASSERT_EQ(store->apply_and_wait({put(Space::kv, "brief", {"v", soon}), put(Space::kv, "long", {"v"})}),
            Applied::done);
  ASSERT_TRUE(comes([&] { return store->scan(Space::kv, "", "", 10)->size() == 1; }));
  ASSERT_EQ(store->apply_and_wait({put(Space::kv, "other", {"v"})}), Applied::done);
  EXPECT_EQ(store->scan(Space::kv, "", "", 10)->size(), 2U);
}

TEST(Redis, KnowsItsScriptsAgainAfterTheyWereForgotten) {
  const Redis redis;
  const auto store = open(redis.options());
  ASSERT_EQ(::system(("redis-cli -s " + redis.path() + " script flush > /dev/null").c_str()), 0);
  EXPECT_EQ(store->apply_and_wait({put(Space::kv, "a", {"1"})}), Applied::done);
  EXPECT_EQ(store->read(Space::kv, "a").value()->value, "1");
}

TEST(Redis, AsksForThePasswordAndSaysThatItIsWrong) {
  const Redis redis({"--requirepass", "secret"});
  RedisOptions options = redis.options();
  options.password = "secret";
  EXPECT_EQ(open(options)->read(Space::kv, "a").value(), std::nullopt);
  options.password = "guess";
  const auto refused = open(options)->read(Space::kv, "a");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("WRONGPASS"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("guess")));
}

// ---- away ----

TEST(Redis, MayBeAwayWhenItIsOpened) {
  RedisOptions options;
  options.servers = {{.host = "/nonexistent/socket"}};
  std::string told;
  const auto note = [&told](bool away, std::string_view why) {
    told = (away ? "away: " : "here: ") + std::string(why);
  };
  const auto store = open_redis_store(options, note).value();
  const auto refused = store->read(Space::kv, "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, code::kStoreUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("unix:/nonexistent/socket cannot be used: No such file"));
  EXPECT_THAT(told, testing::MatchesRegex("away: .*No such file.*"));
  EXPECT_TRUE(store->health().away);
}

TEST(Redis, TakesTheNextServerWhereOneIsAwayOrAReplica) {
  const Redis master;
  const Redis replica({"--replicaof", "127.0.0.1 1"});
  RedisOptions options;
  options.again_every = 10ms;
  options.servers = {{.host = "/nonexistent/socket"}, {.host = replica.path()}, {.host = master.path()}};
  const auto store = open(options);
  EXPECT_TRUE(comes([&] { return !store->health().away; }));
  EXPECT_EQ(store->apply_and_wait({put(Space::kv, "a", {"1"})}), Applied::done);
}

// Every question costs its asker the budget at most, and none once the breaker is open.
void expect_cheap(Store& store, SteadyClock::time_point since) {
  SteadyClock::duration longest{};
  while (!store.health().away) {
    const auto began = SteadyClock::now();
    ASSERT_FALSE(store.read(Space::kv, "a"));
    longest = std::max(longest, SteadyClock::now() - began);
    ASSERT_LT(began - since, 1s) << "the breaker is still closed";
  }
  EXPECT_LT(longest, 50ms + 20ms);  // of this machine's own
  const auto began = SteadyClock::now();
  EXPECT_FALSE(store.read(Space::kv, "a"));
  EXPECT_LT(SteadyClock::now() - began, 20ms);
}

TEST(Redis, CostsItsBudgetWhileItIsStoppedAndHeals) {
  const Redis redis;
  const auto store = open(hurried(redis));
  ASSERT_TRUE(comes([&] { return store->apply_and_wait({put(Space::kv, "a", {"1"})}) == Applied::done; }));
  const auto opened = store->health().opened;
  redis.signal(SIGSTOP);
  expect_cheap(*store, SteadyClock::now());
  EXPECT_TRUE(store->away_since());
  redis.signal(SIGCONT);
  EXPECT_TRUE(comes([&] { return !store->health().away; }, 2s));
  EXPECT_TRUE(comes([&] { return store->read(Space::kv, "a").has_value(); }));
  EXPECT_GT(store->health().opened, opened);
}

TEST(Redis, OpensTheBreakerOfAStoreThatNobodyAsks) {
  const Redis redis;
  const auto store = open(hurried(redis));
  redis.signal(SIGSTOP);
  EXPECT_TRUE(comes([&] { return store->health().away; }, 1s));
  redis.signal(SIGCONT);
}

TEST(Redis, SaysThatAllMayHaveChangedWhenItWasAway) {
  Redis redis;
  const auto store = open(redis.options());
  Listener listener(*store);
  redis.kill();
  ASSERT_TRUE(comes([&] { return store->health().away; }, 1s));
  EXPECT_FALSE(store->apply_and_wait({put(Space::kv, "a", {"1"})}));
  redis.start();
  EXPECT_TRUE(listener.hears(""));
  EXPECT_TRUE(comes([&] { return !store->health().away; }, 2s));
  EXPECT_EQ(store->apply_and_wait({put(Space::kv, "a", {"1"})}), Applied::done);
}

TEST(Redis, RefusesWritesWhileRedisIsFullAndReadsOn) {
  const Redis redis;
  const auto store = open(redis.options());
  ASSERT_EQ(store->apply_and_wait({put(Space::kv, "a", {"1"})}), Applied::done);
  ASSERT_EQ(::system(("redis-cli -s " + redis.path() + " config set maxmemory 1 > /dev/null").c_str()), 0);
  const auto refused = store->apply_and_wait({put(Space::kv, "b", {"1"})});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("OOM"));
}

// ---- counts ----

TEST(Redis, CountsARateForAllStoresTogether) {
  const Redis redis;
  const auto one = open(redis.options()), two = open(redis.options());
  const CountAsk ask{.name = "r", .units = 6, .terms = SharedRate{.one = 3600e6, .burst = 10}};
  const Counted first = count(*one, ask).value();
  EXPECT_EQ(first.granted, 6U);
  EXPECT_EQ(first.remaining, 4U);
  EXPECT_EQ(first.wait, 0U);
  const Counted second = count(*two, ask).value();
  EXPECT_EQ(second.granted, 4U);
  EXPECT_EQ(second.remaining, 0U);
  EXPECT_NEAR(static_cast<double>(second.wait), 3600e9, 60e9);
  EXPECT_EQ(count(*one, ask)->granted, 0U);
}

TEST(Redis, FillsABucketAsItsRateSays) {
  const Redis redis;
  const auto store = open(redis.options());
  const CountAsk ask{.name = "r", .units = 1'000'000, .terms = SharedRate{.one = 1000, .burst = 100}};
  const auto began = SteadyClock::now();
  std::uint64_t all = 0;
  while (all < 400)
    all += count(*store, ask)->granted;
  // The clock is read outside of what Redis counts: more than this is too much, less is what this machine was late by.
  const std::chrono::duration<double> took = SteadyClock::now() - began;
  EXPECT_LE(static_cast<double>(all), 101 + took.count() * 1000);
  EXPECT_GE(took.count(), 0.299);
}

TEST(Redis, CountsAPeriodForAllStoresTogether) {
  const Redis redis;
  const auto one = open(redis.options()), two = open(redis.options());
  const auto ask = [](std::uint64_t units) {
    return CountAsk{.name = "q", .units = units, .terms = SharedPeriod{.most = 300, .every = 1h}};
  };
  EXPECT_EQ(count(*one, ask(200))->granted, 200U);
  const Counted second = count(*two, ask(70)).value();
  EXPECT_EQ(second.granted, 70U);
  EXPECT_EQ(second.remaining, 30U);
  EXPECT_NEAR(static_cast<double>(second.reset), 3600e9, 60e9);
  EXPECT_EQ(count(*one, ask(50))->granted, 30U);
  // The record is one like any other.
  EXPECT_EQ(one->scan(Space::quotas, "", "", 10)->size(), 1U);
  EXPECT_EQ(one->read(Space::quotas, "q").value()->value.substr(0, 3), "\x08\xac\x02");  // used = 300
  EXPECT_TRUE(one->read(Space::quotas, "q").value()->expires);
}

TEST(Redis, BeginsAPeriodAnewWhenTheOneBeforeHasEnded) {
  const Redis redis;
  const auto store = open(redis.options());
  const CountAsk ask{.name = "q", .units = 5, .terms = SharedPeriod{.most = 5, .every = 100ms}};
  EXPECT_EQ(count(*store, ask)->granted, 5U);
  EXPECT_TRUE(comes([&] { return count(*store, ask)->granted == 5; }));
}

TEST(Redis, CountsAPeriodFromWhatASessionSaysIsLeft) {
  const Redis redis;
  const auto store = open(redis.options());
  const CountAsk ask{.name = "q", .units = 5, .terms = SharedPeriod{.most = 100, .remaining = 3}};
  const Counted counted = count(*store, ask).value();
  EXPECT_EQ(counted.granted, 3U);
  EXPECT_EQ(counted.wait, Counted::kNever);
}

}  // namespace
}  // namespace lingate::store
