#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codes.h"
#include "middleware/limits/limits.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware::limits {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Caller kAlice{'s', "alice"};
constexpr QuotaTerms kThreeADay{.most = 3, .every = hours(24)};

// A store that can be out of order.
class FailingStore final : public store::Store {
 public:
  std::string_view kind() const noexcept override { return "failing"; }
  Result<std::optional<store::Record>> read(store::Space space, std::string_view key) override {
    if (broken) return fail(code::kStoreUnavailable, "out of order");
    return inner->read(space, key);
  }
  Result<std::vector<store::Entry>> scan(store::Space space, std::string_view prefix, std::string_view after,
                                         std::size_t most) override {
    return inner->scan(space, prefix, after, most);
  }
  void apply(std::vector<store::Change> changes, Done done) override {
    if (broken) return done(fail(code::kStoreUnavailable, "out of order"));
    inner->apply(std::move(changes), std::move(done));
  }
  void on_change(Changed) override {}

  std::unique_ptr<store::Store> inner = store::make_memory_store();
  std::atomic<bool> broken{false};
};

struct Clocks {
  QuotaNow now() const { return {wall, steady}; }
  void pass(std::chrono::nanoseconds time) {
    wall += time;
    steady += static_cast<Moment>(time.count());
  }
  store::Time wall = std::chrono::system_clock::now();
  Moment steady = moment(Clock::now());
};

// A process's ledger; another one on the same store is the process after a restart.
struct Process {
  explicit Process(store::Store* store, AppLog* log = nullptr, std::size_t most = 4096)
      : ledger({.store = store, .log = log, .most = most, .write_every = hours(1)}) {}
  QuotaLedger::Decision take(const Clocks& clocks, const QuotaTerms& terms = kThreeADay, Caller caller = kAlice) {
    return ledger.take(key_of(hash, 1, caller), "route users/quota/1", caller, terms, clocks.now());
  }
  int taken(const Clocks& clocks, const QuotaTerms& terms = kThreeADay) {
    int count = 0;
    while (take(clocks, terms).allowed)
      ++count;
    return count;
  }
  KeyedHash hash = KeyedHash::of_this_process();
  QuotaLedger ledger;
};

TEST(Quota, IsUsedUpAndRenews) {
  Clocks clocks;
  Process process(nullptr);
  EXPECT_EQ(process.take(clocks).remaining, 2U);
  clocks.pass(hours(1));
  EXPECT_EQ(process.taken(clocks), 2);
  EXPECT_EQ(process.take(clocks).renews_in, static_cast<std::uint64_t>(std::chrono::nanoseconds(hours(23)).count()));
  clocks.pass(hours(23) - seconds(1));
  EXPECT_FALSE(process.take(clocks).allowed);
  clocks.pass(seconds(1));
  EXPECT_EQ(process.taken(clocks), 3);
}

TEST(Quota, AJumpOfTheCalendarChangesNothing) {
  Clocks clocks;
  Process process(nullptr);
  EXPECT_EQ(process.taken(clocks), 3);
  clocks.wall += hours(48);
  EXPECT_FALSE(process.take(clocks).allowed);
}

TEST(Quota, SurvivesARestart) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  {
    Process process(store.get());
    EXPECT_TRUE(process.take(clocks).allowed);
    EXPECT_TRUE(process.take(clocks).allowed);
  }
  clocks.pass(hours(2));
  clocks.steady = 12'345;  // the machine was restarted too
  Process process(store.get());
  EXPECT_EQ(process.taken(clocks), 1);
  EXPECT_NEAR(static_cast<double>(process.take(clocks).renews_in), 22 * 3600e9, 1e9);
}

TEST(Quota, APeriodThatEndedMeanwhileIsOver) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  const QuotaTerms terms{.most = 3, .every = hours(1)};
  Process(store.get()).taken(clocks, terms);
  clocks.pass(hours(2));
  Process process(store.get());
  EXPECT_EQ(process.taken(clocks, terms), 3);
}

