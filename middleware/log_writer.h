// LogWriter: lines from many threads to one file descriptor, without any of them ever waiting for it. Each worker
// appends to a buffer of its own (a Lane); when that is half full, or a moment after its first line, the whole buffer
// goes through a bounded queue to a thread that writes. If the target is blocked and the queue is full, buffers are
// dropped and their lines counted; the target is told how many are missing as soon as it takes lines again.
//
//   worker ── Lane ──┐
//   worker ── Lane ──┼─▶ bounded queue ─▶ writer thread ─▶ file, pipe, terminal
//   others ── shared ┘
//
// Thread: a Lane belongs to its worker; write_shared() and the counters are for any thread.
// Lifetime: made before the workers' loops run, destroyed after they have ended; what is queued then is still written,
// unless the target stays blocked for kPatience.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace lingate::middleware {

class LogWriter {
 public:
  static constexpr std::chrono::milliseconds kFlushAfter{100};
  static constexpr std::chrono::milliseconds kPatience{500};
  // A lane is handed over at half of it: each time costs the writer thread a turn on a processor that workers share,
  // and the file system takes a few large pieces for less than many small ones.
  static constexpr std::size_t kLaneBytes = 256 * 1024;
  static constexpr std::size_t kQueueBytes = 8 * 1024 * 1024;

  // Takes over `descriptor` and closes it at the end, unless it is a standard stream.
  LogWriter(int descriptor, std::uint32_t workers);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // The worker's buffer to append one line to; then appended(). In between nothing else may be called.
  std::string& lane(const Loop& loop) noexcept { return lanes_[loop.index()]->buffer; }
  void appended(Loop& loop) noexcept;

  void write_shared(std::string line) noexcept;
  // Takes over another descriptor: what was queued before goes to the old one, which is closed then. Any thread.
  void reopen(int descriptor) noexcept;

  // Once the workers have ended: waits until all that was appended is written, kPatience at most.
  void settle() noexcept;

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }  // lines

 private:
  struct Batch {
    std::string bytes;
    std::uint32_t lines = 0;
    int descriptor = -1;  // none, or the one to write to from here on
  };

  struct Lane final : Timer {
    explicit Lane(LogWriter& owner) : writer(owner) {}
    void expired() noexcept override { writer.hand_over(*this); }

    LogWriter& writer;
    std::string buffer;
    std::uint32_t lines = 0;
  };

  void hand_over(Lane& lane) noexcept;
  void queue(Batch batch, std::string* refill) noexcept;
  void run() noexcept;
  void drop_queue() noexcept;
  void change_to(int descriptor) noexcept;
  bool write_all(std::string_view bytes) noexcept;
  void tell_dropped() noexcept;
  bool wait_writable() noexcept;

  int descriptor_;  // the writer thread's, as the next
  bool may_block_;  // a pipe, terminal or socket
  const int stop_event_;
  std::uint64_t told_ = 0;  // of dropped_; the writer thread's
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;  // the members below
  std::condition_variable changed_;
  std::condition_variable written_;
  std::deque<Batch> queue_;
  std::vector<std::string> spare_;
  std::size_t queued_bytes_ = 0;
  bool stop_ = false;

  std::thread thread_;
};

// The writers of one process, one a target, so that steps that name the same file share it.
//
// Thread: any. Lifetime: outlives all snapshots and workers.
class LogFiles {
 public:
  explicit LogFiles(std::uint32_t workers) : workers_(workers) {}

  // An absolute path, which is opened for appending; "stdout"; "stderr" or "".
  Result<LogWriter*> open(std::string_view path);

  // Opens every file anew by its name, for who has moved the old one away. The error names those that cannot be
  // opened; they are written to as before.
  Result<void> reopen();

  // Of each writer.
  void settle() noexcept;

  // Lines that no target took, of all writers.
  std::uint64_t dropped() const noexcept;

 private:
  const std::uint32_t workers_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogWriter>, std::less<>> writers_;
};

}  // namespace lingate::middleware
