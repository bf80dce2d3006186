// One suite over every kind of store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/codes.h"
#include "store/redis/redis_store.h"
#include "store/store.h"
#include "tests/support/folder.h"
#include "tests/support/redis.h"

namespace lingate::store {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class Kinds : public testing::TestWithParam<std::string> {
 protected:
  Kinds() {
    if (GetParam() == "memory") {
      store_ = make_memory_store();
    } else if (GetParam() == "redis") {
      redis_.emplace();
      auto opened = open_redis_store(redis_->options());
      if (opened) store_ = std::move(*opened);
    } else {
      auto opened = open_embedded_store({.folder = folder_.path()});
      if (opened) store_ = std::move(*opened);
    }
  }
  void SetUp() override { ASSERT_NE(store_, nullptr); }

  void set(const std::string& key, const std::string& value, std::optional<Time> expires = {}) {
    ASSERT_EQ(store_->apply_and_wait({put(Space::kv, key, {value, expires})}), Applied::done);
  }
  std::optional<std::string> get(const std::string& key) {
    auto found = store_->read(Space::kv, key);
    if (!found || !*found) return std::nullopt;
    return (*found)->value;
  }
  std::vector<std::string> keys(std::string_view prefix, std::string_view after = {}, std::size_t most = 100) {
    std::vector<std::string> names;
    const std::vector<Entry> found = store_->scan(Space::kv, prefix, after, most).value();
    for (const Entry& entry : found)
      names.push_back(entry.key);
    return names;
  }
  static Time in(milliseconds time) { return std::chrono::system_clock::now() + time; }

