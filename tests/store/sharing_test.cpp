// An embedded store in two processes: one that serves, and the one that takes its place.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "store/store.h"
#include "tests/support/folder.h"

namespace lingate::store {
namespace {

using std::chrono::milliseconds;

// Polls a fact; nothing here waits for luck.
template <class Fact>
bool comes_true(Fact fact) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!fact()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

// Counts the times that it hears "something of the keys may have changed".
void listen_to(Store& store, std::atomic<int>& heard) {
  store.on_change([&heard](Space space, std::string_view key) {
    if (space == Space::keys && key.empty()) ++heard;
  });
}

std::string value_of(Store& store, std::string_view key) {
  const auto found = store.read(Space::keys, key);
  return found && *found ? (*found)->value : "";
}

enum Outcome { kGood, kCannotOpen, kBeforeMissing, kCannotWrite, kHeardNothing, kNotRead };

// What the successor does: it finds what was there, writes, and hears of what the one before writes after that.
[[noreturn]] void succeed(const std::string& folder, int lock, pid_t before) {
  std::atomic<int> heard{0};
  auto store = open_embedded_store({.folder = folder, .lock = lock, .predecessor = before});
  if (!store) ::_exit(kCannotOpen);
  listen_to(**store, heard);
  if (value_of(**store, "before") != "1") ::_exit(kBeforeMissing);
  if (!(*store)->apply_and_wait({put(Space::keys, "successor", {"2"})})) ::_exit(kCannotWrite);
  if (!comes_true([&] { return heard > 0; })) ::_exit(kHeardNothing);
  if (!comes_true([&] { return value_of(**store, "answer") == "3"; })) ::_exit(kNotRead);
  store->reset();
  ::_exit(kGood);
}

TEST(Sharing, BothProcessesReadWriteAndHearOfEachOther) {
  const Folder folder;
  std::atomic<int> heard{0};
  auto store = open_embedded_store({.folder = folder.path()}).value();
  listen_to(*store, heard);
  ASSERT_EQ(store->apply_and_wait({put(Space::keys, "before", {"1"})}), Applied::done);
  EXPECT_EQ(heard, 0) << "what it wrote itself";
  const Descriptor lock = store->begin_sharing();
  ASSERT_TRUE(lock);
  const pid_t before = ::getpid();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) succeed(folder.path(), lock.get(), before);
  EXPECT_TRUE(comes_true([&] { return heard > 0; }));
  EXPECT_TRUE(comes_true([&] { return value_of(*store, "successor") == "2"; }));
  EXPECT_EQ(store->apply_and_wait({put(Space::keys, "answer", {"3"})}), Applied::done);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kGood);
}

TEST(Sharing, NobodyElseGetsInMeanwhile) {
  const Folder folder;
  auto store = open_embedded_store({.folder = folder.path()}).value();
  const Descriptor lock = store->begin_sharing();
  EXPECT_FALSE(open_embedded_store({.folder = folder.path()}));
  const Folder other;
  auto elsewhere = open_embedded_store({.folder = other.path(), .lock = lock.get()});  // a lock of another folder
  EXPECT_TRUE(elsewhere) << elsewhere.error().message;
  EXPECT_FALSE(open_embedded_store({.folder = other.path()}));
  store->end_sharing();
  EXPECT_EQ(store->apply_and_wait({put(Space::keys, "a", {"1"})}), Applied::done);
}

TEST(Sharing, OtherKindsHaveNothingToHandOver) {
  EXPECT_FALSE(make_memory_store()->begin_sharing());
}

}  // namespace
}  // namespace lingate::store
