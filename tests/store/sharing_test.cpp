// An embedded store in two processes: one that serves, and the one that takes its place.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "base/descriptor.h"
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

// Another process, which is there before this one has threads: those a fork would leave half behind. It begins what it
// has to do when it is given the lock.
class Successor {
 public:
  using Deed = int (*)(const std::string& folder, int lock, pid_t before);

  Successor(Deed deed, const std::string& folder) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    channel_ = Descriptor(ends[0]);
    const Descriptor its_end(ends[1]);
    const pid_t before = ::getpid();
    process_ = ::fork();
    if (process_ != 0) return;
    channel_.reset();  // which would keep it waiting for a test that is gone
    ::_exit(deed(folder, take(its_end.get()), before));
  }

  bool begin(const Descriptor& lock) const {
    Letter letter(lock.get());
    return ::sendmsg(channel_.get(), &letter.head, 0) == 1;
  }
  bool lives() { return ::waitpid(process_, &status_, WNOHANG) == 0; }
  // What the deed came to.
  int end() {
    while (lives())
      std::this_thread::sleep_for(milliseconds(1));
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  // One byte, and a descriptor with it.
  struct Letter {
    explicit Letter(int descriptor) {
      cmsghdr* const enclosed = CMSG_FIRSTHDR(&head);
      enclosed->cmsg_level = SOL_SOCKET;
      enclosed->cmsg_type = SCM_RIGHTS;
      enclosed->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(enclosed), &descriptor, sizeof descriptor);
    }
    char byte = 0;
    iovec text{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    msghdr head{nullptr, 0, &text, 1, room.data(), room.size(), 0};
  };

  static int take(int from) {
    Letter letter(-1);
    int descriptor = -1;
    if (::recvmsg(from, &letter.head, MSG_CMSG_CLOEXEC) != 1) return -1;
    std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&letter.head)), sizeof descriptor);
    return descriptor;
  }

  Descriptor channel_;
  pid_t process_ = -1;
  int status_ = 0;
};

enum Outcome { kGood, kCannotOpen, kBeforeMissing, kCannotWrite, kHeardNothing, kNotRead };

// What the successor does: it finds what was there, writes, and hears of what the one before writes after that.
int succeed(const std::string& folder, int lock, pid_t before) {
  std::atomic<int> heard{0};
  auto store = open_embedded_store({.folder = folder, .lock = lock, .predecessor = before});
  if (!store) return kCannotOpen;
  listen_to(**store, heard);
  if (value_of(**store, "before") != "1") return kBeforeMissing;
  if (!(*store)->apply_and_wait({put(Space::keys, "successor", {"2"})})) return kCannotWrite;
  if (!comes_true([&] { return heard > 0; })) return kHeardNothing;
  if (!comes_true([&] { return value_of(**store, "answer") == "3"; })) return kNotRead;
  store->reset();
  return kGood;
}

TEST(Sharing, BothProcessesReadWriteAndHearOfEachOther) {
  const Folder folder;
  Successor successor(succeed, folder.path());
  std::atomic<int> heard{0};
  auto store = open_embedded_store({.folder = folder.path()}).value();
  listen_to(*store, heard);
  ASSERT_EQ(store->apply_and_wait({put(Space::keys, "before", {"1"})}), Applied::done);
  EXPECT_EQ(heard, 0) << "what it wrote itself";
  const Descriptor lock = store->begin_sharing();
  ASSERT_TRUE(lock);
  ASSERT_TRUE(successor.begin(lock));
  EXPECT_TRUE(comes_true([&] { return heard > 0; }));
  EXPECT_TRUE(comes_true([&] { return value_of(*store, "successor") == "2"; }));
  EXPECT_EQ(store->apply_and_wait({put(Space::keys, "answer", {"3"})}), Applied::done);
  EXPECT_EQ(successor.end(), kGood);
}

int hear(const std::string& folder, int lock, pid_t before) {
  std::atomic<int> heard{0};
  auto store = open_embedded_store({.folder = folder, .lock = lock, .predecessor = before});
  if (!store) return kCannotOpen;
  listen_to(**store, heard);
  if (!comes_true([&] { return heard > 0; })) return kHeardNothing;
  store->reset();
  return kGood;
}

// It says whom to tell while the one before goes on writing.
TEST(Sharing, HearsOfTheOtherFromTheFirstMoment) {
  const Folder folder;
  Successor successor(hear, folder.path());
  auto store = open_embedded_store({.folder = folder.path()}).value();
  const Descriptor lock = store->begin_sharing();
  ASSERT_TRUE(lock);
  ASSERT_TRUE(successor.begin(lock));
  while (successor.lives())
    ASSERT_EQ(store->apply_and_wait({put(Space::keys, "again", {"1"})}), Applied::done);
  EXPECT_EQ(successor.end(), kGood);
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
