#include "middleware/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "middleware/app_log.h"

namespace lingate::middleware {
namespace {

constexpr std::string_view kStandardError = "stderr";
constexpr std::size_t kMaxSpare = 16;
// What a pipe that polls as writable takes without blocking (PIPE_BUF). Standard streams are not made non-blocking:
// that would change them for every process that shares them.
constexpr std::size_t kSafeChunk = 4096;

bool can_block(int descriptor) noexcept {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 && !S_ISREG(info.st_mode);
}

int open_file(std::string_view path) noexcept {
  return ::open(std::string(path).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

}  // namespace

LogWriter::LogWriter(int descriptor, std::uint32_t workers)
    : descriptor_(descriptor), may_block_(can_block(descriptor)), stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  for (std::uint32_t k = 0; k < workers; ++k)
    lanes_.push_back(std::make_unique<Lane>(*this));
  thread_ = std::thread([this] { run(); });
}

LogWriter::~LogWriter() {
  for (const auto& lane : lanes_)
    hand_over(*lane);
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  ::eventfd_write(stop_event_, 1);
  thread_.join();
  ::close(stop_event_);
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

void LogWriter::settle() noexcept {
  for (const auto& lane : lanes_)
    hand_over(*lane);
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, kPatience, [this] { return queued_bytes_ == 0; });
}

void LogWriter::appended(Loop& loop) noexcept {
  Lane& lane = *lanes_[loop.index()];
  ++lane.lines;
  if (lane.buffer.size() >= kLaneBytes / 2) {
    hand_over(lane);
  } else if (!lane.armed()) {
    loop.arm(lane, kFlushAfter);
  }
}

void LogWriter::write_shared(std::string line) noexcept {
  queue({std::move(line), 1}, nullptr);
}

void LogWriter::reopen(int descriptor) noexcept {
  queue({{}, 0, descriptor}, nullptr);
}

void LogWriter::hand_over(Lane& lane) noexcept {
  if (lane.lines == 0) return;
  Batch batch{std::move(lane.buffer), std::exchange(lane.lines, 0)};
  lane.buffer = {};
  queue(std::move(batch), &lane.buffer);
  lane.buffer.reserve(kLaneBytes);
}

void LogWriter::queue(Batch batch, std::string* refill) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (refill && !spare_.empty()) {
      *refill = std::move(spare_.back());
      spare_.pop_back();
    }
    if (queued_bytes_ + batch.bytes.size() > kQueueBytes) {
      dropped_.fetch_add(batch.lines, std::memory_order_relaxed);
      return;
    }
    queued_bytes_ += batch.bytes.size();
    queue_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

void LogWriter::run() noexcept {
  // Nobody waits for it: its waking up does not take the processor from a worker that has requests to serve.
  constexpr sched_param kNone{};
  ::sched_setscheduler(0, SCHED_BATCH, &kNone);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Batch batch = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (batch.descriptor >= 0) change_to(batch.descriptor);
    const bool written = write_all(batch.bytes);
    if (written) tell_dropped();
    lock.lock();
    queued_bytes_ -= batch.bytes.size();
    written_.notify_all();
    if (!written) dropped_.fetch_add(batch.lines, std::memory_order_relaxed);
    if (!written && stop_) return drop_queue();
    batch.bytes.clear();
    if (spare_.size() < kMaxSpare && batch.bytes.capacity() >= kLaneBytes / 2) spare_.push_back(std::move(batch.bytes));
  }
}

void LogWriter::drop_queue() noexcept {
  for (const Batch& batch : queue_) {
    dropped_.fetch_add(batch.lines, std::memory_order_relaxed);
    if (batch.descriptor >= 0) ::close(batch.descriptor);
  }
  queue_.clear();
}

void LogWriter::change_to(int descriptor) noexcept {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  descriptor_ = descriptor;
  may_block_ = can_block(descriptor);
}

bool LogWriter::write_all(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (may_block_ && !wait_writable()) return false;
    const ssize_t wrote =
        ::write(descriptor_, bytes.data(), may_block_ ? std::min(bytes.size(), kSafeChunk) : bytes.size());
    if (wrote > 0)
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    else if (wrote < 0 && errno != EINTR && errno != EAGAIN)
      return false;
  }
  return true;
}

void LogWriter::tell_dropped() noexcept {
  const std::uint64_t dropped = this->dropped();
  if (dropped == told_) return;
  const std::string message =
      fmt::format("{} lines are missing: the log did not take them in time", dropped - std::exchange(told_, dropped));
  write_all(format_event({.level = LogLevel::warn, .message = message}, std::chrono::system_clock::now()));
}

// Waits until the target takes bytes; once the process is stopping, no longer than kPatience.
bool LogWriter::wait_writable() noexcept {
  std::array<pollfd, 2> watched{{{descriptor_, POLLOUT, 0}, {stop_event_, POLLIN, 0}}};
  if (::poll(watched.data(), 2, -1) < 0) return errno == EINTR;
  if (watched[0].revents != 0) return true;
  return ::poll(watched.data(), 1, static_cast<int>(kPatience.count())) > 0;
}

Result<LogWriter*> LogFiles::open(std::string_view path) {
  if (path.empty()) path = kStandardError;
  const std::lock_guard lock(mutex_);
  const auto found = writers_.find(path);
  if (found != writers_.end()) return found->second.get();
  int descriptor = path == kStandardError ? STDERR_FILENO : STDOUT_FILENO;
  if (path.starts_with('/')) {
    descriptor = open_file(path);
    if (descriptor < 0)
      return fail(code::kCannotRead,
                  fmt::format("cannot open the log file {}: {}; check that its folder exists and may "
                              "be written to",
                              path, std::strerror(errno)));
  }
  auto writer = std::make_unique<LogWriter>(descriptor, workers_);
  return writers_.emplace(std::string(path), std::move(writer)).first->second.get();
}

Result<void> LogFiles::reopen() {
  const std::lock_guard lock(mutex_);
  std::string failures;
  for (const auto& [path, writer] : writers_) {
    if (!path.starts_with('/')) continue;
    const int descriptor = open_file(path);
    if (descriptor >= 0)
      writer->reopen(descriptor);
    else
      failures += fmt::format("{}{}: {}", failures.empty() ? "" : ", ", path, std::strerror(errno));
  }
  if (failures.empty()) return {};
  return fail(code::kCannotRead, "log files cannot be opened anew, and are written to as before: " + failures);
}

void LogFiles::settle() noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, writer] : writers_)
    writer->settle();
}

std::uint64_t LogFiles::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t lines = 0;
  for (const auto& [path, writer] : writers_)
    lines += writer->dropped();
  return lines;
}

}  // namespace lingate::middleware