TEST(Quota, IsWrittenOnceForMany) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  int changes = 0;
  store->on_change([&](store::Space, std::string_view key) {
    ++changes;
    EXPECT_EQ(key, "route users/quota/1/s:alice");
  });
  Process process(store.get());
  process.taken(clocks);
  process.ledger.write_now();
  process.ledger.write_now();
  EXPECT_EQ(changes, 1);
}

TEST(Quota, ALongNameIsKeptAsItsHash) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  const std::string id(10'000, 'x');
  Process(store.get()).take(clocks, kThreeADay, {'s', id});
  Process process(store.get());
  EXPECT_EQ(process.take(clocks, kThreeADay, {'s', id}).remaining, 1U);
}

TEST(Quota, WhatCouldNotBeWrittenIsWrittenLater) {
  Clocks clocks;
  FailingStore store;
  MemoryLog log;
  {
    Process process(&store, &log);
    EXPECT_TRUE(process.take(clocks).allowed);
    store.broken = true;
    EXPECT_TRUE(process.take(clocks).allowed);
    process.ledger.write_now();
    process.ledger.write_now();
    store.broken = false;
    process.ledger.write_now();
  }
  EXPECT_EQ(log.entries().size(), 2U);  // it fails, it works again
  Process process(&store);
  EXPECT_EQ(process.taken(clocks), 1);
}

TEST(Quota, WhatIsCountedWhileTheStoreCannotBeReadIsAdded) {
  Clocks clocks;
  FailingStore store;
  Process(&store).take(clocks);
  {
    Process process(&store);
    store.broken = true;
    EXPECT_TRUE(process.take(clocks).allowed);  // traffic goes on
    store.broken = false;
  }
  Process process(&store);
  EXPECT_EQ(process.taken(clocks), 1);
}

TEST(Quota, WhatHasToMakeRoomIsNotForgotten) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  Process process(store.get(), nullptr, 256);
  std::vector<std::string> names;
  for (int k = 0; k < 2000; ++k)
    names.push_back("caller" + std::to_string(k));
  for (const std::string& name : names)
    EXPECT_EQ(process.take(clocks, kThreeADay, {'s', name}).remaining, 2U);
  EXPECT_LE(process.ledger.size(), 256U);
  for (const std::string& name : names)
    EXPECT_EQ(process.take(clocks, kThreeADay, {'s', name}).remaining, 1U) << name;
}

TEST(Quota, AnotherPeriodReplacesTheOneThatIsStored) {
  Clocks clocks;
  const auto store = store::make_memory_store();
  {
    Process process(store.get());
    EXPECT_EQ(process.taken(clocks), 3);
    process.ledger.write_now();
    clocks.pass(hours(24));
    EXPECT_TRUE(process.take(clocks).allowed);
  }
  Process process(store.get());
  EXPECT_EQ(process.taken(clocks), 2);
}

TEST(Quota, TheFirstPeriodOfASessionEndsWhenItsRecordSays) {
  Clocks clocks;
  Process process(nullptr);
  const QuotaTerms terms{.most = 10, .renews = clocks.wall + hours(1), .remaining = 4};
  EXPECT_EQ(process.taken(clocks, terms), 4);
  clocks.pass(hours(1));
  EXPECT_EQ(process.taken(clocks, terms), 10);
  EXPECT_EQ(process.take(clocks, terms).renews_in, kNever);  // no `every`, and the record has no later time
}

TEST(Quota, ManyThreadsUseUpExactlyWhatThereIs) {
  const Clocks clocks;
  const auto store = store::make_memory_store();
  QuotaLedger ledger({.store = store.get(), .write_every = std::chrono::milliseconds(1)});
  const KeyedHash hash(1, 2);
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int k = 0; k < 16; ++k)
    threads.emplace_back([&] {
      const QuotaTerms terms{.most = 5000, .every = hours(1)};
      while (ledger.take(key_of(hash, 1, kAlice), "q", kAlice, terms, clocks.now()).allowed)
        ++allowed;
    });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(allowed.load(), 5000);
}

}  // namespace
}  // namespace lingate::middleware::limits
