// The kind `embedded`: LMDB in a folder of this machine. Any thread reads from the memory map; one thread writes, and
// commits what has come while it wrote the batches before together, so that many writers share one flush of the disk.
//
// While a process hands the folder over to another, both have it: each looks often whether the other has committed, and
// then what was read before counts as changed.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "base/codes.h"
#include "store/check.h"
#include "store/folder_lock.h"
#include "store/lmdb_environment.h"
#include "store/store.h"

namespace lingate::store {
namespace {

using Writing = LmdbEnvironment::Writing;

struct Batch {
  std::vector<Change> changes;
  Store::Done done;
};

class EmbeddedStore final : public Store {
 public:
  EmbeddedStore(EmbeddedOptions options, FolderLock lock, std::unique_ptr<LmdbEnvironment> environment)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        predecessor_(options_.predecessor),
        environment_(std::move(environment)),
        seen_(environment_->last_transaction()) {
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

  // The other process may have committed already.
  void on_change(Changed changed) override {
    const std::lock_guard lock(hearing_);
    changed_ = std::move(changed);
  }

  Descriptor begin_sharing() override {
    {
      const std::lock_guard lock(mutex_);
      sharing_ = true;
    }
    wake_.notify_one();
    return lock_.copy();
  }

  void end_sharing() noexcept override {
    sharing_ = false;
    lock_.name_owner();
  }

 private:
  using Outcome = Result<Applied>;
  using Batches = std::vector<Batch>;
  static constexpr std::size_t kMostTogether = 256;
  static constexpr std::size_t kMostWaiting = 16'384;  // batches; a disk that hangs must not fill the memory
  static constexpr std::size_t kMostSwept = 256;
  static constexpr std::chrono::milliseconds kSweepEvery{1000};
  static constexpr std::chrono::milliseconds kLookEvery{10};  // for what the other one has committed

  // ---- on the writing thread ----

  void write_until_closed() {
    auto swept = std::chrono::steady_clock::now();
    while (std::optional<Batches> batches = take()) {
      look_for_others();
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
    const bool often = is_shared();
    wake_.wait_for(lock, often ? kLookEvery : kSweepEvery,
                   [&] { return closed_ || !waiting_.empty() || (!often && sharing_); });
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
    if (auto done = finish(*writing); !done) return gave_up(done.error());
    for (std::size_t k = 0; k < count; ++k)
      tell(batches[k], outcomes[k]);
    return true;
  }

  // Pages that a transaction has freed are used again by the next but one. Where there is room for nothing else, a
  // write that fails never makes it the next but one: a small one does.
  bool free_pages() {
    if (!usable()) return false;
    auto writing = Writing::begin(*environment_);
    return writing && writing->touch() && finish(*writing);
  }

  bool gave_up(const Error& error) {
    broken_ = error.message;
    suspect_ = true;
    return false;
  }

  void tell(const Batch& batch, const Outcome& outcome) {
    const std::lock_guard lock(hearing_);
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
    if (auto done = finish(*writing); !done) gave_up(done.error());
  }

  // Commits, and knows this transaction from those of others: theirs have other numbers.
  Result<void> finish(Writing& writing) {
    const std::size_t number = writing.number();
    if (number != seen_ + 1) hear_of_others();
    auto done = writing.commit();
    if (done) seen_ = std::min(number, environment_->last_transaction());
    return done;
  }

  void look_for_others() {
    if (!environment_) return;
    const std::size_t last = environment_->last_transaction();
    if (std::exchange(seen_, last) != last) hear_of_others();
  }

  // Of what they wrote is known only that they did.
  void hear_of_others() {
    const std::lock_guard lock(hearing_);
    if (!changed_) return;
    changed_(Space::keys, {});
    changed_(Space::sessions, {});
  }

  // The process that this one takes the place of is its parent, until it ends; what it still read is then over.
  bool is_shared() {
    if (predecessor_ != 0 && ::getppid() != predecessor_) {
      predecessor_ = 0;
      if (environment_) environment_->forget_dead_readers();
    }
    return sharing_ || predecessor_ != 0;
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
  std::atomic<bool> sharing_{false};
  pid_t predecessor_;  // of the writing thread
  std::mutex hearing_;
  Changed changed_;

  std::shared_mutex reopening_;
  std::unique_ptr<LmdbEnvironment> environment_;
  std::string broken_;    // what went wrong last; read by others only where environment_ is gone
  bool suspect_ = false;  // of the writing thread
  std::size_t seen_;      // the last transaction that it knows of

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> waiting_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_embedded_store(const EmbeddedOptions& options) {
  auto lock = FolderLock::take(options);
  if (!lock) return fail(std::move(lock.error()));
  auto environment = LmdbEnvironment::open(options);
  if (!environment) return fail(std::move(environment.error()));
  return std::make_unique<EmbeddedStore>(options, std::move(*lock), std::move(*environment));
}

}  // namespace lingate::store
