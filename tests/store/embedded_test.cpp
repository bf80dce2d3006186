// What the embedded store promises beyond the other kinds: that it is there again after anything.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <random>
#include <string>
#include <thread>

#include "base/codes.h"
#include "store/store.h"
#include "tests/support/folder.h"

namespace lingate::store {
namespace {

using std::chrono::milliseconds;

TEST(Embedded, IsThereAfterItWasClosed) {
  const Folder folder;
  {
    auto store = open_embedded_store({.folder = folder.path()}).value();
    ASSERT_EQ(store->apply_and_wait({put(Space::sessions, "a", {"1"})}), Applied::done);
  }
  auto store = open_embedded_store({.folder = folder.path()}).value();
  EXPECT_EQ(store->read(Space::sessions, "a").value()->value, "1");
}

TEST(Embedded, KeepsOthersOutOfItsFolder) {
  const Folder folder;
  auto store = open_embedded_store({.folder = folder.path()}).value();
  const auto second = open_embedded_store({.folder = folder.path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, code::kStoreUnavailable);
  EXPECT_NE(second.error().message.find("in use by another lingate (process " + std::to_string(::getpid()) + ")"),
            std::string::npos)
      << second.error().message;
  store.reset();
  EXPECT_TRUE(open_embedded_store({.folder = folder.path()}));
}

TEST(Embedded, SaysWhyItCannotOpen) {
  const auto nowhere = open_embedded_store({.folder = "/nonexistent/folder"});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("cannot make the folder /nonexistent/folder: No such file"), std::string::npos)
      << nowhere.error().message;
}

TEST(Embedded, IsPrivate) {
  const Folder folder;
  const std::string path = folder.path() + "/data";
  auto store = open_embedded_store({.folder = path}).value();
  const auto mode = [](const std::string& file) {
    return static_cast<unsigned>(std::filesystem::status(file).permissions());
  };
  EXPECT_EQ(mode(path), 0700U);
  EXPECT_EQ(mode(path + "/data.mdb"), 0600U);
}

TEST(Embedded, RefusesWritesWhileItIsFullAndReadsOn) {
  const Folder folder;
  auto store = open_embedded_store({.folder = folder.path(), .most_bytes = 1 << 20U}).value();
  ASSERT_EQ(store->apply_and_wait({put(Space::kv, "a", {"kept"})}), Applied::done);
  const std::string large(64 * 1024, 'x');
  int kept = 0;
  Result<Applied> last;
  while ((last = store->apply_and_wait({put(Space::kv, "large" + std::to_string(kept), {large})})) && kept < 100)
    ++kept;
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, code::kStoreUnavailable);
  EXPECT_NE(last.error().message.find("MDB_MAP_FULL"), std::string::npos) << last.error().message;
  EXPECT_EQ(store->read(Space::kv, "a").value()->value, "kept");
  EXPECT_EQ(store->scan(Space::kv, "large", "", 1000)->size(), static_cast<std::size_t>(kept));
  // The readers' last transaction holds what was removed; a write after it uses the room again.
  for (int k = 0; k < kept; ++k)
    ASSERT_EQ(store->apply_and_wait({remove(Space::kv, "large" + std::to_string(k))}), Applied::done);
  EXPECT_EQ(store->apply_and_wait({put(Space::kv, "large", {large})}), Applied::done);
}

TEST(Embedded, RemovesWhatHasExpired) {
  const Folder folder;
  auto store = open_embedded_store({.folder = folder.path(), .most_bytes = 1 << 20U}).value();
  // Far more than fits at once: what is over has to make room.
  const std::string large(64 * 1024, 'x');
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  int written = 0;
  while (written < 24 && std::chrono::steady_clock::now() < until) {
    const Time expires = std::chrono::system_clock::now() + milliseconds(1);
    if (store->apply_and_wait({put(Space::kv, std::to_string(written), {large, expires})}))
      ++written;
    else
      std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(written, 24);
}

TEST(Embedded, RefusesWhatItCannotKeepUpWith) {
  const Folder folder;
  auto store = open_embedded_store({.folder = folder.path()}).value();
  std::promise<void> let_go;
  const std::shared_future<void> gone = let_go.get_future().share();
  const Change hangs{Space::kv, "hangs", [gone](std::optional<Record>&) {
                       gone.wait();
                       return true;
                     }};
  std::atomic<int> done = 0, refused = 0;
  const auto count = [&](const Result<Applied>& applied) { ++(applied ? done : refused); };
  store->apply({hangs}, count);
  constexpr int kMany = 40'000;
  for (int k = 0; k < kMany; ++k)
    store->apply({put(Space::kv, "k", {"v"})}, count);
  EXPECT_GT(refused, kMany / 2);
  EXPECT_LT(refused, kMany);
  let_go.set_value();
  store.reset();
  EXPECT_EQ(done + refused, kMany + 1);
}

// ---- SIGKILL ----

// Writes one record after the other and says each on the pipe once it is acknowledged.
[[noreturn]] void write_for_ever(const std::string& folder, int pipe, int from) {
  auto store = open_embedded_store({.folder = folder});
  if (!store) ::_exit(1);
  for (int k = from;; ++k) {
    const auto applied = (*store)->apply_and_wait({put(Space::keys, "key" + std::to_string(k), {std::to_string(k)}),
                                                   put(Space::kv, "last", {std::to_string(k)})});
    if (!applied || ::write(pipe, &k, sizeof k) != sizeof k) ::_exit(2);
  }
}

TEST(Embedded, LosesNothingAcknowledgedWhenItsProcessIsKilled) {
  constexpr int kRounds = 40;
  const Folder folder;
  std::mt19937 random(1);
  int next = 0;
  for (int round = 0; round < kRounds; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(folder.path(), pipe[1], next);
    ::close(pipe[1]);
    // Killed at some moment of the work on one of its next records.
    int acknowledged = next - 1;
    for (auto some = 1 + random() % 5; some > 0; --some)
      ASSERT_EQ(::read(pipe[0], &acknowledged, sizeof acknowledged), static_cast<ssize_t>(sizeof acknowledged));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &acknowledged, sizeof acknowledged) == static_cast<ssize_t>(sizeof acknowledged))
      continue;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    auto store = open_embedded_store({.folder = folder.path()});
    ASSERT_TRUE(store) << store.error().message;
    for (int k = next; k <= acknowledged; ++k) {
      const auto found = (*store)->read(Space::keys, "key" + std::to_string(k)).value();
      ASSERT_TRUE(found) << "key " << k << " of " << acknowledged;
      EXPECT_EQ(found->value, std::to_string(k));
    }
    // Both records of a batch, or none.
    const int last = std::stoi((*store)->read(Space::kv, "last").value()->value);
    EXPECT_GE(last, acknowledged);
    EXPECT_TRUE((*store)->read(Space::keys, "key" + std::to_string(last)).value());
    EXPECT_FALSE((*store)->read(Space::keys, "key" + std::to_string(last + 1)).value());
    next = last + 1;
  }
}

}  // namespace
}  // namespace lingate::store
