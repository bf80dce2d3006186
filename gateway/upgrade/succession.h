// Succession: another process takes this gateway's place: the program as it is on disk, with the same arguments, which
// gets what this one listens on. It loads the configuration and serves; then it says so, and this one can drain. If it
// ends before that, lets go of the channel, or takes too long, it is ended, and this one serves on as if nothing had
// been asked.
//
//   SIGUSR2 ──▶ ask() ──▶ [share] ──▶ new process … serves ──▶ [wake] ──▶ successor(): drain
//                                          └─ ends ──▶ [failed], the log, failures()
//
// Thread: ask() and end() on one; the callbacks run on a thread of its own; the rest any. Lifetime: what the options
// name outlives it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "gateway/upgrade/estate.h"
#include "gateway/upgrade/launch.h"
#include "middleware/app_log.h"

namespace lingate {

struct SuccessionOptions {
  Launch launch;
  middleware::AppLog& log;
  std::function<std::optional<Estate>()> share;  // nothing: not now
  std::function<void()> wake;                    // there is a successor
  std::function<void()> failed;                  // what was shared, nobody has taken
};

class Succession {
 public:
  explicit Succession(SuccessionOptions options) : options_(std::move(options)) {}
  ~Succession() { end(); }
  Succession(const Succession&) = delete;
  Succession& operator=(const Succession&) = delete;

  // Asked again while the new process starts, it changes nothing.
  void ask();
  // Ends a process that does not serve yet; none is started any more.
  void end() noexcept;

  pid_t successor() const noexcept { return successor_; }  // the process that serves; 0: there is none
  std::uint64_t failures() const noexcept { return failures_; }

 private:
  using Outcome = Result<pid_t, std::string>;

  void run();
  Outcome attempt();
  Outcome start(const Estate& estate, int channel);
  std::string reap();
  void tell_failure(const std::string& why);

  const SuccessionOptions options_;
  std::thread thread_;
  std::atomic<bool> under_way_{false};
  std::atomic<pid_t> successor_{0};
  std::atomic<std::uint64_t> failures_{0};

  std::mutex mutex_;
  pid_t child_ = -1;  // that starts
  bool ended_ = false;
};

}  // namespace lingate