  Folder folder_;
  std::optional<Redis> redis_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Store, Kinds, testing::Values("memory", "embedded", "redis"),
                         [](const auto& with) { return with.param; });

TEST_P(Kinds, SaysWhatItIs) {
  EXPECT_EQ(store_->kind(), GetParam());
}

TEST_P(Kinds, GivesBackWhatWasPut) {
  const std::string bytes("\0\xff\r\n bytes", 10);
  set("a", bytes);
  set(std::string("\0key", 4), "b");
  EXPECT_EQ(get("a"), bytes);
  EXPECT_EQ(get(std::string("\0key", 4)), "b");
  EXPECT_EQ(get("c"), std::nullopt);
}

TEST_P(Kinds, KeepsSpacesApart) {
  set("a", "kv");
  EXPECT_EQ(store_->read(Space::keys, "a").value(), std::nullopt);
}

TEST_P(Kinds, ReplacesAndRemoves) {
  set("a", "one");
  set("a", "two");
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(store_->apply_and_wait({remove(Space::kv, "a"), remove(Space::kv, "never there")}), Applied::done);
  EXPECT_EQ(get("a"), std::nullopt);
}

TEST_P(Kinds, EditsWhatStandsThere) {
  const Change more{Space::kv, "n", [](std::optional<Record>& record) {
                      if (!record) record.emplace();
                      record->value += "x";
                      return true;
                    }};
  EXPECT_EQ(store_->apply_and_wait({more, more}), Applied::done);
  EXPECT_EQ(store_->apply_and_wait({more}), Applied::done);
  EXPECT_EQ(get("n"), "xxx");
}

TEST_P(Kinds, MakesAllChangesOfABatchOrNone) {
  set("kept", "before");
  set("gone", "before");
  const Change refuse{Space::kv, "c", [](std::optional<Record>&) { return false; }};
  EXPECT_EQ(store_->apply_and_wait({put(Space::kv, "new", {"n"}), put(Space::kv, "kept", {"after"}),
                                    put(Space::kv, "kept", {"again"}), remove(Space::kv, "gone"), refuse}),
            Applied::refused);
  EXPECT_EQ(get("new"), std::nullopt);
  EXPECT_EQ(get("kept"), "before");
  EXPECT_EQ(get("gone"), "before");
}

TEST_P(Kinds, AnswersAsIfWhatHasExpiredWereNotThere) {
  set("later", "here", in(std::chrono::hours(1)));
  set("over", "gone", in(milliseconds(-1)));
  set("ever", "here");
  EXPECT_EQ(get("over"), std::nullopt);
  EXPECT_THAT(keys(""), ElementsAre("ever", "later"));
  const auto found = store_->read(Space::kv, "later").value();
  EXPECT_GT(*found->expires, in(std::chrono::minutes(59)));
  std::optional<bool> there;
  const Change look{Space::kv, "over", [&there](std::optional<Record>& record) {
                      there = record.has_value();
                      return true;
                    }};
  EXPECT_EQ(store_->apply_and_wait({look}), Applied::done);
  EXPECT_EQ(there, false);
}

TEST_P(Kinds, ScansInOrderAndInPages) {
  for (const char* key : {"a", "b1", "b2", "b3", "c", "b"})
    set(key, key);
  EXPECT_THAT(keys(""), ElementsAre("a", "b", "b1", "b2", "b3", "c"));
  EXPECT_THAT(keys("b"), ElementsAre("b", "b1", "b2", "b3"));
  EXPECT_THAT(keys("b", "b", 2), ElementsAre("b1", "b2"));
  EXPECT_THAT(keys("b", "b2"), ElementsAre("b3"));
  EXPECT_THAT(keys("b", "b25"), ElementsAre("b3"));
  EXPECT_THAT(keys("x"), ElementsAre());
  EXPECT_THAT(keys("", "", 1), ElementsAre("a"));
}

TEST_P(Kinds, RefusesKeysAndValuesThatAreTooLarge) {
  const auto outcome = [this](std::string key, std::string value) {
    auto applied = store_->apply_and_wait({put(Space::kv, std::move(key), {std::move(value)})});
    return applied ? 0 : applied.error().code;
  };
  EXPECT_EQ(outcome(std::string(kMaxKey, 'k'), std::string(kMaxValue, 'v')), 0);
  EXPECT_EQ(outcome(std::string(kMaxKey + 1, 'k'), "v"), code::kStoreUnavailable);
  EXPECT_EQ(outcome("", "v"), code::kStoreUnavailable);
  EXPECT_EQ(outcome("k", std::string(kMaxValue + 1, 'v')), code::kStoreUnavailable);
  EXPECT_EQ(get("k"), std::nullopt);
  set("k", "works on");
  EXPECT_EQ(get("k"), "works on");
}

TEST_P(Kinds, TellsOfEachChangeBeforeItIsAcknowledged) {
  std::vector<std::string> told;  // read after the acknowledgement only
  store_->on_change([&told](Space, std::string_view key) { told.emplace_back(key); });
  ASSERT_EQ(store_->apply_and_wait({put(Space::kv, "a", {"1"}), remove(Space::kv, "b")}), Applied::done);
  EXPECT_THAT(told, UnorderedElementsAre("a", "b"));
  const Change refuse{Space::kv, "c", [](std::optional<Record>&) { return false; }};
  ASSERT_EQ(store_->apply_and_wait({refuse}), Applied::refused);
  EXPECT_EQ(told.size(), 2U);
}

TEST_P(Kinds, LosesNoEditOfManyWriters) {
  constexpr int kWriters = 8, kEdits = 50;
  const auto count = [](std::optional<Record>& record) {
    const int before = record ? std::stoi(record->value) : 0;
    record = Record{std::to_string(before + 1)};
    return true;
  };
  std::vector<std::thread> writers;
  for (int k = 0; k < kWriters; ++k)
    writers.emplace_back([&] {
      for (int edit = 0; edit < kEdits; ++edit)
        EXPECT_EQ(store_->apply_and_wait({{Space::kv, "n", count}}), Applied::done);
    });
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    int last = 0;
    while (!ended) {
      const int now = std::stoi(get("n").value_or("0"));
      EXPECT_GE(now, last);
      last = now;
    }
  });
  for (std::thread& writer : writers)
    writer.join();
  ended = true;
  reader.join();
  EXPECT_EQ(get("n"), std::to_string(kWriters * kEdits));
}

TEST_P(Kinds, AcknowledgesWhatIsUnderWayWhenItGoes) {
  std::atomic<int> acknowledged = 0;
  constexpr int kBatches = 200;
  for (int k = 0; k < kBatches; ++k)
    store_->apply({put(Space::kv, std::to_string(k), {"v"})}, [&](Result<Applied> applied) {
      EXPECT_EQ(applied, Applied::done);
      ++acknowledged;
    });
  store_.reset();
  EXPECT_EQ(acknowledged, kBatches);
}

}  // namespace
}  // namespace lingate::store
