// The kind `embedded`: LMDB in a folder of this machine. Any thread reads from the memory map; one thread writes, and
// commits what has come while it wrote the batches before together, so that many writers share one flush of the disk.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "base/codes.h"
#include "store/check.h"
#include "store/lmdb_environment.h"
#include "store/store.h"

namespace lingate::store {
namespace {

using Writing = LmdbEnvironment::Writing;

// One process has the folder: two would each serve from caches that the other does not know of.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return refusal("make the folder " + folder, errno);
    const std::string path = folder + "/lingate.lock";
    FolderLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.fd_ < 0) return refusal("open " + path, errno);
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0)
      return fail(code::kStoreUnavailable, "the store's folder " + folder + " is in use by another lingate" +
                                               lock.owner() + "; stop it, or give each its own `store.path`");
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0) {
      // Only for the message above.
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}

  static tl::unexpected<Error> refusal(const std::string& doing, int error) {
    return fail(code::kStoreUnavailable, "the store cannot " + doing + ": " + std::strerror(error) +
                                             "; see to its permissions, or choose another `store.path`");
  }

  std::string owner() const {
    char text[24] = {};
    const auto size = ::pread(fd_, text, sizeof text - 1, 0);
    const std::string_view pid(text, size > 0 ? std::strspn(text, "0123456789") : 0);
    return pid.empty() ? std::string() : " (process " + std::string(pid) + ")";
  }

  int fd_;
};

struct Batch {
  std::vector<Change> changes;
  Store::Done done;
};

class EmbeddedStore final : public Store {
 public:
  EmbeddedStore(EmbeddedOptions options, FolderLock lock, std::unique_ptr<LmdbEnvironment> environment)
      : options_(std::move(options)), lock_(std::move(lock)), environment_(std::move(environment)) {
    thread_ = std::thread([this] { write_until_closed(); });
  }

  ~EmbeddedStore() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  std::string_view kind() const noexcept override { return "embedded"; }

  Result<std::optional<Record>> read(Space space, std::string_view key) override {
    if (auto good = check_key(key); !good) return fail(std::move(good.error()));
    const std::shared_lock lock(reopening_);
    if (!environment_) return fail(code::kStoreUnavailable, broken_);
    auto found = environment_->read(space, key);
    if (found && *found && is_over(**found, std::chrono::system_clock::now())) found->reset();
    return found;
  }

  Result<std::vector<Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                  std::size_t most) override {
    const std::shared_lock lock(reopening_);
    if (!environment_) return fail(code::kStoreUnavailable, broken_);
    return environment_->scan(space, prefix, after, most);
  }

  void apply(std::vector<Change> changes, Done done) override {
    for (const Change& change : changes)
      if (auto good = check_key(change.key); !good) return done(fail(std::move(good.error())));
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() < kMostWaiting) {
        waiting_.push_back({std::move(changes), std::move(done)});
        done = nullptr;
      }
    }
    if (done) return done(fail(code::kStoreUnavailable, "the embedded store cannot write as fast as it is asked to"));
    wake_.notify_one();
  }

  void on_change(Changed changed) override { changed_ = std::move(changed); }

 private:
  using Outcome = Result<Applied>;
  using Batches = std::vector<Batch>;
  static constexpr std::size_t kMostTogether = 256;
  static constexpr std::size_t kMostWaiting = 16'384;  // batches; a disk that hangs must not fill the memory
  static constexpr std::size_t kMostSwept = 256;
  static constexpr std::chrono::seconds kSweepEvery{1};

  // ---- on the writing thread ----

  void write_until_closed() {
    auto swept = std::chrono::steady_clock::now();
    while (std::optional<Batches> batches = take()) {
      if (const auto now = std::chrono::steady_clock::now(); now - swept >= kSweepEvery) {
        sweep();
        swept = now;
      }
      if (batches->empty()) continue;
      std::vector<Outcome> outcomes = commit_together(*batches);
      for (std::size_t k = 0; k < batches->size(); ++k)
        (*batches)[k].done(std::move(outcomes[k]));
    }
  }

  // What is waiting, which is nothing after a while without any; no answer once the store is closed and all is written.
  std::optional<Batches> take() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kSweepEvery, [this] { return closed_ || !waiting_.empty(); });
    if (closed_ && waiting_.empty()) return std::nullopt;
    Batches taken;
    while (!waiting_.empty() && taken.size() < kMostTogether) {
      taken.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    return taken;
  }

  // One transaction for all; if that fails, one for each, so that a batch that is too large costs only itself.
  std::vector<Outcome> commit_together(const Batches& batches) {
    std::vector<Outcome> outcomes;
    if (batches.size() > 1 && commit(batches.data(), batches.size(), outcomes)) return outcomes;
    outcomes.clear();
    for (const Batch& batch : batches) {
      std::vector<Outcome> own;
      if (commit(&batch, 1, own) || (free_pages() && commit(&batch, 1, own)))
        outcomes.push_back(std::move(own.front()));
      else
        outcomes.push_back(fail(code::kStoreUnavailable, broken_));
    }
    return outcomes;
  }

  // False: nothing of it was written, and broken_ says why.
  bool commit(const Batch* batches, std::size_t count, std::vector<Outcome>& outcomes) {
    if (!usable()) return false;
    auto writing = Writing::begin(*environment_);
    if (!writing) return gave_up(writing.error());
    for (std::size_t k = 0; k < count; ++k) {
      auto outcome = run(batches[k], *writing);
      if (!outcome && count > 1) return gave_up(outcome.error());
      outcomes.push_back(std::move(outcome));
    }
    if (!outcomes.front() && count == 1) return gave_up(outcomes.front().error());
    if (auto done = writing->commit(); !done) return gave_up(done.error());
    for (std::size_t k = 0; k < count; ++k)
      tell(batches[k], outcomes[k]);
    return true;
  }

  // Pages that a transaction has freed are used again by the next but one. Where there is room for nothing else, a
  // write that fails never makes it the next but one: a small one does.
  bool free_pages() {
    if (!usable()) return false;
    auto writing = Writing::begin(*environment_);
    return writing && writing->touch() && writing->commit();
  }

  bool gave_up(const Error& error) {
    broken_ = error.message;
    suspect_ = true;
    return false;
  }

  void tell(const Batch& batch, const Outcome& outcome) const {
    if (!changed_ || !outcome || *outcome != Applied::done) return;
    for (const Change& change : batch.changes)
      changed_(change.space, change.key);
  }

  // Every edit runs before anything is written, each on what those before it made: a refusal leaves no trace.
  static Outcome run(const Batch& batch, Writing& writing) {
    const Time now = std::chrono::system_clock::now();
    std::map<std::pair<Space, std::string_view>, std::optional<Record>> edited;
    for (const Change& change : batch.changes) {
      const auto [at, fresh] = edited.try_emplace({change.space, change.key});
      if (fresh) {
        auto there = writing.read(change.space, change.key);
        if (!there) return fail(std::move(there.error()));
        if (*there && !is_over(**there, now)) at->second = std::move(*there);
      }
      if (!change.edit(at->second)) return Applied::refused;
      if (at->second)
        if (auto good = check_value(at->second->value); !good) return fail(std::move(good.error()));
    }
    for (const auto& [name, record] : edited)
      if (auto done = writing.write(name.first, name.second, record); !done) return fail(std::move(done.error()));
    return Applied::done;
  }

  void sweep() {
    if (!usable()) return;
    auto writing = Writing::begin(*environment_);
    if (!writing) return void(gave_up(writing.error()));
    const auto removed = writing->remove_expired(std::chrono::system_clock::now(), kMostSwept);
    if (!removed) return void(gave_up(removed.error()));
    if (*removed == 0) return;
    if (auto done = writing->commit(); !done) gave_up(done.error());
  }

  // LMDB refuses all writes once it could not write its root: only opening it anew helps.
  bool usable() {
    if (!std::exchange(suspect_, false) && environment_) return true;
    const std::unique_lock lock(reopening_);
    environment_.reset();
    auto opened = LmdbEnvironment::open(options_);
    if (opened) environment_ = std::move(*opened);
    if (!opened) broken_ = opened.error().message;
    return environment_ != nullptr;
  }

  const EmbeddedOptions options_;
  const FolderLock lock_;
  Changed changed_;

  std::shared_mutex reopening_;
  std::unique_ptr<LmdbEnvironment> environment_;
  std::string broken_;    // what went wrong last; read by others only where environment_ is gone
  bool suspect_ = false;  // of the writing thread

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> waiting_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_embedded_store(const EmbeddedOptions& options) {
  auto lock = FolderLock::take(options.folder);
  if (!lock) return fail(std::move(lock.error()));
  auto environment = LmdbEnvironment::open(options);
  if (!environment) return fail(std::move(environment.error()));
  return std::make_unique<EmbeddedStore>(options, std::move(*lock), std::move(*environment));
}

}  // namespace lingate::store
